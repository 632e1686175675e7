import { closeSync, readFileSync, writeFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bucketKeys, bytePathOf, FILE_MARKS, findRawcloudError, fsPath, mapBounded, RawcloudError, showPath } from '../../contract';
import type { Environment, EnvironmentPart, Store } from '../../contract';
import { coalesce } from '../fetch-plan';
import type { FetchOf } from '../fetch-plan';
import { inOrder } from '../in-order';
import { damaged, missing } from '../ref';
import { sha256Of } from '../sha256';
import { isInside } from '../tree-check';
import { TreeWriter, writeFully } from '../tree-writer';
import { decodeChunk } from './codec';
import { placeChunks } from './layout';
import type { PlacedChunk } from './layout';

export interface RestorePartsOptions {
  readonly store: Store;
  readonly environment: Environment;
  /** Of the environment; the others are left where they are. */
  readonly parts: readonly EnvironmentPart[];
  /** Absolute; nothing that matters is in it. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  /** Bytes of files written so far, and all there are. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Requests at once. Each has up to 8 MiB in memory, and a chunk or two of its content. */
const FETCHES = 6;
/** Chunks of one request that are inflated at once: libuv has four threads for it. */
const AHEAD = 2;
/** A connection that was reset costs one more request, not the environment. */
const FETCH_TRIES = 3;
/** Files written between two looks at the event loop. */
const TURN = 100;

/**
 * Writes parts of an environment: chunks side by side, each checked before a byte of it is written, links last. What was
 * built elsewhere is made to name the directory that it lies in now.
 * @throws E_INTEGRITY when something is missing or damaged: then the directory holds nothing that may be used
 */
export async function restoreParts(options: RestorePartsOptions): Promise<void> {
  const { environment, parts, directory, signal } = options;
  mustStayInside(parts);
  const writing = new Writing(options);
  const chunks = placeChunks(environment, parts);
  chunks.sort((a, b) => (a.object === b.object ? a.offset - b.offset : a.object < b.object ? -1 : 1));
  writing.makeEmpty(parts);
  await mapBounded(
    coalesce(chunks, (chunk) => chunk),
    FETCHES,
    (fetch, _index, stop) => writing.fetch(fetch, stop),
    signal ? { signal } : {},
  );
  if (environment.directory !== directory) writing.rename(parts);
  writing.link(parts);
}

function mustStayInside(parts: readonly EnvironmentPart[]): void {
  const paths = parts.flatMap(({ files, links, directories }) => [
    ...files.map(([path]) => path),
    ...links.map(([path]) => path),
    ...directories,
  ]);
  const wrong = paths.find((path) => !isInside(path));
  if (wrong !== undefined)
    throw new RawcloudError('E_INTEGRITY', `the manifest of the environment is refused: its path ${showPath(wrong)} leads out of it`);
}

class Writing {
  readonly #writer: TreeWriter;
  readonly #total: number;
  #done = 0;
  #turn = 0;

  constructor(private readonly options: RestorePartsOptions) {
    this.#writer = new TreeWriter(options.directory);
    this.#total = options.parts.reduce((sum, { files }) => sum + files.reduce((bytes, file) => bytes + file[1], 0), 0);
  }

  /** Directories and files without content. */
  makeEmpty(parts: readonly EnvironmentPart[]): void {
    for (const { directories, files } of parts) {
      for (const path of directories) this.#writer.makeDirectory(path);
      for (const [path, bytes, marks] of files)
        if (bytes === 0) this.#writer.writeFile({ path, executable: isExecutable(marks) }, new Uint8Array());
    }
  }

  async fetch(fetch: FetchOf<PlacedChunk>, signal: AbortSignal): Promise<void> {
    const body = await this.#get(fetch, signal);
    const decode = async (chunk: PlacedChunk): Promise<{ chunk: PlacedChunk; content: Uint8Array }> => {
      const from = chunk.offset - fetch.start;
      const stored = body.subarray(from, from + chunk.length);
      if (sha256Of(stored) !== chunk.sha256) throw damaged('a pack of the environment');
      return { chunk, content: await decodeChunk({ stored, encoding: chunk.encoding }, chunk.bytes) };
    };
    for await (const { chunk, content } of inOrder(fetch.blobs, AHEAD, decode)) await this.#write(chunk, content, signal);
  }

  async #get({ object, start, end }: FetchOf<PlacedChunk>, signal: AbortSignal): Promise<Uint8Array> {
    const { store } = this.options;
    for (let tries = 1; ; tries++) {
      try {
        const found = await store.get(bucketKeys.environmentPack(object), { range: { start, end: end - 1 }, signal });
        if (found === 'absent' || found === 'unchanged' || found.body.byteLength !== end - start)
          throw missing('a pack of the environment');
        return found.body;
      } catch (error) {
        signal.throwIfAborted();
        if (tries === FETCH_TRIES || findRawcloudError(error)) throw error;
      }
    }
  }

  async #write({ pieces }: PlacedChunk, content: Uint8Array, signal: AbortSignal): Promise<void> {
    for (const { path, marks, at, from, length } of pieces) {
      const descriptor = this.#writer.open(path, isExecutable(marks), true);
      try {
        writeFully(descriptor, content.subarray(from, from + length), at);
      } finally {
        closeSync(descriptor);
      }
      if (++this.#turn % TURN !== 0) continue;
      await nextTurn();
      signal.throwIfAborted();
    }
    this.#done += content.byteLength;
    this.options.onProgress?.({ done: this.#done, total: this.#total });
  }

  /** Texts that named the directory of the build name this one. */
  rename(parts: readonly EnvironmentPart[]): void {
    const { environment, directory } = this.options;
    const [from, to] = [bytePathOf(environment.directory), bytePathOf(directory)];
    for (const { files } of parts) {
      for (const [path, , marks] of files) {
        if ((marks & FILE_MARKS.namesDirectory) === 0) continue;
        const file = fsPath(directory, path);
        writeFileSync(file, readFileSync(file, 'latin1').replaceAll(from, to), 'latin1');
      }
    }
  }

  link(parts: readonly EnvironmentPart[]): void {
    const { environment, directory } = this.options;
    const [from, to] = [bytePathOf(environment.directory), bytePathOf(directory)];
    for (const [path, target] of parts.flatMap(({ links }) => links))
      this.#writer.link(path, target === from || target.startsWith(`${from}/`) ? `${to}${target.slice(from.length)}` : target);
  }
}

function isExecutable(marks: number): boolean {
  return (marks & FILE_MARKS.executable) !== 0;
}
