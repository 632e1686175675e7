import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import type { BigIntStats, Dirent } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fsPath, hasCode } from '../contract';
import type { BytePath } from '../contract';

/** A file or link as it was found. Equal `stamp`s: nobody has written to it in between. */
export interface FoundFile {
  readonly path: BytePath;
  readonly bytes: number;
  readonly executable: boolean;
  readonly stamp: string;
  /** Of a link. */
  readonly target?: BytePath;
}

/** Packages and caches: they are made again, wherever the files are brought. */
const NEVER: ReadonlySet<string> = new Set(['.git', 'node_modules', '__pycache__']);

/** Marks of Python and conda environments. */
const MARKS: ReadonlySet<string> = new Set(['pyvenv.cfg', 'conda-meta']);

/** Entries between two looks at the event loop. */
const TURN = 500;

/**
 * All files and links below a directory but those of environments, installed packages, caches and git; no ignore rules,
 * for what a job writes is often ignored. In no particular order. Directories that cannot be read are handed to `onUnreadable`.
 */
export async function* findFiles(directory: string, onUnreadable: (path: BytePath) => void = () => undefined): AsyncGenerator<FoundFile> {
  const stack: BytePath[] = [''];
  let seen = 0;
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const found = list(directory, at);
    if (found === 'unreadable') onUnreadable(at);
    if (!Array.isArray(found) || (at !== '' && found.some(({ name }) => MARKS.has(nameOf(name))))) continue;
    for (const dirent of found) {
      if (++seen % TURN === 0) await nextTurn();
      const name = nameOf(dirent.name);
      if (NEVER.has(name)) continue;
      const path = at === '' ? name : `${at}/${name}`;
      if (dirent.isDirectory()) stack.push(path);
      else if (dirent.isFile() || dirent.isSymbolicLink()) yield* look(directory, path);
    }
  }
}

function list(directory: string, path: BytePath): Dirent<Buffer>[] | 'gone' | 'unreadable' {
  try {
    return readdirSync(fsPath(directory, path), { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    return hasCode(error, 'EACCES', 'EPERM') ? 'unreadable' : gone(error);
  }
}

function look(directory: string, path: BytePath): FoundFile[] {
  const at = fsPath(directory, path);
  const stats = lstatSync(at, { bigint: true, throwIfNoEntry: false });
  if (stats?.isSymbolicLink()) {
    const target = targetOf(at);
    return target === 'gone' ? [] : [{ path, bytes: 0, executable: false, stamp: `link ${target}`, target }];
  }
  return stats?.isFile() ? [{ path, bytes: Number(stats.size), executable: (stats.mode & 0o111n) !== 0n, stamp: stampOf(stats) }] : [];
}

/** The time of change of the inode cannot be set by programs, unlike that of the content. */
function stampOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function targetOf(at: string | Buffer): BytePath {
  try {
    return readlinkSync(at, 'buffer').toString('latin1');
  } catch (error) {
    return gone(error);
  }
}

/** Processes that the job left behind may still be at work. */
function gone(error: unknown): 'gone' {
  if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return 'gone';
  throw error;
}

function nameOf(name: Buffer): string {
  return name.toString('latin1');
}
