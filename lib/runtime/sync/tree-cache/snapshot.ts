import type { BytePath, FileStamp } from '../../../contract';

/** What a tree was made of when it was last synchronized, an array for each column: 100,000 files in 10 MB. */
export interface Columns {
  /** In byte order. */
  readonly paths: readonly BytePath[];
  /** {@link FLAGS} of each entry. */
  readonly flags: Uint8Array;
  /** Four numbers an entry: inode, size, mtime, ctime (milliseconds since 1970). Zeros for what is no file. */
  readonly stamps: Float64Array;
  /** 32 bytes an entry: of a file's content or a link's target. Zeros for directories. */
  readonly hashes: Buffer;
}

export const STAMP_NUMBERS = 4;
export const HASH_BYTES = 32;

/** `settled`: the stamp of a file will tell whether it changes. */
export const FLAGS = { file: 1, link: 2, directory: 3, type: 3, executable: 4, settled: 8 } as const;

export function emptyColumns(rows: number): { -readonly [K in keyof Columns]: Columns[K] } {
  return {
    paths: [],
    flags: new Uint8Array(rows),
    stamps: new Float64Array(rows * STAMP_NUMBERS),
    hashes: Buffer.alloc(rows * HASH_BYTES),
  };
}

export function writeStamp(stamps: Float64Array, row: number, { inode, size, mtimeMs, ctimeMs }: FileStamp): void {
  const at = row * STAMP_NUMBERS;
  stamps[at] = inode;
  stamps[at + 1] = size;
  stamps[at + 2] = mtimeMs;
  stamps[at + 3] = ctimeMs;
}

/** Whether `row` is a settled file that has this stamp: then it has the content that it had. */
export function isSameFile({ flags, stamps }: Columns, row: number, stamp: FileStamp): boolean {
  const at = row * STAMP_NUMBERS;
  return (
    (flags[row]! & (FLAGS.type | FLAGS.settled)) === (FLAGS.file | FLAGS.settled) &&
    stamps[at + 3] === stamp.ctimeMs &&
    stamps[at + 2] === stamp.mtimeMs &&
    stamps[at + 1] === stamp.size &&
    stamps[at] === stamp.inode
  );
}

/** Whether two rows' hashes are the same. */
export function sameHash(a: Buffer, rowA: number, b: Buffer, rowB: number): boolean {
  return a.compare(b, rowB * HASH_BYTES, (rowB + 1) * HASH_BYTES, rowA * HASH_BYTES, (rowA + 1) * HASH_BYTES) === 0;
}
