import { encodeLink, encodePath } from '../../contract';
import type { BytePath, Ref, Tree, TreeChange, TreeEntry } from '../../contract';
import type { WalkedFile, WalkEntry } from '../../capture/entries';
import { EMPTY_SHA256 } from '../../store/sha256';
import type { KnownBlob } from './known';

/** Something that travels; of a file, its content as it was read. */
export type TravellingEntry = Exclude<WalkEntry, WalkedFile> | (WalkedFile & { readonly sha256: string });

type Find = (sha256: string) => KnownBlob | undefined;

/** The manifest of a tree all of whose content is in the bucket. */
export function buildManifest(entries: Iterable<TravellingEntry>, find: Find): Tree {
  const places = new Places(find);
  return { v: 1, entries: Array.from(entries, (entry) => entryOf(entry, places)), packs: places.packs, blobs: places.blobs };
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
  readonly blobs: Tree['blobs'] = {};

  constructor(private readonly find: Find) {}

  get packs(): string[] {
    return [...this.#packs.keys()];
  }

  add(sha256: string): void {
    if (sha256 === EMPTY_SHA256 || sha256 in this.blobs) return;
    const blob = this.find(sha256);
    if (!blob) throw new Error(`content ${sha256} was neither known nor uploaded`);
    const pack = this.#packs.get(blob.object) ?? this.#packs.size;
    this.#packs.set(blob.object, pack);
    this.blobs[sha256] = { pack, offset: blob.offset, length: blob.length, encoding: blob.encoding };
  }
}

function entryOf(entry: TravellingEntry, places: Places): TreeEntry {
  if (entry.type === 'link') return { type: 'link', ...encodeLink(entry.path, entry.target) };
  if (entry.type === 'directory') return { type: 'directory', ...encodePath(entry.path) };
  const { path, executable, bytes, sha256 } = entry;
  places.add(sha256);
  return { type: 'file', ...encodePath(path), executable, bytes, sha256 };
}
