import { FLAGS, STAMP_NUMBERS } from '../../../capture/entries';

/** What a tree was made of when it was last synchronized, an array for each column: 100,000 files in 10 MB. */
export interface Columns {
  readonly rows: number;
  /** Paths in byte order, each ended by a zero byte: one text, for to make 100,000 of it takes longer than to compare them. */
  readonly paths: string;
  /** As in a walk, and {@link SETTLED}. */
  readonly flags: Uint8Array;
  /** Four numbers an entry: inode, size, mtime, ctime (milliseconds since 1970). Zeros for what is no file. */
  readonly stamps: Float64Array;
  /** 32 bytes an entry: of a file's content or a link's target. Zeros for directories. */
  readonly hashes: Buffer;
}

export const HASH_BYTES = 32;

/** Flag: the stamp of a file will tell whether it changes. */
export const SETTLED = 8;

/** Bits of flags that a manifest tells of. */
export const SHOWN = FLAGS.type | FLAGS.executable;

export function emptyColumns(rows: number, paths: string): Columns {
  return {
    rows,
    paths,
    flags: new Uint8Array(rows),
    stamps: new Float64Array(rows * STAMP_NUMBERS),
    hashes: Buffer.alloc(rows * HASH_BYTES),
  };
}

/** Columns that can be written to without a change of these. */
export function copyOf({ rows, paths, flags, stamps, hashes }: Columns): Columns {
  return { rows, paths, flags: Uint8Array.from(flags), stamps: stamps.slice(), hashes: Buffer.from(hashes) };
}

/** Whether a row is a file whose stamp can be relied on. */
export function isSettledFile({ flags }: Columns, row: number): boolean {
  return (flags[row]! & (FLAGS.type | SETTLED)) === (FLAGS.file | SETTLED);
}
