import { closeSync, constants, copyFileSync, lstatSync, mkdirSync, openSync, readSync, symlinkSync, writeSync } from 'node:fs';
import { fsPath, hasCode, parentOf, RawcloudError, showPath } from '../contract';
import type { BytePath } from '../contract';
import { sha256Of } from './sha256';

/** A file that takes a link's name must not be written where the link leads. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/**
 * Writes below one directory and nowhere else: no part of a path may be a link, neither one of the manifest (those come
 * last) nor one that was there. Synchronous, for that is several times faster for many small files; callers give way.
 */
export class TreeWriter {
  readonly #made = new Set<BytePath>(['']);

  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true });
  }

  makeDirectory(path: BytePath): void {
    if (this.#made.has(path)) return;
    this.makeDirectory(parentOf(path));
    const at = fsPath(this.directory, path);
    try {
      mkdirSync(at);
    } catch (error) {
      if (hasCode(error, 'ENOSPC', 'EDQUOT')) throw error;
      if (!hasCode(error, 'EEXIST') || !lstatSync(at).isDirectory()) throw inTheWay(path, error);
    }
    this.#made.add(path);
  }

  writeFile({ path, executable }: { readonly path: BytePath; readonly executable: boolean }, bytes: Uint8Array): void {
    const descriptor = this.open(path, executable);
    try {
      writeFully(descriptor, bytes);
    } finally {
      closeSync(descriptor);
    }
  }

  /** For content that comes in pieces. `keep`: other pieces may be there already. */
  open(path: BytePath, executable: boolean, keep = false): number {
    this.makeDirectory(parentOf(path));
    try {
      return openSync(fsPath(this.directory, path), keep ? FLAGS & ~constants.O_TRUNC : FLAGS, executable ? 0o755 : 0o644);
    } catch (error) {
      throw hasCode(error, 'ELOOP', 'EISDIR') ? inTheWay(path, error) : error;
    }
  }

  copyFile(from: BytePath, to: { readonly path: BytePath; readonly executable: boolean }): void {
    closeSync(this.open(to.path, to.executable));
    // Shares the bytes where the file system can. The mode is that of the file that is there.
    copyFileSync(fsPath(this.directory, from), fsPath(this.directory, to.path), constants.COPYFILE_FICLONE);
  }

  link(path: BytePath, target: BytePath): void {
    this.makeDirectory(parentOf(path));
    try {
      symlinkSync(/^[\x00-\x7f]*$/.test(target) ? target : Buffer.from(target, 'latin1'), fsPath(this.directory, path));
    } catch (error) {
      throw hasCode(error, 'EEXIST') ? inTheWay(path, error) : error;
    }
  }
}

/** A write may take less than it is given. */
export function writeFully(descriptor: number, bytes: Uint8Array, at: number | null = null): void {
  for (let written = 0; written < bytes.byteLength;)
    written += writeSync(descriptor, bytes, written, bytes.byteLength - written, at === null ? null : at + written);
}

/** Whether a file has these bytes at this place: what an earlier try has written of it. */
export function holdsBytes(
  file: string | Buffer,
  { at, start, end }: { readonly at: number; readonly start: number; readonly end: number },
  sha256: string,
): boolean {
  const descriptor = openIfThere(file);
  if (descriptor === undefined) return false;
  try {
    const bytes = Buffer.allocUnsafeSlow(end - start);
    return readSync(descriptor, bytes, 0, bytes.byteLength, at) === bytes.byteLength && sha256Of(bytes) === sha256;
  } finally {
    closeSync(descriptor);
  }
}

function openIfThere(file: string | Buffer): number | undefined {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

function inTheWay(path: BytePath, cause: unknown): RawcloudError {
  return new RawcloudError('E_INTEGRITY', `cannot write ${showPath(path)}: something else is there, as a link that could lead elsewhere`, {
    cause,
  });
}
