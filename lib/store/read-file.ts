import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { hasCode, RawcloudError, sameStamp, stampOf } from '../contract';
import type { FileStamp } from '../contract';
import { PART_BYTES, SMALL_BLOB_BYTES } from './packs';
import { sha256Of } from './sha256';

/*
 * Files that others may write to while we read. What is read counts only when size and times were the same before
 * and after; the hash is always that of the bytes that were read.
 */

/** 'large': {@link SMALL_BLOB_BYTES} or more. 'gone': it is no longer there, or no longer a file. */
export type SmallFile =
  | { readonly kind: 'read'; readonly bytes: Uint8Array; readonly sha256: string; readonly stamp: FileStamp }
  | { readonly kind: 'large' | 'gone' };

/** A file that grows all the time is not waited for. */
const TRIES = 4;

/** Neither follow a link that has taken the file's place, nor wait for the writer of a pipe. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Some of them are a part. */
const CHUNK_BYTES = 2 ** 20;

/** One byte more than the longest small file has: see below. */
export const SMALL_FILE_ROOM = SMALL_BLOB_BYTES + 1;

/**
 * Reads a small file. Synchronous: for many small files that is four times faster; callers give way between files.
 * `room`: memory of {@link SMALL_FILE_ROOM} bytes to read it into. @default - each file has its own
 * @throws E_FILE_CHANGED when it keeps changing; E_USAGE when it cannot be read
 */
export function readSmallFile(file: string | Buffer, name: string, room?: Buffer): SmallFile {
  for (let tries = 0; tries < TRIES; tries++) {
    const found = readOnce(file, name, room);
    if (found !== 'changed') return found;
  }
  throw fileChanged(name);
}

function readOnce(file: string | Buffer, name: string, room: Buffer | undefined): SmallFile | 'changed' {
  const descriptor = openOrGone(file, name);
  if (descriptor === undefined) return { kind: 'gone' };
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return { kind: 'gone' };
    if (stats.size >= SMALL_BLOB_BYTES) return { kind: 'large' };
    const stamp = stampOf(stats);
    const { size } = stats;
    // One byte more, to see whether it has grown.
    const buffer = room?.subarray(0, size + 1) ?? Buffer.allocUnsafeSlow(size + 1);
    const length = readFully(descriptor, buffer, size);
    if (length !== size || !sameStamp(stamp, stampOf(fstatSync(descriptor)))) return 'changed';
    const bytes = buffer.subarray(0, length);
    return { kind: 'read', bytes, sha256: sha256Of(bytes), stamp };
  } finally {
    closeSync(descriptor);
  }
}

function openOrGone(file: string | Buffer, name: string): number | undefined {
  try {
    return openSync(file, FLAGS);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unreadable(name, error);
  }
}

/** Until `expected` bytes are there; of a file that has grown one more, and of one that is said to be empty. */
function readFully(descriptor: number, buffer: Buffer, expected: number): number {
  let length = 0;
  let read: number;
  do {
    read = readSync(descriptor, buffer, length, buffer.byteLength - length, null);
    length += read;
  } while (read !== 0 && length < expected);
  return length;
}

/** What was read of a file, and the state it was in before and after. */
export interface HashedContent {
  readonly sha256: string;
  readonly bytes: number;
  readonly stamp: FileStamp;
  /** SHA-256 of each {@link PART_BYTES} of a file that has more. */
  readonly parts?: readonly string[];
}

export interface HashFileOptions {
  readonly signal?: AbortSignal;
  /** Called with the length of what was read since. */
  readonly onRead?: (bytes: number) => void;
}

/**
 * Hash and length of a file of any size, in bounded memory.
 * @returns undefined when it is gone
 * @throws E_FILE_CHANGED, E_USAGE
 */
export async function hashFile(file: string | Buffer, name: string, options: HashFileOptions = {}): Promise<HashedContent | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      return await hashOnce(file, name, options);
    } catch (error) {
      if (isGone(error)) return undefined;
      if (!hasCode(error, 'E_FILE_CHANGED')) throw error;
    }
  }
  throw fileChanged(name);
}

async function hashOnce(file: string | Buffer, name: string, { signal, onRead }: HashFileOptions): Promise<HashedContent | undefined> {
  const hash = new PartedHash();
  let stamp: FileStamp | undefined;
  for await (const chunk of fileChunks(file, name, (found) => (stamp = found))) {
    signal?.throwIfAborted();
    hash.update(chunk);
    onRead?.(chunk.byteLength);
  }
  return stamp && { ...hash.digest(), bytes: stamp.size, stamp };
}

/** Of all bytes, and of those of each part. */
class PartedHash {
  readonly #whole = createHash('sha256');
  readonly #parts: string[] = [];
  #part = createHash('sha256');
  #length = 0;

  /** A part is a whole number of chunks. */
  update(chunk: Uint8Array): void {
    this.#whole.update(chunk);
    this.#part.update(chunk);
    this.#length += chunk.byteLength;
    if (this.#length < PART_BYTES) return;
    this.#parts.push(this.#part.digest('hex'));
    this.#part = createHash('sha256');
    this.#length = 0;
  }

  digest(): Pick<HashedContent, 'sha256' | 'parts'> {
    if (this.#length > 0) this.#parts.push(this.#part.digest('hex'));
    return { sha256: this.#whole.digest('hex'), ...(this.#parts.length > 1 ? { parts: this.#parts } : {}) };
  }
}

/**
 * Some bytes of a file that must still be what they were.
 * @throws E_FILE_CHANGED when they are not
 */
export async function readPart(
  file: string | Buffer,
  name: string,
  { start, bytes, sha256 }: { readonly start: number; readonly bytes: number; readonly sha256: string },
): Promise<Uint8Array> {
  const handle = await open(file, FLAGS).catch((error: unknown) => {
    throw isGone(error) ? fileChanged(name) : unreadable(name, error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(bytes), 0, bytes, start);
    if (bytesRead === bytes && sha256Of(buffer) === sha256) return buffer;
    throw fileChanged(name);
  } finally {
    await handle.close();
  }
}

/** `onStamp` hears first in which state the file is, or nothing when it is none. @throws E_FILE_CHANGED at its end when that is no longer so */
async function* fileChunks(file: string | Buffer, name: string, onStamp: (stamp: FileStamp) => void): AsyncGenerator<Uint8Array> {
  const handle = await open(file, FLAGS).catch((error: unknown) => {
    throw isGone(error) ? error : unreadable(name, error);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return;
    const stamp = stampOf(stats);
    onStamp(stamp);
    const room = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let length = 0;
    for (;;) {
      const chunk = await fill(handle, room);
      if (chunk.byteLength === 0) break;
      length += chunk.byteLength;
      yield chunk;
    }
    if (length !== stamp.size || !sameStamp(stamp, stampOf(await handle.stat()))) throw fileChanged(name);
  } finally {
    await handle.close();
  }
}

/** The next bytes of a file: less than there is room for only at its end. */
async function fill(handle: FileHandle, room: Buffer): Promise<Buffer> {
  let length = 0;
  for (let read = -1; read !== 0 && length < room.byteLength; length += read)
    read = (await handle.read(room, length, room.byteLength - length, null)).bytesRead;
  return room.subarray(0, length);
}

function isGone(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO');
}

function fileChanged(name: string): RawcloudError {
  return new RawcloudError('E_FILE_CHANGED', `${name} changed each time it was read (${TRIES} times)`, {
    remedy: 'Wait until nothing writes to it, or leave it out with a line in .rawcloudignore.',
    retryable: true,
    data: { path: name },
  });
}

function unreadable(name: string, cause: unknown): RawcloudError {
  const why = hasCode(cause, 'EACCES', 'EPERM') ? 'permission denied' : String(cause);
  return new RawcloudError('E_USAGE', `cannot read ${name}: ${why}`, {
    remedy: 'Make it readable, or leave it out with a line in .rawcloudignore.',
    cause,
  });
}
