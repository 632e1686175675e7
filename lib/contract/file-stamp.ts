/**
 * By what a file is recognised without reading it, as git does: who writes to it changes at least the time of change, which
 * no program can set. Times in milliseconds since 1970, inode and size: all as `stat` gives them in doubles. A double holds
 * today's times to a quarter of a microsecond, which is finer than the ticks of most file systems' clocks, and who trusts a
 * stamp waits seconds until it is settled; of inodes above 2^53 the last bits are lost. `bigint` would take twice the time and
 * memory for it. The device is left out: its number changes when a disk is mounted anew.
 */
export interface FileStamp {
  readonly inode: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** From what `stat` tells. */
export function stampOf(stats: { ino: number; size: number; mtimeMs: number; ctimeMs: number }): FileStamp {
  return { inode: stats.ino, size: stats.size, mtimeMs: stats.mtimeMs, ctimeMs: stats.ctimeMs };
}

export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.ctimeMs === b.ctimeMs && a.mtimeMs === b.mtimeMs && a.size === b.size && a.inode === b.inode;
}
