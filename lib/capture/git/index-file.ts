import { createHash } from 'node:crypto';
import { TrackedNames } from './tracked-names';

/*
 * Git's index, as far as the names in it go. Source: gitformat-index(5). To start git and have it list them costs as much as a
 * walk over thousands of files. What this reader does not know for certain it refuses, and git is asked: split and sparse
 * indexes and whatever else comes as an extension that must be understood, repositories of SHA-256, and files that were
 * written without a checksum (index.skipHash).
 */

/** Signature, version, number of entries. */
const HEADER_BYTES = 12;
const SHA1_BYTES = 20;
/** Ten numbers of `stat`, the hash of the content, flags; the name follows. */
const ENTRY_BYTES = 40 + SHA1_BYTES + 2;
const FLAGS_AT = ENTRY_BYTES - 2;

/** Two more bytes of flags follow. */
const EXTENDED = 0x4000;
/** Entries of versions 2 and 3 are padded to a multiple of this, by at least one zero byte. */
const PADDING = 8;

/** @returns undefined for what this reader does not know, or is damaged */
export function readIndex(file: Buffer): TrackedNames | undefined {
  const end = file.byteLength - SHA1_BYTES;
  if (end < HEADER_BYTES || file.toString('latin1', 0, 4) !== 'DIRC') return undefined;
  const version = file.readUInt32BE(4);
  if (version < 2 || version > 4 || !isWhole(file, end)) return undefined;
  const names = version === 4 ? new PrefixedNames(file, end) : new PaddedNames(file, end);
  const count = file.readUInt32BE(8);
  let at = HEADER_BYTES;
  for (let row = 0; row < count; row++) {
    if (at + ENTRY_BYTES > end) return undefined;
    const extended = (file[at + FLAGS_AT]! << 8) & EXTENDED;
    at = names.add(at, at + ENTRY_BYTES + (extended ? 2 : 0));
    if (at < 0) return undefined;
  }
  return areOptional(file, at, end) ? names.names() : undefined;
}

function isWhole(file: Buffer, end: number): boolean {
  return createHash('sha1').update(file.subarray(0, end)).digest().equals(file.subarray(end));
}

/** Extensions whose name begins with a capital may be passed over. */
function areOptional(file: Buffer, from: number, end: number): boolean {
  let at = from;
  while (at + 8 <= end) {
    if (!/^[A-Z]/.test(file.toString('latin1', at, at + 1))) return false;
    at += 8 + file.readUInt32BE(at + 4);
  }
  return at === end;
}

/** Names of versions 2 and 3: they stay where they are. */
class PaddedNames {
  readonly #ends: number[] = [];

  constructor(
    private readonly file: Buffer,
    private readonly end: number,
  ) {}

  /** Of the entry at `entry`. @returns where the next one begins, -1 when there is no end to it */
  add(entry: number, start: number): number {
    const end = this.file.indexOf(0, start);
    if (end < 0 || end >= this.end) return -1;
    this.#ends.push(start, end);
    return end + PADDING - ((end - entry) % PADDING);
  }

  names(): TrackedNames {
    return new TrackedNames(this.file, this.#ends);
  }
}

/** Names of version 4: each says how much of the one before it is to be replaced by what. */
class PrefixedNames {
  readonly #ends: number[] = [];
  #names = Buffer.allocUnsafe(4096);
  #start = 0;
  #length = 0;

  constructor(
    private readonly file: Buffer,
    private readonly end: number,
  ) {}

  add(_entry: number, at: number): number {
    const { value: dropped, end: start } = this.#number(at);
    const end = this.file.indexOf(0, start);
    const kept = this.#length - dropped;
    if (end < 0 || end >= this.end || kept < 0) return -1;
    const next = this.#start + this.#length;
    this.#makeRoom(next + kept + end - start);
    this.#names.copyWithin(next, this.#start, this.#start + kept);
    this.file.copy(this.#names, next + kept, start, end);
    this.#start = next;
    this.#length = kept + end - start;
    this.#ends.push(next, next + this.#length);
    return end + 1;
  }

  names(): TrackedNames {
    return new TrackedNames(this.#names, this.#ends);
  }

  /** Seven bits a byte, the highest first; each further byte adds one, so that no number has two forms. */
  #number(at: number): { value: number; end: number } {
    let byte = this.file[at]!;
    let value = byte & 0x7f;
    let end = at + 1;
    for (; byte & 0x80 && end < this.end; end++) {
      byte = this.file[end]!;
      value = (value + 1) * 128 + (byte & 0x7f);
    }
    return { value, end };
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#names.byteLength) return;
    const larger = Buffer.allocUnsafe(2 * bytes);
    this.#names.copy(larger);
    this.#names = larger;
  }
}
