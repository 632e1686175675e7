import type { OutputStream } from './io';

/** Errors of a stream whose reader went away: `| head`, a closed terminal. */
const READER_GONE = new Set(['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED']);

/** Writes to a stream with back-pressure, and knows when nobody reads it any more. */
export class Sink {
  readonly #gone = new AbortController();
  #failure: Error | undefined;

  constructor(readonly stream: OutputStream) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!READER_GONE.has(error.code ?? '')) this.#failure ??= error;
      this.#gone.abort();
    });
  }

  /** Aborted once the reader is gone; from then on writes do nothing. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /**
   * Resolves when the stream takes more.
   * @throws the stream's error when it failed for another reason than a reader that left (a full disk)
   */
  async write(data: Uint8Array | string): Promise<void> {
    this.#check();
    if (this.gone.aborted || this.stream.write(data)) return;
    await this.#drained();
    this.#check();
  }

  /** Resolves when everything is handed to the operating system, or the reader is gone. */
  async flush(): Promise<void> {
    if (this.gone.aborted) return;
    await new Promise<void>((resolve) => {
      this.gone.addEventListener('abort', () => resolve(), { once: true });
      this.stream.write('', () => resolve());
    });
  }

  async #drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        this.stream.removeListener('drain', done);
        this.gone.removeEventListener('abort', done);
        resolve();
      };
      this.stream.on('drain', done);
      this.gone.addEventListener('abort', done);
    });
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }
}
