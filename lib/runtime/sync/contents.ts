import type { WalkEntry } from '../../capture/walk';
import type { BytePath } from '../../contract';
import { sha256Of } from '../../store/sha256';
import type { HashedFile, Unread } from './hash-tree';
import type { TravellingEntry } from './manifest';
import { rowsOf } from './tree-cache/compare';
import { emptyColumns, FLAGS, HASH_BYTES, isSameFile, sameHash, writeStamp } from './tree-cache/snapshot';
import type { Columns } from './tree-cache/snapshot';

/**
 * A file that changed so shortly before it was read may change again without its times showing it: file systems keep them in
 * ticks of some milliseconds, old ones in two seconds (FAT). Such a file is hashed again the next time, as git does it.
 */
const RACY_MS = 2_500;

/** How the content of an entry is known. Directories and links need no reading, files that are never read have gone. */
const UNKNOWN = 0;
const REMEMBERED = 1;
const READ = 2;
const OTHER = 3;

/** What is known of the content of a walk's files: from the last time, and from reading them. */
export class Contents {
  readonly #entries: WalkEntry[];
  /** Row of each entry in what is remembered, or -1. */
  readonly #rows: Int32Array;
  readonly #known: Uint8Array;
  /** As in {@link Columns}. */
  readonly #hashes: Buffer;

  constructor(
    entries: readonly WalkEntry[],
    private readonly last: Columns | undefined,
  ) {
    this.#entries = [...entries];
    this.#rows = rowsOf(entries, last);
    this.#known = new Uint8Array(entries.length);
    this.#hashes = Buffer.alloc(entries.length * HASH_BYTES);
    for (let index = 0; index < entries.length; index++) this.#recall(index);
  }

  #recall(index: number): void {
    const entry = this.#entries[index]!;
    const row = this.#rows[index]!;
    if (entry.type !== 'file') this.#known[index] = OTHER;
    if (entry.type === 'link') this.#hashes.write(sha256Of(Buffer.from(entry.target, 'latin1')), index * HASH_BYTES, 'hex');
    if (entry.type !== 'file' || row < 0 || !isSameFile(this.last!, row, entry.stamp)) return;
    this.#known[index] = REMEMBERED;
    this.last!.hashes.copy(this.#hashes, index * HASH_BYTES, row * HASH_BYTES, (row + 1) * HASH_BYTES);
  }

  /** All that travels, in the order of the walk: without files that have gone. `of`: only what it says yes to. */
  *travelling(of: (path: BytePath) => boolean = () => true): Generator<TravellingEntry> {
    for (let index = 0; index < this.#entries.length; index++) {
      const entry = this.#entries[index]!;
      if (this.#known[index] === UNKNOWN || !of(entry.path)) continue;
      yield entry.type === 'file' ? this.#file(index, entry) : entry;
    }
  }

  /** Files whose content is known. */
  *files(): Generator<HashedFile> {
    for (const entry of this.travelling()) if (entry.type === 'file') yield entry;
  }

  /** Those of them that were read this time. */
  *readFiles(): Generator<HashedFile> {
    for (let index = 0; index < this.#entries.length; index++) {
      const entry = this.#entries[index]!;
      if (entry.type === 'file' && this.#known[index] === READ) yield this.#file(index, entry);
    }
  }

  /** Of files whose content is known, and how long they are together. */
  count(): { files: number; bytes: number; entries: number } {
    const count = { files: 0, bytes: 0, entries: 0 };
    this.#entries.forEach((entry, index) => {
      if (this.#known[index] === UNKNOWN) return;
      count.entries++;
      if (entry.type !== 'file') return;
      count.files++;
      count.bytes += entry.bytes;
    });
    return count;
  }

  get hasRead(): boolean {
    return this.#known.includes(READ);
  }

  /**
   * Files to be read: whose content is not remembered, or not stored. What is not set then has gone.
   * `isStored`: @default - all that is remembered is
   */
  takeUnread(isStored?: (sha256: string) => boolean): Unread[] {
    const unread: Unread[] = [];
    this.#entries.forEach((file, index) => {
      if (file.type !== 'file') return;
      if (this.#known[index] !== UNKNOWN && (isStored?.(this.#hash(index)) ?? true)) return;
      this.#known[index] = UNKNOWN;
      unread.push({ index, file });
    });
    return unread;
  }

  set(index: number, { sha256, ...file }: HashedFile): void {
    this.#entries[index] = file;
    this.#known[index] = READ;
    this.#hashes.write(sha256, index * HASH_BYTES, 'hex');
  }

  /** Paths at which the tree is not as it was remembered: changed, new or gone. */
  changedPaths(): BytePath[] {
    const seen = new Uint8Array(this.last?.paths.length ?? 0);
    const changed: BytePath[] = [];
    for (let index = 0; index < this.#entries.length; index++) {
      const row = this.#rows[index]!;
      if (row >= 0) seen[row] = 1;
      if (row < 0 || !this.#isSame(index, row)) changed.push(this.#entries[index]!.path);
    }
    for (let row = seen.indexOf(0); row >= 0; row = seen.indexOf(0, row + 1)) changed.push(this.last!.paths[row]!);
    return changed;
  }

  /** Whether a manifest would say the same of both. */
  #isSame(index: number, row: number): boolean {
    const known = this.#known[index]!;
    const flags = this.last!.flags[row]!;
    if (known === UNKNOWN || ((flags ^ flagsOf(this.#entries[index]!)) & (FLAGS.type | FLAGS.executable)) !== 0) return false;
    return known === REMEMBERED || sameHash(this.#hashes, index, this.last!.hashes, row);
  }

  /** To be remembered. `startedAt`: when the first file was looked at, milliseconds since 1970. */
  columns(startedAt: number): Columns {
    const indexes = [...this.#entries.keys()].filter((index) => this.#known[index] !== UNKNOWN);
    const columns = emptyColumns(indexes.length);
    columns.paths = indexes.map((index) => this.#entries[index]!.path);
    indexes.forEach((index, row) => {
      const entry = this.#entries[index]!;
      this.#hashes.copy(columns.hashes, row * HASH_BYTES, index * HASH_BYTES, (index + 1) * HASH_BYTES);
      columns.flags[row] = flagsOf(entry);
      if (entry.type !== 'file') return;
      writeStamp(columns.stamps, row, entry.stamp);
      if (this.#known[index] === REMEMBERED || entry.stamp.ctimeMs < startedAt - RACY_MS) columns.flags[row] |= FLAGS.settled;
    });
    return columns;
  }

  #file(index: number, entry: Extract<WalkEntry, { type: 'file' }>): HashedFile {
    return { ...entry, sha256: this.#hash(index) };
  }

  #hash(index: number): string {
    return this.#hashes.toString('hex', index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }
}

function flagsOf(entry: WalkEntry): number {
  return FLAGS[entry.type] | (entry.type === 'file' && entry.executable ? FLAGS.executable : 0);
}
