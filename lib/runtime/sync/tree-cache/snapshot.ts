import type { WalkEntry } from '../../../capture/walk';
import { sameStamp } from '../../../contract';
import type { BytePath, FileStamp } from '../../../contract';
import { sha256Of } from '../../../store/sha256';

/** What a tree was made of when it was last synchronized, an array for each column: 100,000 files in 10 MB. */
export interface Columns {
  /** In byte order. */
  readonly paths: readonly BytePath[];
  readonly flags: Uint8Array;
  /** Four numbers an entry: inode, size, mtime, ctime (nanoseconds since 1970). Zeros for what is no file. */
  readonly stamps: BigInt64Array;
  /** 32 bytes an entry: of a file's content or a link's target. Zeros for directories. */
  readonly hashes: Buffer;
}

/** An entry as it is now; `settled`: its stamp will tell whether it changes. */
export interface SnapshotEntry {
  readonly entry: WalkEntry;
  /** Of a file. */
  readonly sha256?: string;
  readonly stamp?: FileStamp;
  readonly settled?: boolean;
}

export const STAMP_NUMBERS = 4;
export const HASH_BYTES = 32;

/** Bits of a flag byte. */
const TYPES = { file: 1, link: 2, directory: 3 } as const;
const TYPE_MASK = 3;
const EXECUTABLE = 4;
const SETTLED = 8;

export class Snapshot {
  constructor(readonly columns: Columns) {}

  static of(entries: readonly SnapshotEntry[]): Snapshot {
    const stamps = new BigInt64Array(entries.length * STAMP_NUMBERS);
    const hashes = Buffer.alloc(entries.length * HASH_BYTES);
    const flags = new Uint8Array(entries.length);
    entries.forEach((one, row) => {
      flags[row] = flagsOf(one);
      const sha256 = one.entry.type === 'link' ? targetHash(one.entry.target) : one.sha256;
      if (sha256) hashes.write(sha256, row * HASH_BYTES, 'hex');
      if (one.stamp) writeStamp(stamps, row, one.stamp);
    });
    return new Snapshot({ paths: entries.map(({ entry }) => entry.path), flags, stamps, hashes });
  }

  get rows(): number {
    return this.columns.paths.length;
  }

  path(row: number): BytePath {
    return this.columns.paths[row]!;
  }

  /** Hash of a file's content, when its stamp says that it is still the same. */
  knownHash(row: number, entry: WalkEntry): string | undefined {
    const settledFile = TYPES.file | SETTLED;
    if (entry.type !== 'file' || (this.columns.flags[row]! & (TYPE_MASK | SETTLED)) !== settledFile) return undefined;
    return sameStamp(this.#stamp(row), entry.stamp) ? this.#hash(row) : undefined;
  }

  /** Whether a manifest would say the same of both. */
  isSame(row: number, one: SnapshotEntry): boolean {
    if (((this.columns.flags[row]! ^ flagsOf(one)) & (TYPE_MASK | EXECUTABLE)) !== 0) return false;
    if (one.entry.type === 'directory') return true;
    return this.#hash(row) === (one.entry.type === 'link' ? targetHash(one.entry.target) : one.sha256);
  }

  #hash(row: number): string {
    return this.columns.hashes.toString('hex', row * HASH_BYTES, (row + 1) * HASH_BYTES);
  }

  #stamp(row: number): FileStamp {
    const [inode, size, mtimeNs, ctimeNs] = this.columns.stamps.subarray(row * STAMP_NUMBERS);
    return { inode: inode!, size: size!, mtimeNs: mtimeNs!, ctimeNs: ctimeNs! };
  }
}

function flagsOf({ entry, settled }: SnapshotEntry): number {
  return TYPES[entry.type] | (entry.type === 'file' && entry.executable ? EXECUTABLE : 0) | (settled ? SETTLED : 0);
}

function writeStamp(stamps: BigInt64Array, row: number, { inode, size, mtimeNs, ctimeNs }: FileStamp): void {
  stamps.set([BigInt.asIntN(64, inode), size, mtimeNs, ctimeNs], row * STAMP_NUMBERS);
}

function targetHash(target: BytePath): string {
  return sha256Of(Buffer.from(target, 'latin1'));
}
