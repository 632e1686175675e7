import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FILE_MARKS, fsPath, hasCode, RawcloudError, sameStamp, showPath, stampOf } from '../../contract';
import { CHUNK_BYTES, WHOLE_FILE_BYTES } from './layout';
import type { KeptFile } from './snapshot';

/** Content of one chunk. */
export interface RawChunk {
  readonly bytes: Buffer;
}

/** Neither follow a link that has taken the file's place, nor wait for the writer of a pipe. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What is looked at to tell text from the rest. */
const SAMPLE_BYTES = 1024;

/**
 * Reads files into chunks, as they were when the snapshot was taken.
 * @param onFile told of each file's marks, in order, no later than the chunk with its last byte is given
 * @throws E_FILE_CHANGED when one is no longer what it was
 */
export function* readChunks(
  directory: string,
  files: readonly KeptFile[],
  onFile: (file: KeptFile, marks: number) => void,
): Generator<RawChunk> {
  const name = Buffer.from(directory);
  let room = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let used = 0;
  const close = (): RawChunk => {
    const bytes = room.subarray(0, used);
    room = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    used = 0;
    return { bytes };
  };
  for (const file of files) {
    const { size } = file.stamp;
    const isWhole = size <= WHOLE_FILE_BYTES;
    if (isWhole && used + size > CHUNK_BYTES) yield close();
    const descriptor = openKept(directory, file);
    let marks = file.executable ? FILE_MARKS.executable : 0;
    try {
      for (let left = size; left > 0;) {
        const length = Math.min(left, CHUNK_BYTES - used);
        if (readFully(descriptor, room.subarray(used, used + length)) !== length) throw changed(file);
        if (isWhole && namesDirectory(room.subarray(used, used + length), name)) marks |= FILE_MARKS.namesDirectory;
        used += length;
        left -= length;
        if (left === 0) mustBeSame(descriptor, file);
        if (left === 0) onFile(file, marks);
        if (used === CHUNK_BYTES) yield close();
      }
      if (size === 0) onFile(file, marks);
    } finally {
      closeSync(descriptor);
    }
  }
  if (used > 0) yield close();
}

function openKept(directory: string, file: KeptFile): number {
  let descriptor: number;
  try {
    descriptor = openSync(fsPath(directory, file.path), FLAGS);
  } catch (error) {
    throw hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO') ? changed(file) : error;
  }
  try {
    mustBeSame(descriptor, file);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return descriptor;
}

function mustBeSame(descriptor: number, file: KeptFile): void {
  if (!sameStamp(file.stamp, stampOf(fstatSync(descriptor)))) throw changed(file);
}

function readFully(descriptor: number, into: Buffer): number {
  let length = 0;
  for (let read = -1; read !== 0 && length < into.byteLength; length += read)
    read = readSync(descriptor, into, length, into.byteLength - length, null);
  return length;
}

/** Only in texts: a name in machine code cannot be made longer, and those that are there tell where something was compiled. */
function namesDirectory(bytes: Buffer, name: Buffer): boolean {
  return !bytes.subarray(0, SAMPLE_BYTES).includes(0) && bytes.includes(name) && !bytes.includes(0);
}

function changed({ path }: KeptFile): RawcloudError {
  return new RawcloudError('E_FILE_CHANGED', `${showPath(path)} was changed after it had been installed`);
}
