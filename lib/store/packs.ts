import { createHash } from 'node:crypto';
import { RawcloudError } from '../contract';
import type { BlobPlace } from '../contract';
import type { EncodedBlob } from './compress';

/*
 * A pack is many small blobs in one object:
 *
 *   stored bytes of each blob, one after the other
 *   index: JSON, { v: 1, blobs: [[sha256, offset, length, encoding, bytes], …] }
 *   footer: 8 bytes length of the index (big endian), 16 bytes magic
 *
 * so that its last bytes explain it. It is stored under the SHA-256 of all of it. The same blobs in the same order give the
 * same pack. Manifests say where each blob lies, so the index is read only by clients that have lost their cache.
 */

/** One blob of a pack; `bytes` is the length of its content, `length` that of what is stored. */
export interface PackedBlob extends Omit<BlobPlace, 'pack'> {
  readonly sha256: string;
  readonly bytes: number;
}

export interface Pack {
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly blobs: readonly PackedBlob[];
}

/** Larger blobs are objects of their own. */
export const SMALL_BLOB_BYTES = 4 * 2 ** 20;

/** A pack is closed once it has this many bytes. */
export const PACK_BYTES = 16 * 2 ** 20;

/** Index entries have about 100 bytes: at most 10 MB of them. */
const MAX_BLOBS = 100_000;

const MAGIC = Buffer.from('rawcloud-pack/1\n');
export const FOOTER_BYTES = 8 + MAGIC.byteLength;

/** Collects blobs of one pack. */
export class PackWriter {
  readonly #parts: Uint8Array[] = [];
  readonly #blobs: PackedBlob[] = [];
  #offset = 0;

  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }

  get isFull(): boolean {
    return this.#offset >= PACK_BYTES || this.#blobs.length >= MAX_BLOBS;
  }

  add(blob: { readonly sha256: string; readonly bytes: number }, { stored, encoding }: EncodedBlob): void {
    this.#blobs.push({ sha256: blob.sha256, offset: this.#offset, length: stored.byteLength, encoding, bytes: blob.bytes });
    this.#parts.push(stored);
    this.#offset += stored.byteLength;
  }

  finish(): Pack {
    const index = Buffer.from(JSON.stringify({ v: 1, blobs: this.#blobs.map(toRow) }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(index.byteLength));
    const bytes = Buffer.concat([...this.#parts, index, length, MAGIC]);
    return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes, blobs: this.#blobs };
  }
}

type Row = [sha256: string, offset: number, length: number, encoding: BlobPlace['encoding'], bytes: number];

/** A blob as a line of an index. */
export function toRow({ sha256, offset, length, encoding, bytes }: PackedBlob): Row {
  return [sha256, offset, length, encoding, bytes];
}

/** @returns undefined when it is none */
export function fromRow(row: unknown): PackedBlob | undefined {
  if (!Array.isArray(row) || row.length !== 5) return undefined;
  const [sha256, offset, length, encoding, bytes] = row as unknown[];
  if (typeof sha256 !== 'string' || !isCount(offset) || !isCount(length) || !isCount(bytes)) return undefined;
  if (encoding !== 'raw' && encoding !== 'deflate') return undefined;
  return { sha256, offset, length, encoding, bytes };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** What the last bytes of an object tell. 'more': the index is longer; read the last `bytes` bytes. */
export type PackTail =
  | { readonly kind: 'pack'; readonly blobs: readonly PackedBlob[] }
  | { readonly kind: 'more'; readonly bytes: number }
  | { readonly kind: 'other' };

/**
 * Reads the index of a pack from its last bytes.
 * @returns 'other' for what is no pack
 * @throws E_INTEGRITY when it ends like a pack, but its index is damaged
 */
export function readPackTail(tail: Uint8Array): PackTail {
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength);
  if (bytes.byteLength < FOOTER_BYTES || !bytes.subarray(-MAGIC.byteLength).equals(MAGIC)) return { kind: 'other' };
  const length = Number(bytes.readBigUInt64BE(bytes.byteLength - FOOTER_BYTES));
  if (length > bytes.byteLength - FOOTER_BYTES) return { kind: 'more', bytes: length + FOOTER_BYTES };
  const blobs = parseIndex(bytes.subarray(-FOOTER_BYTES - length, -FOOTER_BYTES).toString('utf8'));
  if (!blobs) throw new RawcloudError('E_INTEGRITY', `the index of a pack is damaged (${length} bytes)`);
  return { kind: 'pack', blobs };
}

function parseIndex(text: string): PackedBlob[] | undefined {
  try {
    const index: unknown = JSON.parse(text);
    if (typeof index !== 'object' || index === null || !('blobs' in index) || !Array.isArray(index.blobs)) return undefined;
    const blobs = index.blobs.map(fromRow);
    return blobs.every((blob) => blob !== undefined) ? blobs : undefined;
  } catch {
    return undefined;
  }
}
