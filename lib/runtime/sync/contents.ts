import { STAMP_NUMBERS } from '../../capture/entries';
import type { WalkEntries } from '../../capture/entries';
import type { BytePath } from '../../contract';
import { sha256Of } from '../../store/sha256';
import type { HashedFile, Unread } from './hash-tree';
import type { TravellingEntry } from './manifest';
import { compare } from './tree-cache/compare';
import { copyOf, emptyColumns, HASH_BYTES, isSettledFile, SETTLED, SHOWN } from './tree-cache/snapshot';
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
  readonly #rows: Int32Array;
  readonly #gone: readonly BytePath[];
  readonly #aligned: boolean;
  readonly #known: Uint8Array;
  /** Indexes of what is not, or perhaps not, as it was remembered. All others need no second look. */
  readonly #suspects = new Set<number>();
  /** Of files that were read and of links, as in {@link Columns}; what is remembered stays where it is. */
  #hashes: Buffer | undefined;

  constructor(
    private readonly entries: WalkEntries,
    private readonly last: Columns | undefined,
  ) {
    const { rows, gone, aligned } = compare(entries, last);
    const unlike = aligned ? entries.unlike(last!.stamps) : undefined;
    this.#rows = rows;
    this.#gone = gone;
    this.#aligned = aligned;
    this.#known = new Uint8Array(entries.length).fill(REMEMBERED);
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      const isSame = unlike ? unlike[index] === 0 : row >= 0 && entries.hasStamp(index, last!.stamps, row);
      if (!isSame || !isSettledFile(last!, row)) this.#suspect(index);
      else if (last!.flags[row] !== (entries.flags(index) | SETTLED)) this.#suspects.add(index);
    }
  }

  #suspect(index: number): void {
    const target = this.entries.target(index);
    if (target !== undefined) this.#writeHash(index, sha256Of(Buffer.from(target, 'latin1')));
    this.#known[index] = this.entries.isFile(index) ? UNKNOWN : OTHER;
    this.#suspects.add(index);
  }

  /** All that travels, in the order of the walk: without files that have gone. `of`: only what it says yes to. */
  *travelling(of: (path: BytePath) => boolean = () => true): Generator<TravellingEntry> {
    const { entries } = this;
    for (let index = 0; index < entries.length; index++) {
      if (this.#known[index] === UNKNOWN || !of(entries.path(index))) continue;
      const entry = entries.at(index);
      yield entry.type === 'file' ? this.file(index) : entry;
    }
  }

  /** Of all files whose content is known. */
  *hashes(): Generator<string> {
    for (const [index, known] of this.#known.entries()) if (known === READ || known === REMEMBERED) yield this.hash(index);
  }

  /** Indexes of files that were read this time. */
  *readIndexes(): Generator<number> {
    for (let index = this.#known.indexOf(READ); index >= 0; index = this.#known.indexOf(READ, index + 1)) yield index;
  }

  /** A file whose content is known. */
  file(index: number): HashedFile {
    return { ...this.entries.file(index), sha256: this.hash(index) };
  }

  /** Of files whose content is known, and how long they are together; entries with what is no file. */
  count(): { files: number; bytes: number; entries: number } {
    const { entries, files, bytes } = this.entries.count();
    const count = { entries, files, bytes };
    for (const index of this.#suspects) {
      if (this.#known[index] !== UNKNOWN) continue;
      count.entries--;
      count.files--;
      count.bytes -= this.entries.bytes(index);
    }
    return count;
  }

  get hasRead(): boolean {
    return this.#known.includes(READ);
  }

  /**
   * Indexes of files to be read: whose content is not remembered, or not stored. What is not set then has gone.
   * `isStored`: @default - all that is remembered is
   */
  takeUnread(isStored?: (sha256: string) => boolean): number[] {
    const unread: number[] = [];
    for (const index of isStored ? this.#known.keys() : this.#suspects) {
      const known = this.#known[index];
      if (known === OTHER || (known !== UNKNOWN && (isStored?.(this.hash(index)) ?? true))) continue;
      if (known === REMEMBERED) this.#suspects.add(index);
      this.#known[index] = UNKNOWN;
      unread.push(index);
    }
    return unread;
  }

  *unread(indexes: Iterable<number>): Generator<Unread> {
    for (const index of indexes) yield { index, path: this.entries.path(index), bytes: this.entries.bytes(index) };
  }

  set(index: number, { sha256, stamp }: Pick<HashedFile, 'sha256' | 'stamp'>): void {
    this.entries.restamp(index, stamp);
    this.#known[index] = READ;
    this.#writeHash(index, sha256);
  }

  /** Paths at which the tree is not as it was remembered: changed, new or gone. */
  changedPaths(): BytePath[] {
    const { added, changed, gone } = this.changes();
    return [...added, ...changed, ...gone];
  }

  /** The same, told apart. */
  changes(): { readonly added: BytePath[]; readonly changed: BytePath[]; readonly gone: readonly BytePath[] } {
    const unlike = [...this.#suspects].filter((index) => !this.#isSame(index, this.#rows[index]!));
    const paths = (isNew: boolean): BytePath[] =>
      unlike.filter((index) => this.#rows[index]! < 0 === isNew).map((index) => this.entries.path(index));
    return { added: paths(true), changed: paths(false), gone: this.#gone };
  }

  /** Whether a manifest would say the same of both. */
  #isSame(index: number, row: number): boolean {
    const known = this.#known[index]!;
    if (row < 0 || known === UNKNOWN || ((this.last!.flags[row]! ^ this.entries.flags(index)) & SHOWN) !== 0) return false;
    return known === REMEMBERED || this.#hashBytes(index).equals(this.last!.hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES));
  }

  /** To be remembered. `startedAt`: when the first file was looked at, milliseconds since 1970. */
  columns(startedAt: number): Columns {
    const settledBefore = startedAt - RACY_MS;
    if (this.#aligned && !this.#known.includes(UNKNOWN)) {
      const columns = copyOf(this.last!);
      for (const index of this.#suspects) this.#writeRow(columns, index, index, settledBefore);
      return columns;
    }
    const indexes = [...this.#known.keys()].filter((index) => this.#known[index] !== UNKNOWN);
    const paths = [...indexes.map((index) => this.entries.path(index)), ''].join('\0');
    const columns = emptyColumns(indexes.length, paths);
    indexes.forEach((index, row) => this.#writeRow(columns, row, index, settledBefore));
    return columns;
  }

  #writeRow({ hashes, stamps, flags }: Columns, row: number, index: number, settledBefore: number): void {
    const stamp = this.entries.stampNumbers(index);
    const isSettled = this.#known[index] === REMEMBERED || stamp[STAMP_NUMBERS - 1]! < settledBefore;
    hashes.set(this.#hashBytes(index), row * HASH_BYTES);
    stamps.set(stamp, row * STAMP_NUMBERS);
    flags[row] = this.entries.flags(index) | (this.entries.isFile(index) && isSettled ? SETTLED : 0);
  }

  /** SHA-256 of the content of a file, when it is known. */
  hash(index: number): string {
    return this.#hashBytes(index).toString('hex');
  }

  #hashBytes(index: number): Buffer {
    const isRemembered = this.#known[index] === REMEMBERED;
    const row = isRemembered ? this.#rows[index]! : index;
    const hashes = isRemembered ? this.last!.hashes : this.#own();
    return hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES);
  }

  #writeHash(index: number, sha256: string): void {
    this.#own().write(sha256, index * HASH_BYTES, 'hex');
  }

  #own(): Buffer {
    return (this.#hashes ??= Buffer.alloc(this.entries.length * HASH_BYTES));
  }
}
