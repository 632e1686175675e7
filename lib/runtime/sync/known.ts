import { bucketKeys, mapBounded } from '../../contract';
import type { Store } from '../../contract';
import { isStored } from '../../store/blob-upload';
import type { PackedBlob } from '../../store/packs';
import { CacheFile } from './cache-file';
import type { CachedObject } from './cache-file';
import { discoverObjects } from './discover';

export interface KnownBlob extends PackedBlob {
  readonly object: string;
}

export interface KnownOptions {
  readonly store: Store;
  readonly cacheFile: string;
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** The reaper deletes nothing that was named in the last 30 days, but a bucket may be emptied by hand. */
const BELIEF_MS = 24 * 3_600_000;

/** Requests at once. */
const CHECKS = 8;

/**
 * Which content the bucket holds, as far as this client knows. It believes its cache for 24 hours and then looks again. A
 * bucket that was emptied or made anew shows by its newest object, which is looked for each time. Without a cache it reads
 * what the bucket tells of itself.
 */
export class KnownBlobs {
  readonly #file: CacheFile;
  readonly #objects = new Map<string, { at: number; readonly blobs: readonly PackedBlob[] }>();
  readonly #blobs = new Map<string, KnownBlob>();
  #lengths: Set<number> | undefined;

  private constructor(private readonly options: KnownOptions) {
    this.#file = new CacheFile(options.cacheFile);
  }

  static async load(options: KnownOptions): Promise<KnownBlobs> {
    const known = new KnownBlobs(options);
    for (const object of await known.#file.read()) known.#add(object);
    if (!(await known.#isCurrent())) await known.#discover();
    return known;
  }

  find(sha256: string): KnownBlob | undefined {
    return this.#blobs.get(sha256);
  }

  hasObject(sha256: string): boolean {
    return this.#objects.has(sha256);
  }

  /** Whether any known content has this length: if not, content of this length is new, without a look at it. */
  hasLength(bytes: number): boolean {
    this.#lengths ??= new Set([...this.#blobs.values()].map((blob) => blob.bytes));
    return this.#lengths.has(bytes);
  }

  async stored(object: string, blobs: readonly PackedBlob[]): Promise<void> {
    const cached = { object, at: this.options.now(), blobs };
    this.#add(cached);
    await this.#file.stored([cached]);
  }

  /** Looks for those of the objects that were not seen for 24 hours; what is no longer there is forgotten. */
  async verify(objects: Iterable<string>): Promise<void> {
    const old = [...objects].filter((object) => !this.#isFresh(object));
    const { store, signal } = this.options;
    const there = await mapBounded(
      old,
      CHECKS,
      (object, _index, stop) => isStored(store, bucketKeys.file(object), stop),
      signal ? { signal } : {},
    );
    const at = this.options.now();
    const seen = old.filter((_object, index) => there[index]);
    const gone = old.filter((_object, index) => !there[index]);
    for (const object of seen) this.#objects.get(object)!.at = at;
    gone.forEach((object) => this.#forget(object));
    await this.#file.seen(seen, at);
    await this.#file.gone(gone);
  }

  async #isCurrent(): Promise<boolean> {
    const [newest] = [...this.#objects].sort(([, a], [, b]) => b.at - a.at);
    if (!newest) return false;
    if (await isStored(this.options.store, bucketKeys.file(newest[0]), this.options.signal)) return true;
    const all = [...this.#objects.keys()];
    all.forEach((object) => this.#forget(object));
    await this.#file.gone(all);
    return false;
  }

  async #discover(): Promise<void> {
    const found = await discoverObjects(this.options.store, this.options.signal);
    const at = this.options.now();
    const objects = found.map((object): CachedObject => ({ ...object, at }));
    for (const object of objects) this.#add(object);
    await this.#file.stored(objects);
  }

  #isFresh(object: string): boolean {
    const found = this.#objects.get(object);
    // A clock that was set back makes no belief last.
    return found !== undefined && Math.abs(this.options.now() - found.at) < BELIEF_MS;
  }

  #add({ object, at, blobs }: CachedObject): void {
    this.#objects.set(object, { at, blobs });
    for (const blob of blobs) this.#blobs.set(blob.sha256, { ...blob, object });
    this.#lengths = undefined;
  }

  #forget(object: string): void {
    for (const { sha256 } of this.#objects.get(object)?.blobs ?? []) {
      if (this.#blobs.get(sha256)?.object === object) this.#blobs.delete(sha256);
    }
    this.#objects.delete(object);
    this.#lengths = undefined;
  }
}
