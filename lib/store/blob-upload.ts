import { mapBounded } from '../contract';
import type { Store } from '../contract';
import { encodeBlob, mayShrink } from './compress';
import type { EncodedBlob } from './compress';
import { inOrder } from './in-order';
import { isKept, keepContent } from './keep';
import { PackWriter, PART_BYTES } from './packs';
import type { Pack, PackedBlob } from './packs';
import { readPart } from './read-file';

/** `bytes` has to hold until the next one is asked for. */
export interface SmallBlob {
  readonly sha256: string;
  readonly bytes: Uint8Array;
  /** What {@link mayShrink} says of it. @default - it is asked */
  readonly shrinks?: boolean | undefined;
}

/** A file whose content is stored alone: under its hash, or part by part under theirs. */
export interface LargeBlob {
  readonly sha256: string;
  readonly bytes: number;
  readonly parts?: readonly string[];
  readonly file: string | Buffer;
  readonly name: string;
}

/** An object of the bucket and the blobs in it. */
export interface StoredObject {
  readonly object: string;
  readonly blobs: readonly PackedBlob[];
  /** Bytes that were sent; 0 when the object was there. */
  readonly sentBytes: number;
}

export interface UploadOptions {
  readonly store: Store;
  /** Key of an object by its SHA-256. */
  readonly keyOf: (sha256: string) => string;
  readonly signal?: AbortSignal;
  /** Parts of large files that are known to be there. @default - the store is asked */
  readonly isThere?: (sha256: string) => boolean;
  /** Called before each pack is sent. */
  readonly onSending?: (object: string, blobs: readonly PackedBlob[]) => Promise<void>;
  /** Called after each object, in no particular order. */
  readonly onStored?: (stored: StoredObject) => Promise<void> | void;
}

/** Packs under way at once. Each has up to 20 MB, and another is filled meanwhile: this bounds the memory. */
const PACKS = 2;

/** Parts of large files under way at once, each of up to 8 MiB: one connection does not fill a network. */
const PARTS = 8;

/** Blobs deflated at once: libuv has four threads for it. */
const ENCODERS = 4;

/** Packs blobs in the order given and uploads the packs. The same blobs in the same order give the same objects. */
export async function uploadSmallBlobs(blobs: Iterable<SmallBlob> | AsyncIterable<SmallBlob>, options: UploadOptions): Promise<void> {
  /** Of packs that were sent: to take it again is faster than to get new memory, and bounds what is in use. */
  const spare: Buffer[] = [];
  const uploads = inOrder(packsOf(blobs, spare, options.signal), PACKS, async ({ memory, ...pack }) => {
    await options.onStored?.(await putPack(pack, options));
    spare.push(memory);
  });
  for await (const _stored of uploads);
}

async function* packsOf(
  blobs: Iterable<SmallBlob> | AsyncIterable<SmallBlob>,
  spare: Buffer[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Pack & { readonly memory: Buffer }> {
  let writer = new PackWriter(spare.pop());
  for await (const { blob, encoded } of encodeInOrder(blobs)) {
    signal?.throwIfAborted();
    writer.add(blob, encoded);
    if (!writer.isFull) continue;
    yield writer.finish();
    writer = new PackWriter(spare.pop());
  }
  if (!writer.isEmpty) yield writer.finish();
}

interface EncodedSmallBlob {
  readonly blob: { readonly sha256: string; readonly bytes: number };
  readonly encoded: EncodedBlob;
}

/** What will not shrink goes through as it is; the rest is copied and deflated beside one another, in the order given. */
async function* encodeInOrder(blobs: Iterable<SmallBlob> | AsyncIterable<SmallBlob>): AsyncGenerator<EncodedSmallBlob> {
  const waiting: Promise<EncodedSmallBlob>[] = [];
  try {
    for await (const { sha256, bytes, shrinks = mayShrink(bytes) } of blobs) {
      const blob = { sha256, bytes: bytes.byteLength };
      if (waiting.length === 0 && !shrinks) {
        yield { blob, encoded: { stored: bytes, encoding: 'raw' } };
        continue;
      }
      const result = encodeBlob(Uint8Array.from(bytes), shrinks).then((done) => ({ blob, encoded: done }));
      // It is awaited below, in its turn: until then a failure has been seen to.
      result.catch(() => undefined);
      waiting.push(result);
      if (waiting.length >= ENCODERS) yield await waiting.shift()!;
    }
    while (waiting.length > 0) yield await waiting.shift()!;
  } finally {
    await Promise.allSettled(waiting);
  }
}

async function putPack(pack: Pack, { store, keyOf, signal, onSending }: UploadOptions): Promise<StoredObject> {
  await onSending?.(pack.sha256, pack.blobs);
  const isSent = await keepContent(store, keyOf(pack.sha256), pack.bytes, { sha256: pack.sha256, ...(signal ? { signal } : {}) });
  return { object: pack.sha256, blobs: pack.blobs, sentBytes: isSent ? pack.bytes.byteLength : 0 };
}

/**
 * Uploads large files part by part, unless a part is there: asking costs one request, sending it a second.
 * @throws E_FILE_CHANGED when one is no longer what it was
 */
export async function uploadLargeBlobs(blobs: readonly LargeBlob[], options: UploadOptions): Promise<void> {
  const { store, keyOf, isThere } = options;
  await mapBounded(
    blobs.flatMap(partsOf),
    PARTS,
    async (part, _index, signal) => {
      const { sha256, bytes, file, name } = part;
      const isSent = !isThere?.(sha256) && !(await isKept(store, keyOf(sha256), { signal }));
      // A look and a write are not one: who came in between has sent the same bytes.
      if (isSent) await store.put(keyOf(sha256), await readPart(file, name, part), { sha256, signal });
      await options.onStored?.({ object: sha256, blobs: [ownObject(sha256, bytes)], sentBytes: isSent ? bytes : 0 });
    },
    options.signal ? { signal: options.signal } : {},
  );
}

function partsOf({ sha256, bytes, parts = [sha256], file, name }: LargeBlob): (Omit<LargeBlob, 'parts'> & { readonly start: number })[] {
  return parts.map((part, index) => {
    const start = index * PART_BYTES;
    return { sha256: part, start, bytes: parts.length === 1 ? bytes : Math.min(PART_BYTES, bytes - start), file, name };
  });
}

/** A blob that is an object by itself. */
export function ownObject(sha256: string, bytes: number): PackedBlob {
  return { sha256, offset: 0, length: bytes, encoding: 'raw', bytes };
}

/** Whether an object is there, by its first byte. */
export async function isStored(store: Store, key: string, signal?: AbortSignal): Promise<boolean> {
  return (await store.get(key, { range: { start: 0, end: 0 }, ...(signal ? { signal } : {}) })) !== 'absent';
}
