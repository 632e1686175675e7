import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError } from '../contract';

/**
 * Root of the tree to synchronize: the work tree of git that `cwd` lies in, else `cwd` itself. A repository that spans the
 * home directory (people keep their settings in one) is no project, so it does not count.
 * @returns absolute path, links in it as in `cwd`
 * @throws E_ROOT_REFUSED when that is / or the home directory, or holds it
 */
export async function findRoot(cwd: string, { home }: { home: string }): Promise<string> {
  const start = path.resolve(cwd);
  const realHome = await realpath(home).catch(() => path.resolve(home));
  for (let at = start; at !== path.dirname(at); at = path.dirname(at)) {
    if ((await isWorkTree(at)) && !holds(await realpath(at), realHome)) return at;
  }
  const real = await realpath(start);
  if (!holds(real, realHome)) return start;
  throw new RawcloudError('E_ROOT_REFUSED', `${start} would be synchronized, but ${describe(real, realHome)} is never sent to a VM`, {
    remedy: 'Change to the directory of your project, or make one with only what the job needs, and run the command there.',
    data: { root: start },
  });
}

/** `.git` is a directory in a repository, a file in submodules and further work trees. An empty directory is neither. */
async function isWorkTree(directory: string): Promise<boolean> {
  const found = await stat(path.join(directory, '.git')).catch(() => undefined);
  if (!found?.isDirectory()) return found?.isFile() ?? false;
  return stat(path.join(directory, '.git', 'HEAD')).then(
    () => true,
    () => false,
  );
}

function holds(directory: string, other: string): boolean {
  return directory === other || other.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

function describe(real: string, home: string): string {
  if (real === home) return 'the home directory';
  return real === '/' ? 'the whole file system' : 'a directory that holds the home directory';
}
