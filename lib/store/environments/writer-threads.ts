import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { isRawcloudError, RawcloudError, systemCode } from '../../contract';
import type { ErrorCode } from '../../contract';
import { ChunkWriter } from './chunk-writer';
import type { FetchedChunks } from './chunk-writer';

/*
 * Making files is work of the kernel's, done for one thread at a time, and what is inflated for them is garbage soon: threads
 * have their own heaps, which hold nothing else to look through.
 */

/** What a thread is told when it is started. */
interface Start {
  readonly rawcloudWriter: { readonly directory: string };
}

interface Answer {
  readonly failure?: { readonly message: string; readonly code?: ErrorCode; readonly system?: string };
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** In a thread that {@link WriterThreads} has started: writes what it is sent, until the thread is ended. @returns false elsewhere */
export function serveAsWriter(): boolean {
  const { rawcloudWriter } = (workerData ?? {}) as Partial<Start>;
  if (isMainThread || !rawcloudWriter) return false;
  const writer = new ChunkWriter(rawcloudWriter.directory);
  let last = Promise.resolve();
  parentPort!.on('message', (fetched: FetchedChunks) => {
    // One after another: answers come in the order of the questions.
    last = last.then(async () => parentPort!.postMessage(await write(writer, fetched)));
  });
  return true;
}

async function write(writer: ChunkWriter, fetched: FetchedChunks): Promise<Answer> {
  try {
    await writer.write(fetched);
    return {};
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (isRawcloudError(error)) return { failure: { message, code: error.code } };
    const system = systemCode(error);
    return { failure: { message, ...(system === undefined ? {} : { system }) } };
  }
}

/** Threads that write below one directory, each what it is sent. */
export class WriterThreads {
  readonly #threads: Thread[];

  /** @param program file that calls {@link serveAsWriter} before anything else */
  constructor(program: string, directory: string, count: number) {
    this.#threads = Array.from({ length: count }, () => new Thread(program, directory));
  }

  /** By the one with the least to do. The body is its from now on. */
  write(fetched: FetchedChunks): Promise<void> {
    return this.#threads.reduce((a, b) => (b.waiting < a.waiting ? b : a)).write(fetched);
  }

  /** Nothing is written any more once it resolves. */
  async end(): Promise<void> {
    for (const thread of this.#threads) await thread.end();
  }
}

class Thread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #failure: Error | undefined;

  constructor(program: string, directory: string) {
    const start: Start = { rawcloudWriter: { directory } };
    this.#worker = new Worker(program, { workerData: start, argv: [] });
    this.#worker.on('message', ({ failure }: Answer) => {
      const { resolve, reject } = this.#waiting.shift()!;
      if (failure) reject(errorOf(failure));
      else resolve();
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new RawcloudError('E_INTERNAL', 'a thread that writes files has ended too early')));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  write({ body, start, chunks }: FetchedChunks): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting.push({ resolve, reject });
      const own = isAlone(body) ? (body as Uint8Array<ArrayBuffer>) : Uint8Array.from(body);
      this.#worker.postMessage({ body: own, start, chunks }, [own.buffer]);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

/** A small Buffer is a piece of one that others have pieces of. */
function isAlone({ buffer, byteLength }: Uint8Array): boolean {
  return buffer.byteLength === byteLength;
}

function errorOf({ message, code, system }: NonNullable<Answer['failure']>): Error {
  if (code !== undefined) return new RawcloudError(code, message);
  return Object.assign(new Error(message), system === undefined ? {} : { code: system });
}
