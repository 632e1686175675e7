/**
 * By what a file is recognised without reading it, as git does: who writes to it changes at least the time of change, which
 * no program can set. Times in nanoseconds since 1970. The device is left out: its number changes when a disk is mounted anew.
 */
export interface FileStamp {
  readonly inode: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** From what `stat` tells with `bigint: true`. */
export function stampOf(stats: { ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint }): FileStamp {
  return { inode: stats.ino, size: stats.size, mtimeNs: stats.mtimeNs, ctimeNs: stats.ctimeNs };
}

export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.ctimeNs === b.ctimeNs && a.mtimeNs === b.mtimeNs && a.size === b.size && a.inode === b.inode;
}
