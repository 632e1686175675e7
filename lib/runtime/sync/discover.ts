import { bucketKeys, mapBounded } from '../../contract';
import type { Store, StoreEntry } from '../../contract';
import { ownObject } from '../../store/blob-upload';
import { FOOTER_BYTES, PACK_BYTES, PART_BYTES, readPackTail, SMALL_BLOB_BYTES } from '../../store/packs';
import type { PackedBlob } from '../../store/packs';

/** Packs whose index is read: the newest, up to some 3 GB of small files. */
const MOST_PACKS = 200;

/** Requests at once. */
const READS = 8;

/** Read first of a pack's end: an index of 600 blobs. */
const TAIL_BYTES = 64 * 1024;

/** The last blob of a pack and its index go beyond the size at which it is closed. */
const LARGEST_PACK_BYTES = PACK_BYTES + SMALL_BLOB_BYTES + 16 * 2 ** 20;

export interface FoundObject {
  readonly object: string;
  readonly blobs: readonly PackedBlob[];
}

/**
 * What the bucket tells of its own files: large ones by their keys, small ones by the indexes of the newest packs.
 * Other objects (manifests, stdin) are given without blobs in them.
 */
export async function discoverObjects(store: Store, signal?: AbortSignal): Promise<FoundObject[]> {
  const options = signal ? { signal } : {};
  const entries: StoreEntry[] = [];
  for await (const entry of store.list(bucketKeys.files, options)) entries.push(entry);
  // What has the length of a part is one: no pack that there ever was is worth reading the ends of all parts.
  const mayBePack = ({ bytes }: StoreEntry): boolean => bytes > FOOTER_BYTES && bytes <= LARGEST_PACK_BYTES && bytes !== PART_BYTES;
  const packs = entries.filter(mayBePack).sort((a, b) => b.modified - a.modified);
  const read = await mapBounded(
    packs.slice(0, MOST_PACKS),
    READS,
    async (entry, _index, stop) => ({ entry, blobs: await readIndex(store, entry, stop) }),
    options,
  );
  const indexes = new Map(read.map(({ entry, blobs }) => [entry.key, blobs]));
  return entries.map((entry) => {
    const object = entry.key.slice(bucketKeys.files.length);
    const own = entry.bytes >= SMALL_BLOB_BYTES ? [ownObject(object, entry.bytes)] : [];
    return { object, blobs: indexes.get(entry.key) ?? own };
  });
}

/** @returns undefined for what is no pack, or has gone */
async function readIndex(store: Store, { key, bytes }: StoreEntry, signal: AbortSignal): Promise<readonly PackedBlob[] | undefined> {
  for (let last = Math.min(bytes, TAIL_BYTES); ;) {
    const found = await store.get(key, { range: { last }, signal });
    if (found === 'absent' || found === 'unchanged') return undefined;
    const tail = readPackTail(found.body);
    if (tail.kind === 'pack') return tail.blobs;
    if (tail.kind === 'other' || tail.bytes > bytes || tail.bytes <= last) return undefined;
    last = tail.bytes;
  }
}
