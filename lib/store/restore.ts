import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bucketKeys, mapBounded, RawcloudError, showPath } from '../contract';
import type { Ref, Store, Tree, TreeChange } from '../contract';
import { decodeBlob } from './compress';
import { FETCH_BYTES, planFetches } from './fetch-plan';
import type { Fetch, WantedBlob } from './fetch-plan';
import { inOrder } from './in-order';
import { damaged, fetchRef, missing } from './ref';
import { sha256Of } from './sha256';
import { applyChange } from './tree-change';
import { safeEntries } from './tree-check';
import type { SafeEntry } from './tree-check';
import { decodeTree } from './tree-codec';
import { TreeWriter, writeFully } from './tree-writer';

/** Files written so far, and all there are. */
export interface RestoreProgress {
  readonly done: number;
  readonly total: number;
}

export interface WriteOptions {
  readonly store: Store;
  /** Made when it is not there. */
  readonly directory: string;
  /** Key of an object by its SHA-256. @default bucketKeys.file */
  readonly keyOf?: (sha256: string) => string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
}

export interface RestoreOptions extends WriteOptions {
  /** The tree's manifest. */
  readonly ref: Ref;
}

/** Requests at once, each of at most {@link FETCH_BYTES} in memory. */
const FETCHES = 6;

/** Large files at once, and pieces of each under way: one connection does not fill a VM's network. */
const LARGE_FILES = 2;
const PIECES = 4;

/** Files written between two looks at the event loop. */
const TURN = 100;

/**
 * Writes a tree as its manifest says: files with their content checked against its hash, empty directories, links at last.
 * Nothing is written outside `directory`. Memory stays bounded (about 100 MB) whatever the tree's size.
 * @throws E_INTEGRITY when content or manifest is not what it should be
 */
export async function restoreTree(options: RestoreOptions): Promise<Tree> {
  const tree = await fetchTree(options);
  await writeEntries(tree, safeEntries(tree), options);
  return tree;
}

/** The manifest, checked against its hash, and with it the one that it changes. @throws E_INTEGRITY, E_NEWER, E_RECORD */
export async function fetchTree({
  store,
  ref,
  keyOf = bucketKeys.file,
  signal,
}: Pick<RestoreOptions, 'store' | 'ref' | 'keyOf' | 'signal'>): Promise<Tree> {
  const read = async (one: Ref): Promise<Tree | TreeChange> => decodeTree(await fetchRef(store, one, keyOf(one.sha256), signal));
  const found = await read(ref);
  if (!('base' in found)) return found;
  const base = await read(found.base);
  if ('base' in base) throw new RawcloudError('E_INTEGRITY', 'the tree manifest changes one that is itself a change of another');
  return applyChange(base, found);
}

/** Writes some entries of a tree, or all. */
export async function writeEntries(tree: Tree, entries: readonly SafeEntry[], options: WriteOptions): Promise<void> {
  const writing = new Writing(options, entries.filter((entry) => entry.type === 'file').length);
  const plan = planFetches(tree, entries);
  const signal = options.signal ? { signal: options.signal } : {};
  for (const entry of entries) if (entry.type === 'directory') writing.writer.makeDirectory(entry.path);
  for (const target of plan.empty) await writing.write(target, new Uint8Array());
  await mapBounded(plan.fetches, FETCHES, (fetch, _index, stop) => writing.fetch(fetch, stop), signal);
  await mapBounded(plan.large, LARGE_FILES, (blob, _index, stop) => writing.stream(blob, stop), signal);
  for (const entry of entries) if (entry.type === 'link') writing.writer.link(entry.path, entry.target);
}

class Writing {
  readonly writer: TreeWriter;
  #done = 0;

  constructor(
    private readonly options: WriteOptions,
    private readonly total: number,
  ) {
    this.writer = new TreeWriter(options.directory);
  }

  async write(target: WantedBlob['targets'][number], bytes: Uint8Array): Promise<void> {
    this.writer.writeFile(target, bytes);
    await this.#count();
  }

  /** Fetches blobs that lie together, checks and writes each. */
  async fetch(fetch: Fetch, signal: AbortSignal): Promise<void> {
    const body = await this.#get(fetch.object, fetch, nameOf(fetch.blobs[0]!), signal);
    const decode = async (blob: WantedBlob): Promise<{ blob: WantedBlob; content: Uint8Array }> => {
      const from = blob.place.offset - fetch.start;
      const stored = body.subarray(from, from + blob.place.length);
      return { blob, content: await decodeBlob({ stored, encoding: blob.place.encoding }, blob.bytes, nameOf(blob)) };
    };
    for await (const { blob, content } of inOrder(fetch.blobs, PIECES, decode)) {
      signal.throwIfAborted();
      if (content.byteLength !== blob.bytes || sha256Of(content) !== blob.sha256) throw damaged(nameOf(blob));
      for (const target of blob.targets) await this.write(target, content);
    }
  }

  /** Fetches a blob piece by piece, some ahead of the one that is written. */
  async stream(blob: WantedBlob, signal: AbortSignal): Promise<void> {
    const [first, ...others] = blob.targets;
    const hash = createHash('sha256');
    const descriptor = this.writer.open(first!.path, first!.executable);
    try {
      for await (const piece of inOrder(piecesOf(blob), PIECES, (range) => this.#get(blob.place.object, range, nameOf(blob), signal))) {
        hash.update(piece);
        writeFully(descriptor, piece);
      }
    } finally {
      closeSync(descriptor);
    }
    if (hash.digest('hex') !== blob.sha256) throw damaged(nameOf(blob));
    await this.#count();
    for (const target of others) {
      this.writer.copyFile(first!.path, target);
      await this.#count();
    }
  }

  /** Bytes from `start` up to, and without, `end`. */
  async #get(object: string, { start, end }: { start: number; end: number }, name: string, signal: AbortSignal): Promise<Uint8Array> {
    const { store, keyOf = bucketKeys.file } = this.options;
    const found = await store.get(keyOf(object), { range: { start, end: end - 1 }, signal });
    if (found === 'absent' || found === 'unchanged' || found.body.byteLength !== end - start) throw missing(name);
    return found.body;
  }

  async #count(): Promise<void> {
    this.#done++;
    if (this.#done % TURN !== 0 && this.#done !== this.total) return;
    this.options.onProgress?.({ done: this.#done, total: this.total });
    await nextTurn();
  }
}

function* piecesOf({ place }: WantedBlob): Generator<{ start: number; end: number }> {
  const end = place.offset + place.length;
  for (let start = place.offset; start < end; start += FETCH_BYTES) yield { start, end: Math.min(end, start + FETCH_BYTES) };
}

function nameOf(blob: WantedBlob): string {
  return `the content of ${showPath(blob.targets[0]!.path)}`;
}
