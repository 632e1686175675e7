import { bucketKeys, mapBounded } from '../../contract';
import type { Store } from '../../contract';
import { isStored } from '../../store/blob-upload';
import { isKept } from '../../store/keep';
import type { PackedBlob } from '../../store/packs';
import { EMPTY_SHA256 } from '../../store/sha256';
import { cachedObject, CacheFile } from './cache-file';
import type { CachedObject, KnownBlob, KnownParts } from './cache-file';
import { discoverObjects } from './discover';

export interface KnownOptions {
  readonly store: Store;
  readonly cacheFile: string;
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/**
 * What was seen stays for two weeks at least (see `lib/contract/sweep.ts`), which leaves time for an upload; but a bucket may be
 * emptied by hand.
 */
const BELIEF_MS = 24 * 3_600_000;

/** Time of objects that were listed: they may be about to be swept, so those that are needed are looked at. */
const LISTED = 1;

/** Requests at once. */
const CHECKS = 8;

/** More looks for content than this take longer than to make an index of all of it. */
const FEW_LOOKS = 32;

/**
 * Which content the bucket holds, as far as this client knows. It believes its cache for 24 hours and then looks again. A
 * bucket that was emptied or made anew shows by its newest object, which is looked for each time. Without a cache it reads
 * what the bucket tells of itself.
 */
export class KnownBlobs {
  readonly #file: CacheFile;
  readonly #objects = new Map<string, { at: number; readonly cached: CachedObject }>();
  /** By hash of the content; made when it is worth it: a tree that has hardly changed needs none. */
  #blobs: Map<string, KnownBlob> | undefined;
  /** Large files, by hash of the content. */
  readonly #parted = new Map<string, KnownParts>();
  #looks = 0;
  #lengths: Set<number> | undefined;
  readonly #sending = new Set<string>();

  private constructor(private readonly options: KnownOptions) {
    this.#file = new CacheFile(options.cacheFile);
  }

  static async load(options: KnownOptions): Promise<KnownBlobs> {
    const known = new KnownBlobs(options);
    const { objects, files } = await known.#file.read();
    for (const object of objects) known.#add(object);
    for (const file of files) known.#parted.set(file.sha256, file);
    if (!(await known.#isCurrent())) await known.#discover();
    return known;
  }

  /** Where content lies; of a large file, only when all of it is there. */
  find(sha256: string): KnownBlob | KnownParts | undefined {
    const parted = this.#parted.get(sha256);
    if (parted?.parts.every((part) => this.#objects.has(part))) return parted;
    return this.#findBlob(sha256);
  }

  /** What a large file consists of, whether that is there or not. */
  partsOf(sha256: string): readonly string[] | undefined {
    return this.#parted.get(sha256)?.parts;
  }

  /** A large file was read: these are its parts. */
  async cut(file: KnownParts): Promise<void> {
    if (this.#parted.has(file.sha256)) return;
    this.#parted.set(file.sha256, file);
    this.#lengths = undefined;
    await this.#file.cut(file);
  }

  #findBlob(sha256: string): KnownBlob | undefined {
    return this.#blobs || ++this.#looks > FEW_LOOKS ? this.#index().get(sha256) : this.#lookFor(sha256);
  }

  #lookFor(sha256: string): KnownBlob | undefined {
    let best: KnownBlob | undefined;
    for (const { cached } of this.#objects.values()) {
      const found = cached.find(sha256);
      if (found && this.#isBetter(found, best)) best = found;
    }
    return best;
  }

  /** Content may lie in two objects: the one that was seen is the better one. */
  #isBetter(blob: KnownBlob, other: KnownBlob | undefined): boolean {
    return !other || !this.#isFresh(other.object) || this.#isFresh(blob.object);
  }

  /** Whether content is there, or none has to be. */
  holds(sha256: string): boolean {
    return sha256 === EMPTY_SHA256 || this.find(sha256) !== undefined;
  }

  /** Whether all of the objects are in the bucket. Those that this client has never heard of are not looked for. */
  async areThere(objects: readonly string[]): Promise<boolean> {
    const heardOf = (): boolean => objects.every((object) => this.#objects.has(object));
    if (!heardOf()) return false;
    await this.verify(objects);
    return heardOf();
  }

  /** Whether any known content has this length: if not, content of this length is new, without a look at it. */
  hasLength(bytes: number): boolean {
    this.#lengths ??= new Set([...this.#index().values(), ...this.#parted.values()].map((blob) => blob.bytes));
    return this.#lengths.has(bytes);
  }

  /**
   * An object is about to be sent: should this client be killed, the next one looks whether it has arrived. Its time is that of
   * no look at all.
   */
  async sending(object: string, blobs: readonly PackedBlob[]): Promise<void> {
    this.#sending.add(object);
    await this.#file.stored([{ object, at: 0, blobs }]);
  }

  async stored(object: string, blobs: readonly PackedBlob[]): Promise<void> {
    const cached = cachedObject(object, this.options.now(), blobs);
    this.#add(cached);
    await (this.#sending.delete(object) ? this.#file.seen([object], cached.at) : this.#file.stored([cached]));
  }

  /** Looks for those of the objects that were not seen for 24 hours; what is no longer there is forgotten. */
  async verify(objects: Iterable<string>): Promise<void> {
    const old = [...objects].filter((object) => !this.#isFresh(object));
    const { store, signal } = this.options;
    const there = await mapBounded(
      old,
      CHECKS,
      (object, _index, stop) => isKept(store, bucketKeys.file(object), { signal: stop }),
      signal ? { signal } : {},
    );
    const at = this.options.now();
    const seen = old.filter((_object, index) => there[index]);
    const gone = old.filter((_object, index) => !there[index]);
    for (const object of seen) this.#objects.get(object)!.at = at;
    const unsent = new Set(gone.filter((object) => this.#objects.get(object)?.at === 0));
    gone.forEach((object) => this.#forget(object));
    await this.#file.seen(seen, at);
    // One that is not there yet, another client may be sending just now.
    await this.#file.gone(gone.filter((object) => !unsent.has(object)));
  }

  /** Whether an object was seen not long ago. */
  isSeen(object: string): boolean {
    return this.#isFresh(object);
  }

  async #isCurrent(): Promise<boolean> {
    const [newest] = [...this.#objects].sort(([, a], [, b]) => b.at - a.at);
    // Nothing was ever seen: at most a first upload was begun.
    if (!newest || newest[1].at === 0) return false;
    if (await isStored(this.options.store, bucketKeys.file(newest[0]), this.options.signal)) return true;
    const all = [...this.#objects.keys()];
    all.forEach((object) => this.#forget(object));
    await this.#file.gone(all);
    return false;
  }

  async #discover(): Promise<void> {
    const found = await discoverObjects(this.options.store, this.options.signal);
    const objects = found.map(({ object, blobs }) => cachedObject(object, LISTED, blobs));
    for (const object of objects) this.#add(object);
    await this.#file.stored(objects);
  }

  #isFresh(object: string): boolean {
    const found = this.#objects.get(object);
    // A clock that was set back makes no belief last.
    return found !== undefined && Math.abs(this.options.now() - found.at) < BELIEF_MS;
  }

  #index(): Map<string, KnownBlob> {
    if (!this.#blobs) {
      this.#blobs = new Map();
      for (const { cached } of this.#objects.values()) this.#enter(cached);
    }
    return this.#blobs;
  }

  #add(cached: CachedObject): void {
    this.#objects.set(cached.object, { at: cached.at, cached });
    if (this.#blobs) this.#enter(cached);
    this.#lengths = undefined;
  }

  #enter({ blobs }: CachedObject): void {
    for (const blob of blobs) if (this.#isBetter(blob, this.#blobs!.get(blob.sha256))) this.#blobs!.set(blob.sha256, blob);
  }

  #forget(object: string): void {
    this.#objects.delete(object);
    // What it held may lie elsewhere, too.
    this.#blobs = undefined;
    this.#lengths = undefined;
  }
}
