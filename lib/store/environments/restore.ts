import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { bucketKeys, bytePathOf, FILE_MARKS, findRawcloudError, fsPath, mapBounded, RawcloudError, showPath } from '../../contract';
import type { Environment, EnvironmentPart, Store } from '../../contract';
import { coalesce } from '../fetch-plan';
import type { FetchOf } from '../fetch-plan';
import { missing } from '../ref';
import { isInside } from '../tree-check';
import { ChunkWriter, isExecutable } from './chunk-writer';
import { placeChunks } from './layout';
import type { PlacedChunk } from './layout';
import { WriterThreads } from './writer-threads';

export interface RestorePartsOptions {
  readonly store: Store;
  readonly environment: Environment;
  /** Of the environment; the others are left where they are. */
  readonly parts: readonly EnvironmentPart[];
  /** Absolute; nothing that matters is in it. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  /** File that {@link WriterThreads} may be started with. @default - all is written by this thread */
  readonly program?: string;
  /** Bytes of files written so far, and all there are. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Requests at once. Each has up to 8 MiB in memory, and a chunk or two of its content. */
const FETCHES = 6;
/** A connection that was reset costs one more request, not the environment. */
const FETCH_TRIES = 3;
/** Threads to write in, one for each core: with more the disk is what is waited for. */
const MOST_THREADS = 4;
/** Of memory in the machine: with threads some 400 MiB are used, without 230 MiB. */
const THREADS_NEED_BYTES = 1.5 * 2 ** 30;
/** A thread takes some 30 ms to start. */
const THREADS_PAY_BYTES = 32 * 2 ** 20;

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
  try {
    writing.makeEmpty(parts);
    await mapBounded(
      coalesce(chunks, (chunk) => chunk),
      FETCHES,
      (fetch, _index, stop) => writing.fetch(fetch, stop),
      signal ? { signal } : {},
    );
  } finally {
    await writing.endThreads();
  }
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
  readonly #writer: ChunkWriter;
  readonly #threads: WriterThreads | undefined;
  readonly #total: number;
  #done = 0;

  constructor(private readonly options: RestorePartsOptions) {
    const { parts, directory, program } = options;
    this.#total = parts.reduce((sum, { files }) => sum + files.reduce((bytes, file) => bytes + file[1], 0), 0);
    this.#writer = new ChunkWriter(directory);
    const cores = availableParallelism();
    const pays = program !== undefined && cores > 1 && totalmem() >= THREADS_NEED_BYTES && this.#total >= THREADS_PAY_BYTES;
    this.#threads = pays ? new WriterThreads(program, directory, Math.min(cores, MOST_THREADS)) : undefined;
  }

  /** Directories and files without content. */
  makeEmpty(parts: readonly EnvironmentPart[]): void {
    const { files: writer } = this.#writer;
    for (const { directories, files } of parts) {
      for (const path of directories) writer.makeDirectory(path);
      for (const [path, bytes, marks] of files)
        if (bytes === 0) writer.writeFile({ path, executable: isExecutable(marks) }, new Uint8Array());
    }
  }

  async fetch(fetch: FetchOf<PlacedChunk>, signal: AbortSignal): Promise<void> {
    const fetched = { body: await this.#get(fetch, signal), start: fetch.start, chunks: fetch.blobs };
    signal.throwIfAborted();
    await (this.#threads ? this.#threads.write(fetched) : this.#writer.write(fetched, signal));
    this.#done += fetch.blobs.reduce((sum, { bytes }) => sum + bytes, 0);
    this.options.onProgress?.({ done: this.#done, total: this.#total });
  }

  /** Nothing is written after it but by {@link rename} and {@link link}. */
  async endThreads(): Promise<void> {
    await this.#threads?.end();
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
      this.#writer.files.link(path, target === from || target.startsWith(`${from}/`) ? `${to}${target.slice(from.length)}` : target);
  }
}
