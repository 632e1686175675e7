import { encodeLink, encodePath } from '../../contract';
import type { BlobPlace, BytePath, Ref, Tree, TreeChange, TreeEntry } from '../../contract';
import type { WalkedFile, WalkEntry } from '../../capture/entries';
import { PART_BYTES } from '../../store/packs';
import { EMPTY_SHA256 } from '../../store/sha256';
import type { KnownBlob, KnownParts } from './cache-file';

/** Something that travels; of a file, its content as it was read. */
export type TravellingEntry = Exclude<WalkEntry, WalkedFile> | (WalkedFile & { readonly sha256: string });

type Find = (sha256: string) => KnownBlob | KnownParts | undefined;

/** Entries or blobs whose text is handed on at once: some 100 kB. */
const PIECE = 512;

/** The manifest of a tree all of whose content is in the bucket, as the pieces of its JSON; `packs` once all were taken. */
export class ManifestJson implements Iterable<string> {
  readonly #places: Places;

  constructor(
    private readonly entries: Iterable<TravellingEntry>,
    find: Find,
  ) {
    this.#places = new Places(find);
  }

  get packs(): readonly string[] {
    return this.#places.packs;
  }

  *[Symbol.iterator](): Generator<string> {
    const places = this.#places;
    yield '{"v":1,"entries":[';
    yield* pieces(this.entries, (entry) => JSON.stringify(entryOf(entry, places)));
    yield `],"packs":${JSON.stringify(places.packs)},"blobs":{`;
    yield* pieces(places.entries(), ([sha256, place]) => `"${sha256}":${JSON.stringify(place)}`);
    yield '}}';
  }
}

/** Texts joined by commas. */
function* pieces<T>(items: Iterable<T>, textOf: (item: T) => string): Generator<string> {
  let waiting: string[] = [];
  let separator = '';
  for (const item of items) {
    if (waiting.push(textOf(item)) < PIECE) continue;
    yield separator + waiting.join(',');
    separator = ',';
    waiting = [];
  }
  if (waiting.length > 0) yield separator + waiting.join(',');
}

/**
 * The same tree as a change of an earlier one: `touched` are all paths at which the two may differ, `here` what there is at them.
 */
export function buildChange(base: Ref, touched: Iterable<BytePath>, here: Iterable<TravellingEntry>, find: Find): TreeChange {
  const places = new Places(find);
  const gone = new Set(touched);
  const changed = Array.from(here, (entry) => {
    gone.delete(entry.path);
    return entryOf(entry, places);
  });
  return {
    v: 1,
    base,
    removed: [...gone].map(encodePath),
    changed,
    packs: places.packs,
    blobs: places.blobs,
  };
}

/** Where content lies, each object named once. */
class Places {
  readonly #packs = new Map<string, number>();
  readonly #blobs = new Map<string, KnownBlob | KnownParts>();

  constructor(private readonly find: Find) {}

  get packs(): string[] {
    return [...this.#packs.keys()];
  }

  get blobs(): Tree['blobs'] {
    return Object.fromEntries(this.entries());
  }

  *entries(): Generator<[sha256: string, place: BlobPlace]> {
    for (const [sha256, blob] of this.#blobs) yield [sha256, this.#placeOf(blob)];
  }

  #placeOf(blob: KnownBlob | KnownParts): BlobPlace {
    if ('parts' in blob) return { parts: blob.parts.map((part) => this.#packs.get(part)!), partBytes: PART_BYTES };
    const { object, offset, length, encoding } = blob;
    return { pack: this.#packs.get(object)!, offset, length, encoding };
  }

  add(sha256: string): void {
    if (sha256 === EMPTY_SHA256 || this.#blobs.has(sha256)) return;
    const blob = this.find(sha256);
    if (!blob) throw new Error(`content ${sha256} was neither known nor uploaded`);
    // The text that is there already, not another of the same letters.
    this.#blobs.set(blob.sha256, blob);
    for (const object of objectsOf(blob)) if (!this.#packs.has(object)) this.#packs.set(object, this.#packs.size);
  }
}

/** Those that content lies in. */
export function objectsOf(blob: KnownBlob | KnownParts): readonly string[] {
  return 'parts' in blob ? blob.parts : [blob.object];
}

function entryOf(entry: TravellingEntry, places: Places): TreeEntry {
  if (entry.type === 'link') return { type: 'link', ...encodeLink(entry.path, entry.target) };
  if (entry.type === 'directory') return { type: 'directory', ...encodePath(entry.path) };
  const { path, executable, bytes, sha256 } = entry;
  places.add(sha256);
  return { type: 'file', ...encodePath(path), executable, bytes, sha256 };
}
