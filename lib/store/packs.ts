import { RawcloudError } from '../contract';
import type { PackedPlace } from '../contract';
import type { EncodedBlob } from './compress';
import { sha256Of } from './sha256';

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
export interface PackedBlob extends Omit<PackedPlace, 'pack'> {
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

/**
 * Larger ones lie in several objects of this length, each stored under the hash of its bytes: what has arrived of a file is not
 * sent again, and is fetched and checked by itself.
 */
export const PART_BYTES = 8 * 2 ** 20;

/** A pack is closed once it has this many bytes. */
export const PACK_BYTES = 16 * 2 ** 20;

/** Index entries have about 100 bytes: at most 10 MB of them. */
const MAX_BLOBS = 100_000;

const MAGIC = Buffer.from('rawcloud-pack/1\n');
export const FOOTER_BYTES = 8 + MAGIC.byteLength;

/** Room for the blob that makes a pack full, and for an index of some 40,000. */
const ROOM_BYTES = PACK_BYTES + SMALL_BLOB_BYTES + 4 * 2 ** 20;

/** Collects blobs of one pack in memory of its own, or in that of a pack that is no longer needed. */
export class PackWriter {
  #memory: Buffer;
  readonly #blobs: PackedBlob[] = [];
  #offset = 0;

  /** What is not written to takes no memory, however much room there is. */
  constructor(memory: Buffer = Buffer.allocUnsafeSlow(ROOM_BYTES)) {
    this.#memory = memory;
  }

  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }

  get isFull(): boolean {
    return this.#offset >= PACK_BYTES || this.#blobs.length >= MAX_BLOBS;
  }

  /** Takes a copy of `stored`. */
  add(blob: { readonly sha256: string; readonly bytes: number }, { stored, encoding }: EncodedBlob): void {
    this.#blobs.push({ sha256: blob.sha256, offset: this.#offset, length: stored.byteLength, encoding, bytes: blob.bytes });
    this.#append(stored);
  }

  /** Its bytes lie in `memory`. */
  finish(): Pack & { readonly memory: Buffer } {
    const index = Buffer.from(JSON.stringify({ v: 1, blobs: this.#blobs.map(toRow) }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(index.byteLength));
    for (const part of [index, length, MAGIC]) this.#append(part);
    const bytes = this.#memory.subarray(0, this.#offset);
    return { sha256: sha256Of(bytes), bytes, blobs: this.#blobs, memory: this.#memory };
  }

  #append(part: Uint8Array): void {
    const end = this.#offset + part.byteLength;
    if (end > this.#memory.byteLength) {
      const larger = Buffer.allocUnsafeSlow(end + ROOM_BYTES);
      larger.set(this.#memory.subarray(0, this.#offset));
      this.#memory = larger;
    }
    this.#memory.set(part, this.#offset);
    this.#offset = end;
  }
}

type Row = [sha256: string, offset: number, length: number, encoding: PackedPlace['encoding'], bytes: number];

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
