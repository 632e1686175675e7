import type { WalkEntry } from '../../capture/walk';
import { EMPTY_SHA256 } from '../../store/sha256';
import type { HashedFile, Unread } from './hash-tree';
import type { KnownBlobs } from './known';
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

  constructor(
    readonly entries: readonly WalkEntry[],
    snapshot: Snapshot | undefined,
  ) {
    const rows = rowsOf(entries, snapshot);
    entries.forEach((entry, index) => {
      const sha256 = rows[index]! < 0 ? undefined : snapshot?.knownHash(rows[index]!, entry);
      if (entry.type !== 'file' || sha256 === undefined) return;
      this.#files[index] = { ...entry, sha256 };
      this.#remembered.add(index);
    });
  }

  /** Files whose content is known, in the order of the walk. */
  files(): HashedFile[] {
    return this.#files.filter((file) => file !== undefined);
  }

  /** Objects that hold what was remembered are to be looked at before it counts. */
  objects(known: KnownBlobs): Set<string> {
    return new Set(this.files().flatMap(({ sha256 }) => known.find(sha256)?.object ?? []));
  }

  /** Files to be read: whose content is not known, or not in the bucket. What is not set then has gone. */
  takeUnread(known: KnownBlobs): Unread[] {
    return this.entries.flatMap((file, index): Unread[] => {
      const sha256 = this.#files[index]?.sha256;
      if (file.type !== 'file' || (sha256 !== undefined && isStored(known, sha256))) return [];
      this.#files[index] = undefined;
      this.#remembered.delete(index);
      return [{ index, file }];
    });
  }

  set(index: number, file: HashedFile): void {
    this.#files[index] = file;
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

export function isStored(known: KnownBlobs, sha256: string): boolean {
  return sha256 === EMPTY_SHA256 || known.find(sha256) !== undefined;
}
