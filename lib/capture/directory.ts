import { readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { fsPath, hasCode, RawcloudError, showPath } from '../contract';
import type { BytePath } from '../contract';

/** As of a `Dirent`; its name as bytes. */
export type DirectoryEntry = Pick<Dirent, 'name' | 'isFile' | 'isDirectory' | 'isSymbolicLink'>;

/**
 * What is in a directory of a tree, in the byte order of all paths below it; names as bytes.
 * @returns undefined when it has gone; the root may not go
 * @throws E_USAGE when it cannot be read
 */
export function listDirectory(root: string, path: BytePath): DirectoryEntry[] | undefined {
  try {
    const found = read(fsPath(root, path));
    const keyOf = found.some((entry) => entry.isDirectory()) ? orderKey : nameOf;
    return found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  } catch (error) {
    if (path !== '' && hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw unreadable(path, error);
  }
}

/**
 * Names as strings of bytes take a third of the time of buffers. But where the file system does not tell what an entry is, Node
 * looks by the name, which is wrong then for other than ASCII, and finds nothing.
 */
function read(directory: string | Buffer): DirectoryEntry[] {
  try {
    return readdirSync(directory, { withFileTypes: true, encoding: 'latin1' });
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    return readdirSync(directory, { withFileTypes: true, encoding: 'buffer' }).map((dirent) => ({
      name: dirent.name.toString('latin1'),
      isFile: () => dirent.isFile(),
      isDirectory: () => dirent.isDirectory(),
      isSymbolicLink: () => dirent.isSymbolicLink(),
    }));
  }
}

/** What is in a directory comes where its name and a slash would. */
function orderKey(dirent: DirectoryEntry): string {
  return dirent.isDirectory() ? `${dirent.name}/` : dirent.name;
}

function nameOf({ name }: DirectoryEntry): string {
  return name;
}

export function unreadable(path: BytePath, cause: unknown): RawcloudError {
  const why = hasCode(cause, 'EACCES', 'EPERM') ? 'permission denied' : String(cause instanceof Error ? cause.message : cause);
  return new RawcloudError('E_USAGE', `cannot read ${path === '' ? 'the root of the tree' : showPath(path)}: ${why}`, {
    remedy: 'Make it readable, or leave it out with a line in .rawcloudignore.',
    cause,
  });
}
