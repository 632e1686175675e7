import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { RawcloudError } from '../contract';
import type { PackedPlace } from '../contract';

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);

/** zlib takes no less. */
const LEAST_ROOM = 64;
/** Twice what is ever compressed as one: lengths of manifests that others made are not believed before the bytes are there. */
const MOST_ROOM = 8 * 2 ** 20;

export interface EncodedBlob {
  readonly stored: Uint8Array;
  readonly encoding: PackedPlace['encoding'];
}

/** Shorter content is stored as it is: the pack's own index costs more. */
const LEAST_BYTES = 128;

/** Enough to tell: of 1024 random bytes the entropy is seen as 7.8. */
const SAMPLE_BYTES = 1024;

/** Bits per byte. What is compressed already has 7.9; text has 5, machine code 6. */
const MOST_ENTROPY = 7.2;

/** It must save a tenth, or the VM inflates for nothing. */
const WORTH = 0.9;

/** zlib's level 1: 140 MB/s on one core, where level 6 has 40 and saves a fifth more. */
const LEVEL = 1;

/** Whether to try and deflate: a sample from the middle tells before any work is done. */
export function mayShrink(bytes: Uint8Array): boolean {
  return bytes.byteLength >= LEAST_BYTES && entropy(sampleOf(bytes)) <= MOST_ENTROPY;
}

/** Deflates (zlib) where it pays. `shrinks`: what {@link mayShrink} has said. */
export async function encodeBlob(bytes: Uint8Array, shrinks = mayShrink(bytes)): Promise<EncodedBlob> {
  if (shrinks) {
    const stored = alone(await deflateAsync(bytes, { level: LEVEL, chunkSize: roomFor(bytes.byteLength) }));
    if (stored.byteLength <= bytes.byteLength * WORTH) return { stored, encoding: 'deflate' };
  }
  return { stored: bytes, encoding: 'raw' };
}

/** @throws E_INTEGRITY when it does not inflate to `bytes` bytes */
export async function decodeBlob({ stored, encoding }: EncodedBlob, bytes: number, what: string): Promise<Uint8Array> {
  if (encoding === 'raw') return stored;
  // What was made by others may be made to inflate without end.
  return inflateAsync(stored, { maxOutputLength: Math.max(1, bytes), chunkSize: roomFor(bytes) }).catch((cause: unknown) => {
    throw new RawcloudError('E_INTEGRITY', `${what} is damaged: its ${stored.byteLength} stored bytes do not inflate to ${bytes}`, {
      cause,
    });
  });
}

/**
 * `chunkSize` of zlib for a result of about so many bytes: for each piece of that size the work goes back and forth between two
 * threads, and at the default of 16 KiB that takes as long as the work. A byte more than is needed shows that it was the last.
 */
export function roomFor(bytes: number): number {
  return Math.min(MOST_ROOM, Math.max(LEAST_ROOM, bytes + 1));
}

/** What zlib gives is a piece of the room that it was given, which would stay as long as the piece does. */
export function alone(piece: Uint8Array): Uint8Array {
  return Buffer.from(piece);
}

function sampleOf(bytes: Uint8Array): Uint8Array {
  const start = Math.max(0, (bytes.byteLength - SAMPLE_BYTES) >> 1);
  return bytes.subarray(start, start + SAMPLE_BYTES);
}

/** Shannon's, of single bytes. */
function entropy(sample: Uint8Array): number {
  const { length } = sample;
  const counts = new Uint16Array(256);
  for (let at = 0; at < length; at++) counts[sample[at]!]!++;
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) sum += X_LOG_X[counts[byte]!]!;
  return Math.log2(length) - sum / length;
}

/** x times its logarithm, for how often a byte may stand in a sample. */
const X_LOG_X = Float64Array.from({ length: SAMPLE_BYTES + 1 }, (_, x) => (x === 0 ? 0 : x * Math.log2(x)));
