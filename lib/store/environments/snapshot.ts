import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { fsPath, stampOf } from '../../contract';
import type { BytePath, FileStamp } from '../../contract';

/** A file as it was, and what tells whether it still is. */
export interface KeptFile {
  readonly path: BytePath;
  readonly executable: boolean;
  readonly stamp: FileStamp;
}

/** What a directory held at one moment, in byte order of the paths; nothing has been read. */
export interface Snapshot {
  readonly directory: string;
  readonly files: readonly KeptFile[];
  readonly links: readonly { readonly path: BytePath; readonly target: BytePath }[];
  /** Empty ones. */
  readonly directories: readonly BytePath[];
  /** The last change of a file, milliseconds since 1970. */
  readonly changedMs: number;
}

/**
 * Looks at everything below a directory but what is not kept; 100 ms for 20,000 files. Whoever reads the files later can tell
 * whether they are what they were: no program can set the time of change.
 */
export function takeSnapshot(directory: string, isKept: (path: string) => boolean): Snapshot {
  const taken: Mutable<Snapshot> = { directory, files: [], links: [], directories: [], changedMs: 0 };
  look('', isKept, taken);
  return taken;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** @returns whether there was anything */
function look(at: BytePath, isKept: (path: string) => boolean, taken: Mutable<Snapshot>): boolean {
  const names = readdirSync(fsPath(taken.directory, at), { encoding: 'latin1' }).sort();
  let isSomething = false;
  for (const name of names) {
    const path = at === '' ? name : `${at}/${name}`;
    if (!isKept(path)) continue;
    isSomething = true;
    const file = fsPath(taken.directory, path);
    const stats = lstatSync(file);
    if (stats.isDirectory()) {
      if (!look(path, isKept, taken)) taken.directories.push(path);
    } else if (stats.isSymbolicLink()) {
      taken.links.push({ path, target: readlinkSync(file, 'latin1') });
    } else if (stats.isFile()) {
      taken.files.push({ path, executable: (stats.mode & 0o100) !== 0, stamp: stampOf(stats) });
      taken.changedMs = Math.max(taken.changedMs, stats.ctimeMs);
    }
  }
  return isSomething;
}
