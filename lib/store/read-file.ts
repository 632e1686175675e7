import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { hasCode, RawcloudError } from '../contract';
import { SMALL_BLOB_BYTES } from './packs';
import { sha256Of } from './sha256';

/*
 * Files that others may write to while we read. What is read counts only when size and time of change were the same before
 * and after; the hash is always that of the bytes that were read.
 */

/** 'large': {@link SMALL_BLOB_BYTES} or more. 'gone': it is no longer there, or no longer a file. */
export type SmallFile =
  { readonly kind: 'read'; readonly bytes: Uint8Array; readonly sha256: string } | { readonly kind: 'large' | 'gone' };

/** A file that grows all the time is not waited for. */
const TRIES = 4;

/** Neither follow a link that has taken the file's place, nor wait for the writer of a pipe. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const CHUNK_BYTES = 2 ** 20;

/**
 * Reads a small file. Synchronous: for many small files that is four times faster; callers give way between files.
 * @throws E_FILE_CHANGED when it keeps changing; E_USAGE when it cannot be read
 */
export function readSmallFile(file: string | Buffer, name: string): SmallFile {
  for (let tries = 0; tries < TRIES; tries++) {
    const found = readOnce(file, name);
    if (found !== 'changed') return found;
  }
  throw fileChanged(name);
}

function readOnce(file: string | Buffer, name: string): SmallFile | 'changed' {
  const descriptor = openOrGone(file, name);
  if (descriptor === undefined) return { kind: 'gone' };
  try {
    const before = fstatSync(descriptor);
    if (!before.isFile()) return { kind: 'gone' };
    if (before.size >= SMALL_BLOB_BYTES) return { kind: 'large' };
    // One byte more, to see whether it has grown.
    const buffer = Buffer.allocUnsafeSlow(before.size + 1);
    const length = readFully(descriptor, buffer);
    if (length !== before.size || !sameState(before, fstatSync(descriptor))) return 'changed';
    const bytes = buffer.subarray(0, length);
    return { kind: 'read', bytes, sha256: sha256Of(bytes) };
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

function readFully(descriptor: number, buffer: Buffer): number {
  let length = 0;
  for (let read = -1; read !== 0 && length < buffer.byteLength; length += read)
    read = readSync(descriptor, buffer, length, buffer.byteLength - length, null);
  return length;
}

/**
 * Hash and length of a file of any size, in bounded memory.
 * @returns undefined when it is gone
 * @throws E_FILE_CHANGED, E_USAGE
 */
export async function hashFile(
  file: string | Buffer,
  name: string,
  signal?: AbortSignal,
): Promise<{ sha256: string; bytes: number } | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const hash = createHash('sha256');
    let bytes = 0;
    let changed = false;
    try {
      for await (const chunk of fileChunks(file, name)) {
        signal?.throwIfAborted();
        hash.update(chunk);
        bytes += chunk.byteLength;
      }
    } catch (error) {
      if (isGone(error)) return undefined;
      changed = hasCode(error, 'E_FILE_CHANGED');
      if (!changed) throw error;
    }
    if (!changed) return { sha256: hash.digest('hex'), bytes };
  }
  throw fileChanged(name);
}

/** Content of a file that must still be what it was. @throws E_FILE_CHANGED at its end when it is not */
export async function* verifiedFile(file: string | Buffer, name: string, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of fileChunks(file, name)) {
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw isGone(error) ? fileChanged(name) : error;
  }
  if (hash.digest('hex') !== sha256) throw fileChanged(name);
}

async function* fileChunks(file: string | Buffer, name: string): AsyncGenerator<Uint8Array> {
  const handle = await open(file, FLAGS).catch((error: unknown) => {
    throw isGone(error) ? error : unreadable(name, error);
  });
  try {
    const before = await handle.stat();
    for (;;) {
      // A chunk belongs to its consumer, so each has memory of its own.
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES, null);
      if (bytesRead === 0) break;
      yield buffer.subarray(0, bytesRead);
    }
    if (!sameState(before, await handle.stat())) throw fileChanged(name);
  } finally {
    await handle.close();
  }
}

function sameState(before: Stats, after: Stats): boolean {
  return before.size === after.size && before.mtimeMs === after.mtimeMs;
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
