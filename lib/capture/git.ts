import { execFile } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import path from 'node:path';

/** What git itself says about one work tree. */
export interface GitFacts {
  /** Files that hold ignore rules besides the .gitignore files, weakest first. */
  readonly excludeFiles: readonly string[];
  /** Tracked files that an ignore rule matches, relative to the work tree: git does not ignore what it tracks. */
  readonly trackedIgnored: readonly string[];
  readonly ignoreCase: boolean;
}

export interface GitEnvironment {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** True for the root of a work tree or submodule. */
export async function isWorkTree(directory: string): Promise<boolean> {
  return (await lstat(path.join(directory, '.git')).catch(() => undefined)) !== undefined;
}

/** Facts of the work tree at `root`. Without a git program, git's defaults. */
export async function gitFacts(root: string, context: GitEnvironment): Promise<GitFacts> {
  const [excludesFile, infoExclude, tracked, ignoreCase] = await Promise.all([
    git(root, ['config', '--get', '--type=path', 'core.excludesFile']),
    git(root, ['rev-parse', '--git-path', 'info/exclude']),
    git(root, ['ls-files', '-z', '--cached', '--ignored', '--exclude-standard']),
    git(root, ['config', '--get', '--type=bool', 'core.ignoreCase']),
  ]);
  return {
    excludeFiles: [excludesFile?.trim() || defaultExcludes(context), path.resolve(root, infoExclude?.trim() || '.git/info/exclude')],
    trackedIgnored: tracked === undefined ? [] : tracked.split('\0').filter((name) => name !== ''),
    ignoreCase: ignoreCase?.trim() === 'true',
  };
}

/** Source: gitignore(5). */
export function defaultExcludes({ home, env }: GitEnvironment): string {
  return path.join(env['XDG_CONFIG_HOME'] || path.join(home, '.config'), 'git', 'ignore');
}

/** What a git command prints; undefined when it fails, as for a setting that is not there or a machine without git. */
function git(root: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('git', ['-C', root, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 }, (error, stdout) => resolve(error ? undefined : stdout));
  });
}
