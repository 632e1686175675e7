import { STAMP_NUMBERS } from '../../capture/entries';
import type { WalkEntries } from '../../capture/entries';
import type { BytePath } from '../../contract';
import { sha256Of } from '../../store/sha256';
import type { HashedFile, Unread } from './hash-tree';
import type { TravellingEntry } from './manifest';
import { compare } from './tree-cache/compare';
import type { Compared } from './tree-cache/compare';
import { emptyColumns, HASH_BYTES, isSettledFile, SETTLED, SHOWN } from './tree-cache/snapshot';
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
  readonly #compared: Compared;
  readonly #known: Uint8Array;
  /** Of files that were read and of links, as in {@link Columns}; what is remembered stays where it is. */
  #hashes: Buffer | undefined;

  constructor(
    private readonly entries: WalkEntries,
    private readonly last: Columns | undefined,
  ) {
    this.#compared = compare(entries, last);
    this.#known = new Uint8Array(entries.length);
    for (let index = 0; index < entries.length; index++) this.#known[index] = this.#knownFrom(index);
  }

  #knownFrom(index: number): number {
    const { entries, last } = this;
    const target = entries.target(index);
    if (target !== undefined) this.#writeHash(index, sha256Of(Buffer.from(target, 'latin1')));
    if (!entries.isFile(index)) return OTHER;
    const row = this.#compared.rows[index]!;
    const isSame = row >= 0 && isSettledFile(last!, row) && entries.hasStamp(index, last!.stamps, row * STAMP_NUMBERS);
    return isSame ? REMEMBERED : UNKNOWN;
  }

  /** All that travels, in the order of the walk: without files that have gone. `of`: only what it says yes to. */
  *travelling(of: (path: BytePath) => boolean = () => true): Generator<TravellingEntry> {
    const { entries } = this;
    for (let index = 0; index < entries.length; index++) {
      if (this.#known[index] === UNKNOWN || !of(entries.path(index))) continue;
      const entry = entries.at(index);
      yield entry.type === 'file' ? { ...entry, sha256: this.#hash(index) } : entry;
    }
  }

  /** Files whose content is known. */
  *files(): Generator<HashedFile> {
    for (const entry of this.travelling()) if (entry.type === 'file') yield entry;
  }

  /** Those of them that were read this time. */
  *readFiles(): Generator<HashedFile> {
    for (let index = this.#known.indexOf(READ); index >= 0; index = this.#known.indexOf(READ, index + 1))
      yield { ...this.entries.file(index), sha256: this.#hash(index) };
  }

  /** Of files whose content is known, and how long they are together; entries with what is no file. */
  count(): { files: number; bytes: number; entries: number } {
    const count = { files: 0, bytes: 0, entries: 0 };
    for (let index = 0; index < this.#known.length; index++) {
      if (this.#known[index] === UNKNOWN) continue;
      count.entries++;
      if (this.#known[index] === OTHER) continue;
      count.files++;
      count.bytes += this.entries.bytes(index);
    }
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
    for (let index = 0; index < this.#known.length; index++) {
      const known = this.#known[index];
      if (known === OTHER || (known !== UNKNOWN && (isStored?.(this.#hash(index)) ?? true))) continue;
      this.#known[index] = UNKNOWN;
      unread.push({ index, path: this.entries.path(index), bytes: this.entries.bytes(index) });
    }
    return unread;
  }

  set(index: number, { sha256, stamp }: Pick<HashedFile, 'sha256' | 'stamp'>): void {
    this.entries.restamp(index, stamp);
    this.#known[index] = READ;
    this.#writeHash(index, sha256);
  }

  /** Paths at which the tree is not as it was remembered: changed, new or gone. */
  changedPaths(): BytePath[] {
    const { rows, gone } = this.#compared;
    const changed: BytePath[] = [];
    for (let index = 0; index < rows.length; index++) if (!this.#isSame(index, rows[index]!)) changed.push(this.entries.path(index));
    return [...changed, ...gone];
  }

  /** Whether a manifest would say the same of both. */
  #isSame(index: number, row: number): boolean {
    const known = this.#known[index]!;
    if (row < 0 || known === UNKNOWN || ((this.last!.flags[row]! ^ this.entries.flags(index)) & SHOWN) !== 0) return false;
    return known === REMEMBERED || this.#hashBytes(index).equals(this.last!.hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES));
  }

  /** To be remembered. `startedAt`: when the first file was looked at, milliseconds since 1970. */
  columns(startedAt: number): Columns {
    const { entries } = this;
    const indexes = [...this.#known.keys()].filter((index) => this.#known[index] !== UNKNOWN);
    const columns = emptyColumns(indexes.length);
    indexes.forEach((index, row) => {
      columns.hashes.set(this.#hashBytes(index), row * HASH_BYTES);
      columns.flags[row] = entries.flags(index);
      const stamp = entries.stampNumbers(index);
      columns.stamps.set(stamp, row * STAMP_NUMBERS);
      const isSettled = this.#known[index] === REMEMBERED || stamp[STAMP_NUMBERS - 1]! < startedAt - RACY_MS;
      if (entries.isFile(index) && isSettled) columns.flags[row] |= SETTLED;
    });
    return { ...columns, paths: [...indexes.map((index) => entries.path(index)), ''].join('\0') };
  }

  #hash(index: number): string {
    return this.#hashBytes(index).toString('hex');
  }

  #hashBytes(index: number): Buffer {
    const isRemembered = this.#known[index] === REMEMBERED;
    const row = isRemembered ? this.#compared.rows[index]! : index;
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
