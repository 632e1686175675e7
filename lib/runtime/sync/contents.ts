import type { WalkEntry } from '../../capture/walk';
import type { BytePath } from '../../contract';
import type { HashedFile, Unread } from './hash-tree';
import type { TravellingEntry } from './manifest';
import { rowsOf } from './tree-cache/compare';
import type { Snapshot, SnapshotEntry } from './tree-cache/snapshot';

/** Nanoseconds in a millisecond. */
const NS = 1_000_000n;

/**
 * A file that changed so shortly before it was read may change again without its times showing it: file systems keep them in
 * ticks of some milliseconds, old ones in two seconds (FAT). Such a file is hashed again the next time, as git does it.
 */
const RACY_NS = 2_500n * NS;

/** What is known of the content of a walk's files: from the last time, and from reading them. */
export class Contents {
  readonly #files: (HashedFile | undefined)[] = [];
  readonly #remembered = new Set<number>();
  readonly #rows: Int32Array;

  constructor(
    readonly entries: readonly WalkEntry[],
    private readonly snapshot: Snapshot | undefined,
  ) {
    this.#rows = rowsOf(entries, snapshot);
    entries.forEach((entry, index) => {
      const row = this.#rows[index]!;
      const sha256 = row < 0 ? undefined : snapshot?.knownHash(row, entry);
      if (entry.type !== 'file' || sha256 === undefined) return;
      this.#files[index] = { ...entry, sha256 };
      this.#remembered.add(index);
    });
  }

  /** All that travels, in the order of the walk: without files that have gone. */
  travelling(): TravellingEntry[] {
    return this.entries.flatMap((entry, index) => (entry.type === 'file' ? (this.#files[index] ?? []) : entry));
  }

  /** Files whose content is known. */
  files(): HashedFile[] {
    return this.#files.filter((file) => file !== undefined);
  }

  /** Those of them that were read this time. */
  readFiles(): HashedFile[] {
    return this.#files.filter((file, index) => file !== undefined && !this.#remembered.has(index)).filter((file) => file !== undefined);
  }

  /** Files to be read: whose content is not remembered, or not stored. What is not set then has gone. */
  takeUnread(isStored: (sha256: string) => boolean): Unread[] {
    return this.entries.flatMap((file, index): Unread[] => {
      const sha256 = this.#files[index]?.sha256;
      if (file.type !== 'file' || (sha256 !== undefined && isStored(sha256))) return [];
      this.#files[index] = undefined;
      this.#remembered.delete(index);
      return [{ index, file }];
    });
  }

  set(index: number, file: HashedFile): void {
    this.#files[index] = file;
  }

  /** Paths at which the tree is not as it was remembered: changed, new or gone. */
  changedPaths(): BytePath[] {
    const seen = new Uint8Array(this.snapshot?.rows ?? 0);
    const changed = this.entries.filter((entry, index) => {
      const row = this.#rows[index]!;
      if (row >= 0) seen[row] = 1;
      const file = this.#files[index];
      return row < 0 || (entry.type === 'file' && !file) || !this.snapshot!.isSame(row, { entry: file ?? entry, ...file });
    });
    const gone = (this.snapshot?.columns.paths ?? []).filter((_path, row) => seen[row] === 0);
    return [...changed.map(({ path }) => path), ...gone];
  }

  /** For the snapshot: all that travels. `startedAt`: when the first file was looked at, milliseconds since 1970. */
  snapshotEntries(startedAt: number): SnapshotEntry[] {
    const since = BigInt(Math.floor(startedAt)) * NS - RACY_NS;
    return this.entries.flatMap((entry, index): SnapshotEntry[] => {
      if (entry.type !== 'file') return [{ entry }];
      const file = this.#files[index];
      if (!file) return [];
      const { sha256, stamp } = file;
      return [{ entry: file, sha256, stamp, settled: this.#remembered.has(index) || stamp.ctimeNs < since }];
    });
  }
}
