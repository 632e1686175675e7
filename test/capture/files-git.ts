import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { walkTree } from '../../lib/capture/walk';
import { repositoryOf } from './gitignore-trees';
import type { DrawnRepository, DrawnTree } from './gitignore-trees';
import { withDirectory, writeTree } from './trees';

const IN_ONE_REPOSITORY = 50;

/**
 * The law: in a repository, what travels is what git itself would show: tracked files that are there, and files that are
 * neither tracked nor ignored.
 */
export async function travelsAsGitShows(trees: number): Promise<void> {
  let looked = 0;
  await fc.assert(
    fc.asyncProperty(repositoryOf(IN_ONE_REPOSITORY), (drawn) =>
      withDirectory(async (directory) => {
        const { root, env, git } = makeRepository(directory, drawn);
        const shown = new Set(git('ls-files', '-z', '-c', '-o', '--exclude-standard').split('\0'));
        const walked = await walkTree(root, { env, home: directory });
        const travels = [...walked.entries].filter((entry) => entry.type === 'file').map((entry) => textOf(entry.path));
        expect(travels.sort()).toEqual([...shown].filter((found) => found !== '' && isFile(path.join(root, found))).sort());
        looked += drawn.trees.length;
      }),
    ),
    { numRuns: Math.ceil(trees / IN_ONE_REPOSITORY) },
  );
  expect(looked).toBeGreaterThanOrEqual(trees);
}

function makeRepository(home: string, drawn: DrawnRepository) {
  const root = path.join(home, 'r');
  const env = { PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
  mkdirSync(root);
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 });
  git('init', '-q', '--template=');
  git('config', 'core.ignorecase', String(drawn.ignoreCase));
  const tracked = drawn.trees.flatMap((tree, index) => writeFiles(path.join(root, `t${index}`), tree).map((file) => `t${index}/${file}`));
  // Where case does not count, git takes an untracked `b` for the tracked `B`; no rule leaves it out, so it travels.
  if (tracked.length > 0 && !drawn.ignoreCase) {
    writeFileSync(path.join(home, 'tracked'), tracked.join('\0'));
    git('--literal-pathspecs', 'add', '-f', `--pathspec-from-file=${path.join(home, 'tracked')}`, '--pathspec-file-nul');
  }
  drawn.trees.forEach((tree, index) => writeRules(path.join(root, `t${index}`), tree));
  if (drawn.top !== null) writeTree(root, { '.gitignore': drawn.top });
  if (drawn.exclude !== null) writeTree(root, { '.git/info/exclude': drawn.exclude });
  if (drawn.global !== null) {
    writeTree(home, { 'ignored-everywhere': drawn.global });
    git('config', 'core.excludesFile', '~/ignored-everywhere');
  }
  return { root, env, git };
}

/** Files whose name a directory has already taken are left out, and the other way round. @returns those to be tracked */
function writeFiles(root: string, { files, tracked }: DrawnTree): string[] {
  mkdirSync(root);
  for (const file of files) tryWrite(root, file, file);
  return tracked.map((index) => files[index % files.length]!).filter((file) => isFile(path.join(root, file)));
}

function writeRules(root: string, { files, top, nested }: DrawnTree): void {
  tryWrite(root, '.gitignore', top);
  for (const [index, rules] of nested) tryWrite(root, `${path.dirname(files[index % files.length]!)}/.gitignore`, rules);
}

function tryWrite(root: string, file: string, content: string): void {
  try {
    writeTree(root, { [file]: content });
  } catch (error) {
    if (!/EEXIST|ENOTDIR|EISDIR/.test(String(error))) throw error;
  }
}

function isFile(file: string): boolean {
  return existsSync(file) && lstatSync(file).isFile();
}

function textOf(path: string): string {
  return Buffer.from(path, 'latin1').toString();
}
