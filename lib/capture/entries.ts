import type { BytePath, FileStamp } from '../contract';

/** One thing that travels. Directories only where nothing else in the walk implies them. */
export type WalkEntry =
  | { readonly type: 'file'; readonly path: BytePath; readonly bytes: number; readonly executable: boolean; readonly stamp: FileStamp }
  | { readonly type: 'link'; readonly path: BytePath; readonly target: BytePath }
  | { readonly type: 'directory'; readonly path: BytePath };

export type WalkedFile = Extract<WalkEntry, { type: 'file' }>;

/** Of an entry's byte of flags: its type in two bits, and whether a file may be executed. */
export const FLAGS = { file: 1, link: 2, directory: 3, type: 3, executable: 4 } as const;
const TYPES = ['file', 'file', 'link', 'directory'] as const;

/** Of an entry's stamp: inode, size, time of modification, time of change. */
export const STAMP_NUMBERS = 4;

const FIRST_ROWS = 1024;

/** Rows that are compared at once. */
const BLOCK_ROWS = 256;

/**
 * What a walk has found, column by column: 100,000 files as objects would be 20 MB, and to move those out of the way of the
 * garbage collector would take as long as the walk.
 */
export class WalkEntries implements Iterable<WalkEntry> {
  #paths: BytePath[] = [];
  #files = 0;
  #bytes = 0;
  #flags = new Uint8Array(FIRST_ROWS);
  /** Zeros for what is no file. */
  #stamps = new Float64Array(FIRST_ROWS * STAMP_NUMBERS);
  #targets = new Map<number, BytePath>();

  get length(): number {
    return this.#paths.length;
  }

  /** Of all that is here, and how long the files are together. */
  count(): { entries: number; files: number; bytes: number } {
    return { entries: this.length, files: this.#files, bytes: this.#bytes };
  }

  /** @param stats as `lstat` tells them */
  pushFile(path: BytePath, stats: { ino: number; size: number; mtimeMs: number; ctimeMs: number; mode: number }): void {
    const row = this.#push(path, FLAGS.file | ((stats.mode & 0o111) === 0 ? 0 : FLAGS.executable));
    this.#files++;
    this.#writeStamp(row, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs);
  }

  pushLink(path: BytePath, target: BytePath): void {
    this.#targets.set(this.#push(path, FLAGS.link), target);
  }

  pushDirectory(path: BytePath): void {
    this.#push(path, FLAGS.directory);
  }

  /** A file that is no longer what the walk found. */
  restamp(row: number, { inode, size, mtimeMs, ctimeMs }: FileStamp): void {
    this.#writeStamp(row, inode, size, mtimeMs, ctimeMs);
  }

  /** An entry of another walk, under a path of its own here. */
  take(other: WalkEntries, from: number, path: BytePath): void {
    const row = this.#push(path, other.flags(from));
    const target = other.target(from);
    if (target !== undefined) this.#targets.set(row, target);
    if (!other.isFile(from)) return;
    const [inode, size, mtimeMs, ctimeMs] = other.stampNumbers(from);
    this.#files++;
    this.#writeStamp(row, inode!, size!, mtimeMs!, ctimeMs!);
  }

  path(row: number): BytePath {
    return this.#paths[row]!;
  }

  flags(row: number): number {
    return this.#flags[row]!;
  }

  isDirectory(row: number): boolean {
    return (this.#flags[row]! & FLAGS.type) === FLAGS.directory;
  }

  isFile(row: number): boolean {
    return (this.#flags[row]! & FLAGS.type) === FLAGS.file;
  }

  /** Length of a file, 0 for others. */
  bytes(row: number): number {
    return this.#stamps[row * STAMP_NUMBERS + 1]!;
  }

  /** Of a link. */
  target(row: number): BytePath | undefined {
    return this.#targets.get(row);
  }

  /** The numbers of its stamp, not to be written to. */
  stampNumbers(row: number): Float64Array {
    return this.#stamps.subarray(row * STAMP_NUMBERS, (row + 1) * STAMP_NUMBERS);
  }

  /** Whether a file has the stamp in `otherRow` of another such column. */
  hasStamp(row: number, stamps: Float64Array, otherRow: number): boolean {
    const mine = row * STAMP_NUMBERS;
    const other = otherRow * STAMP_NUMBERS;
    for (let number = 0; number < STAMP_NUMBERS; number++) if (this.#stamps[mine + number] !== stamps[other + number]) return false;
    return true;
  }

  /** For a column of stamps of the same rows: ones where they differ. Whole blocks are compared at once. */
  unlike(stamps: Float64Array): Uint8Array {
    const marks = new Uint8Array(this.length);
    for (let start = 0; start < this.length; start += BLOCK_ROWS) {
      const end = Math.min(this.length, start + BLOCK_ROWS);
      const [mine, others] = [this.#stamps, stamps].map((column) => bytesOf(column.subarray(start * STAMP_NUMBERS, end * STAMP_NUMBERS)));
      if (mine!.equals(others!)) continue;
      for (let row = start; row < end; row++) if (!this.hasStamp(row, stamps, row)) marks[row] = 1;
    }
    return marks;
  }

  /** All paths, each ended by a zero byte. */
  pathsText(): string {
    return this.length === 0 ? '' : `${this.#paths.join('\0')}\0`;
  }

  file(row: number): WalkedFile {
    const [inode, size, mtimeMs, ctimeMs] = this.stampNumbers(row);
    return {
      type: 'file',
      path: this.path(row),
      bytes: size!,
      executable: (this.#flags[row]! & FLAGS.executable) !== 0,
      stamp: { inode: inode!, size: size!, mtimeMs: mtimeMs!, ctimeMs: ctimeMs! },
    };
  }

  at(row: number): WalkEntry {
    const type = TYPES[this.#flags[row]! & FLAGS.type]!;
    if (type === 'file') return this.file(row);
    return type === 'link' ? { type, path: this.path(row), target: this.target(row)! } : { type, path: this.path(row) };
  }

  *[Symbol.iterator](): Generator<WalkEntry> {
    for (let row = 0; row < this.length; row++) yield this.at(row);
  }

  /** The same entries in byte order of their paths. */
  sorted(): WalkEntries {
    const rows = [...this.#paths.keys()].sort((a, b) => (this.path(a) < this.path(b) ? -1 : 1));
    const sorted = new WalkEntries();
    sorted.#files = this.#files;
    sorted.#bytes = this.#bytes;
    sorted.#flags = Uint8Array.from(rows, (row) => this.#flags[row]!);
    sorted.#stamps = new Float64Array(rows.length * STAMP_NUMBERS);
    rows.forEach((row, place) => sorted.#stamps.set(this.stampNumbers(row), place * STAMP_NUMBERS));
    sorted.#paths = rows.map((row) => this.path(row));
    sorted.#targets = new Map(rows.flatMap((row, place) => (this.#targets.has(row) ? [[place, this.#targets.get(row)!] as const] : [])));
    return sorted;
  }

  #push(path: BytePath, flags: number): number {
    const row = this.#paths.length;
    if (row === this.#flags.length) this.#makeRoom();
    this.#paths.push(path);
    this.#flags[row] = flags;
    return row;
  }

  #writeStamp(row: number, inode: number, size: number, mtimeMs: number, ctimeMs: number): void {
    const at = row * STAMP_NUMBERS;
    this.#bytes += size - this.#stamps[at + 1]!;
    this.#stamps[at] = inode;
    this.#stamps[at + 1] = size;
    this.#stamps[at + 2] = mtimeMs;
    this.#stamps[at + 3] = ctimeMs;
  }

  #makeRoom(): void {
    const flags = new Uint8Array(2 * this.#flags.length);
    flags.set(this.#flags);
    this.#flags = flags;
    const stamps = new Float64Array(2 * this.#stamps.length);
    stamps.set(this.#stamps);
    this.#stamps = stamps;
  }
}

function bytesOf(column: Float64Array): Buffer {
  return Buffer.from(column.buffer, column.byteOffset, column.byteLength);
}
