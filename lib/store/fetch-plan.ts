import type { BytePath, Tree } from '../contract';
import { EMPTY_SHA256 } from './sha256';
import type { PackedAt, PartedAt, SafeEntry } from './tree-check';
import { placeOf } from './tree-check';

/** Content that is wanted at some paths. */
interface Wanted<Place> {
  readonly sha256: string;
  readonly bytes: number;
  readonly place: Place;
  readonly targets: readonly { readonly path: BytePath; readonly executable: boolean }[];
}
export type WantedBlob = Wanted<PackedAt>;

/** Content that does not fit into memory, and the requests that bring it, in order. */
export interface LargeBlob extends Omit<WantedBlob, 'place'> {
  readonly pieces: readonly Piece[];
}

/** Some bytes of a large blob. `end` is exclusive. */
export interface Piece {
  readonly object: string;
  readonly start: number;
  readonly end: number;
  /** Where they begin in the file. */
  readonly at: number;
  /** Whether they are the whole object, and so have the hash that is its name. */
  readonly isWhole: boolean;
}

/** One request: things that lie close together in one object. `end` is exclusive. */
export interface FetchOf<T> {
  readonly object: string;
  readonly start: number;
  readonly end: number;
  readonly blobs: readonly T[];
}
export type Fetch = FetchOf<WantedBlob>;

export interface FetchPlan {
  readonly fetches: readonly Fetch[];
  /** Fetched piece by piece: they do not fit into memory. */
  readonly large: readonly LargeBlob[];
  readonly empty: readonly WantedBlob['targets'][number][];
}

/** Most bytes of one request, and of a blob that is kept in memory. */
export const FETCH_BYTES = 8 * 2 ** 20;

/** Bytes between two wanted blobs that are faster fetched along than skipped: a request waits 20 ms, a connection does 90 MB/s. */
const GAP_BYTES = 512 * 1024;

/** Which bytes to fetch for which files. @throws E_INTEGRITY when the manifest does not say where content lies */
export function planFetches(tree: Tree, entries: readonly SafeEntry[]): FetchPlan {
  const blobs = wantedBlobs(tree, entries);
  const small = blobs.filter((blob) => !isEmpty(blob)).filter(isSmall);
  small.sort((a, b) => a.place.pack - b.place.pack || a.place.offset - b.place.offset);
  return {
    fetches: coalesce(small, ({ place }) => place),
    large: blobs
      .filter((blob) => !isSmall(blob))
      .map(({ place, ...blob }) => ({ ...blob, pieces: [...('objects' in place ? partsOf(place, blob.bytes) : rangesOf(place))] })),
    empty: blobs.filter(isEmpty).flatMap((blob) => blob.targets),
  };
}

/** No content has to lie nowhere. */
function isEmpty({ sha256 }: { readonly sha256: string }): boolean {
  return sha256 === EMPTY_SHA256;
}

function isSmall(blob: Wanted<PackedAt | PartedAt>): blob is WantedBlob {
  return !('objects' in blob.place) && (blob.place.encoding !== 'raw' || blob.bytes <= FETCH_BYTES);
}

function* partsOf({ objects, partBytes }: PartedAt, bytes: number): Generator<Piece> {
  for (const [index, object] of objects.entries()) {
    const at = index * partBytes;
    yield { object, start: 0, end: Math.min(partBytes, bytes - at), at, isWhole: true };
  }
}

function* rangesOf({ object, offset, length }: PackedAt): Generator<Piece> {
  for (let at = 0; at < length; at += FETCH_BYTES)
    yield { object, start: offset + at, end: offset + Math.min(length, at + FETCH_BYTES), at, isWhole: false };
}

function wantedBlobs(tree: Tree, entries: readonly SafeEntry[]): Wanted<PackedAt | PartedAt>[] {
  const wanted = new Map<string, { readonly bytes: number; readonly targets: WantedBlob['targets'][number][] }>();
  for (const entry of entries) {
    if (entry.type !== 'file') continue;
    const blob = wanted.get(entry.sha256) ?? { bytes: entry.bytes, targets: [] };
    blob.targets.push(entry);
    wanted.set(entry.sha256, blob);
  }
  return [...wanted].map(([sha256, { bytes, targets }]) => {
    const place = isEmpty({ sha256 })
      ? { pack: 0, offset: 0, length: 0, encoding: 'raw' as const, object: '' }
      : placeOf(tree, { sha256, bytes }, targets[0]!.path);
    return { sha256, bytes, place, targets };
  });
}

/** Few requests for many things, which are sorted by object and offset. */
export function coalesce<T>(
  sorted: readonly T[],
  where: (thing: T) => { readonly object: string; readonly offset: number; readonly length: number },
): FetchOf<T>[] {
  const fetches: { object: string; start: number; end: number; blobs: T[] }[] = [];
  for (const thing of sorted) {
    const { object, offset, length } = where(thing);
    const last = fetches.at(-1);
    const end = offset + length;
    if (last?.object === object && offset - last.end <= GAP_BYTES && end - last.start <= FETCH_BYTES) {
      last.blobs.push(thing);
      last.end = Math.max(last.end, end);
    } else fetches.push({ object, start: offset, end, blobs: [thing] });
  }
  return fetches;
}
