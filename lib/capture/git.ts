import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BytePath, Notice } from '../contract';
import { BUILTIN_PATTERNS } from './ignore';

type Env = Readonly<Record<string, string | undefined>>;

/** What git knows about a work tree besides its .gitignore files. */
export interface GitFacts {
  /** core.ignoreCase: usual on macOS. */
  readonly ignoreCase: boolean;
  /** Texts of the global ignore file and of info/exclude, bytes as latin1, weakest first. */
  readonly excludes: readonly string[];
  /** Files that are tracked though a rule matches them, relative to the work tree. */
  readonly tracked: readonly BytePath[];
  readonly notices: readonly Notice[];
}

/**
 * Reads them: by the git program where there is one, for only git reads its configuration and index as git does. Without it
 * the ignore files at their usual places count, and nothing is known of tracked files.
 */
export async function readGitFacts(workTree: string, { env, home }: { env: Env; home: string }): Promise<GitFacts> {
  const git = (...args: string[]): Promise<GitAnswer> => runGit(workTree, env, args);
  const [config, listed, exclude] = await Promise.all([
    git('config', '-z', '--type=path', '--get-regexp', '^core\\.(excludesfile|ignorecase)$'),
    git('ls-files', '-z', '-c', '-i', '--exclude-standard', ...BUILTIN_PATTERNS.flatMap((pattern) => ['-x', pattern])),
    gitDirectoryOf(workTree).then((directory) => readLatin1(path.join(directory, 'info', 'exclude'))),
  ]);
  const values = parseConfig(config.stdout);
  const global = values.get('core.excludesfile') ?? path.join(env['XDG_CONFIG_HOME'] || path.join(home, '.config'), 'git', 'ignore');
  return {
    ignoreCase: values.get('core.ignorecase') === 'true',
    excludes: [global === '' ? '' : await readLatin1(path.resolve(workTree, global)), exclude],
    tracked: listed.stdout.split('\0').filter((name) => name !== ''),
    notices: listed.failure ? [{ level: 'warning', text: blindText(workTree, listed.failure) }] : [],
  };
}

function blindText(workTree: string, failure: string): string {
  return `git could not list the tracked files of ${workTree} (${failure}): files that are tracked and match an ignore rule are left out`;
}

interface GitAnswer {
  readonly stdout: string;
  readonly failure?: string;
}

/** Never rejects: without an answer the walk does with less, and says so. */
function runGit(cwd: string, env: Env, args: readonly string[]): Promise<GitAnswer> {
  const options = { cwd, env: cleanEnv(env), encoding: 'latin1', maxBuffer: 2 ** 30 } as const;
  return new Promise((resolve) => {
    execFile('git', ['-c', 'core.fsmonitor=false', ...args], options, (error, stdout, stderr) => {
      if (!error) return resolve({ stdout });
      // `git config` leaves with 1 when nothing is set, which is no failure.
      if (error.code === 1 && stderr === '') return resolve({ stdout });
      const why = error.code === 'ENOENT' ? 'there is no git program' : (stderr.split('\n')[0] || error.message).replace(/^fatal: /, '');
      resolve({ stdout: '', failure: why });
    });
  });
}

/** In a hook of git, GIT_DIR and its like point at the repository of the hook, not at the one asked for. */
function cleanEnv(env: Env): Record<string, string> {
  const kept = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined && !/^GIT_(?!CONFIG_)/.test(pair[0]));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' };
}

/** `name\nvalue\0` each; the last value of a name counts. */
function parseConfig(text: string): Map<string, string> {
  const pairs = text.split('\0').filter((entry) => entry !== '');
  return new Map(
    pairs.map((entry) => {
      const at = entry.indexOf('\n');
      // A name without `=` means true.
      return at === -1 ? [entry, 'true'] : [entry.slice(0, at), Buffer.from(entry.slice(at + 1), 'latin1').toString()];
    }),
  );
}

/** Where info/exclude lies: `.git`, or what the file `.git` points at, or what that shares with other work trees. */
async function gitDirectoryOf(workTree: string): Promise<string> {
  const dotGit = path.join(workTree, '.git');
  const pointer = /^gitdir: (.*)/.exec(await readText(dotGit));
  if (!pointer) return dotGit;
  const own = path.resolve(workTree, pointer[1]!);
  const common = (await readText(path.join(own, 'commondir'))).trim();
  return common === '' ? own : path.resolve(own, common);
}

async function readText(file: string): Promise<string> {
  return Buffer.from(await readLatin1(file), 'latin1').toString();
}

/** '' when there is none; whatever hinders reading hinders git in the same way, which goes on. */
async function readLatin1(file: string): Promise<string> {
  return readFile(file, 'latin1').catch(() => '');
}
