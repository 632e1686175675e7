import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { closeSync, ftruncateSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bucketKeys, fsPath, mapBounded, RawcloudError, showPath } from '../contract';
import type { Ref, Store, Tree, TreeChange } from '../contract';
import { decodeBlob } from './compress';
import { planFetches } from './fetch-plan';
import type { Fetch, LargeBlob, Piece, WantedBlob } from './fetch-plan';
import { inOrder } from './in-order';
import { damaged, fetchRef, missing } from './ref';
import { sha256Of } from './sha256';
import { applyChange } from './tree-change';
import { safeEntries } from './tree-check';
import type { SafeEntry } from './tree-check';
import { decodeTree } from './tree-codec';
import { holdsBytes, TreeWriter, writeFully } from './tree-writer';

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
  /** Pieces of large files that are there already are not fetched again. @default false */
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
  /** So much more of the files' content is there. */
  readonly onBytes?: (bytes: number) => void;
}

export interface RestoreOptions extends WriteOptions {
  /** The tree's manifest. */
  readonly ref: Ref;
}

/** Requests at once for small files, each of at most 8 MiB in memory. */
const FETCHES = 6;

/** Pieces of large files under way: one connection does not fill a VM's network. */
const PIECES = 8;

/** Blobs of one request that are inflated at once: libuv has four threads for it. */
const DECODERS = 4;

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
  await writing.stream(plan.large);
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
    for await (const { blob, content } of inOrder(fetch.blobs, DECODERS, decode)) {
      signal.throwIfAborted();
      if (content.byteLength !== blob.bytes || sha256Of(content) !== blob.sha256) throw damaged(nameOf(blob));
      for (const target of blob.targets) await this.write(target, content);
      this.options.onBytes?.(content.byteLength * blob.targets.length);
    }
  }

  /** Fetches large blobs piece by piece, some ahead of the one that is written. */
  async stream(blobs: readonly LargeBlob[]): Promise<void> {
    let file: LargeFile | undefined;
    try {
      for await (const { blob, piece, body } of inOrder(piecesOf(blobs), PIECES, (wanted) => this.#fetchPiece(wanted))) {
        this.options.signal?.throwIfAborted();
        file ??= new LargeFile(this.writer, blob, this.options.resume ?? false);
        file.take(piece, body);
        this.options.onBytes?.(piece.end - piece.start);
        if (piece !== blob.pieces.at(-1)) continue;
        file.finish();
        file = undefined;
        await this.#count();
        for (const target of blob.targets.slice(1)) {
          this.writer.copyFile(blob.targets[0]!.path, target);
          this.options.onBytes?.(blob.bytes);
          await this.#count();
        }
      }
    } finally {
      file?.close();
    }
  }

  /** @returns without a body when it is there already */
  async #fetchPiece({ blob, piece }: WantedPiece): Promise<WantedPiece & { readonly body?: Uint8Array }> {
    const { resume, directory, signal } = this.options;
    const name = nameOf(blob);
    if (resume && piece.isWhole && holdsBytes(fsPath(directory, blob.targets[0]!.path), piece, piece.object)) return { blob, piece };
    const body = await this.#get(piece.object, piece, name, signal);
    if (piece.isWhole && sha256Of(body) !== piece.object) throw damaged(name);
    return { blob, piece, body };
  }

  /** Bytes from `start` up to, and without, `end`. */
  async #get(
    object: string,
    { start, end }: { readonly start: number; readonly end: number },
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const { store, keyOf = bucketKeys.file } = this.options;
    const found = await store.get(keyOf(object), { range: { start, end: end - 1 }, ...(signal ? { signal } : {}) });
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

interface WantedPiece {
  readonly blob: LargeBlob;
  readonly piece: Piece;
}

function* piecesOf(blobs: readonly LargeBlob[]): Generator<WantedPiece> {
  for (const blob of blobs) for (const piece of blob.pieces) yield { blob, piece };
}

/** A large file that is being written, from its first byte to its last. */
class LargeFile {
  readonly #descriptor: number;
  /** Of pieces that have no hash of their own. */
  readonly #hash: Hash | undefined;

  constructor(
    writer: TreeWriter,
    private readonly blob: LargeBlob,
    keep: boolean,
  ) {
    const { path, executable } = blob.targets[0]!;
    this.#descriptor = writer.open(path, executable, keep);
    this.#hash = blob.pieces.every(({ isWhole }) => isWhole) ? undefined : createHash('sha256');
  }

  take({ at }: Piece, body: Uint8Array | undefined): void {
    if (!body) return;
    this.#hash?.update(body);
    writeFully(this.#descriptor, body, at);
  }

  finish(): void {
    if (this.#hash && this.#hash.digest('hex') !== this.blob.sha256) throw damaged(nameOf(this.blob));
    ftruncateSync(this.#descriptor, this.blob.bytes);
    this.close();
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function nameOf(blob: Pick<WantedBlob, 'targets'>): string {
  return `the content of ${showPath(blob.targets[0]!.path)}`;
}
