import { closeSync, createReadStream, fstatSync, openSync, readSync, type ReadStream } from 'node:fs';
import * as v from 'valibot';

/**
 * One file per object: its bytes, then its record as JSON, then the record's length (4 bytes, little endian)
 * and a magic. With one file there is one rename, so an object is there whole or not at all, and a file that
 * was cut short shows it by its end.
 */
const MAGIC = Buffer.from('RWCOBJ01');
const TAIL_BYTES = 4 + MAGIC.byteLength;
/** Enough for nearly every record, so that the footer is one read. */
const GUESS_BYTES = 4096;
/** Larger pieces of a file are streamed. */
const IN_MEMORY_BYTES = 256 * 1024;

/** What follows the bytes. */
export function footerOf(record: object): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.byteLength);
  return Buffer.concat([json, length, MAGIC]);
}

/** The record of a file; `undefined` when the file is damaged or not one of ours. */
export function readRecord<const S extends v.GenericSchema<unknown, { bytes: number }>>(
  path: string,
  schema: S,
): v.InferOutput<S> | undefined {
  const fd = openSync(path, 'r');
  try {
    const size = fstatSync(fd).size;
    const json = readFooter(fd, size);
    if (!json) return undefined;
    const result = v.safeParse(schema, parseJson(json.toString('utf8')));
    return result.success && result.output.bytes + json.byteLength + TAIL_BYTES === size ? result.output : undefined;
  } finally {
    closeSync(fd);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readFooter(fd: number, size: number): Buffer | undefined {
  const end = readAt(fd, Math.max(0, size - GUESS_BYTES), Math.min(size, GUESS_BYTES));
  const tail = end.subarray(-TAIL_BYTES);
  if (tail.byteLength < TAIL_BYTES || !tail.subarray(4).equals(MAGIC)) return undefined;
  const length = tail.readUInt32LE();
  if (length + TAIL_BYTES > size) return undefined;
  return readAt(fd, size - TAIL_BYTES - length, length);
}

function readAt(fd: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const read = readSync(fd, bytes, done, length - done, start + done);
    if (read === 0) throw new Error('a file of the local cloud became shorter while it was read');
    done += read;
  }
  return bytes;
}

/**
 * Bytes `start` to `end` (exclusive) of an object. The file is opened at once, in the tick of the look-up:
 * what replaces the object later does not touch this answer.
 */
export function openBytes(path: string, start: number, end: number): Buffer | ReadStream {
  const fd = openSync(path, 'r');
  if (end - start > IN_MEMORY_BYTES) return createReadStream(path, { fd, start, end: end - 1, highWaterMark: IN_MEMORY_BYTES });
  try {
    return readAt(fd, start, end - start);
  } finally {
    closeSync(fd);
  }
}
