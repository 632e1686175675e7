export interface InboxOptions {
  /** More waits than is sensible. */
  readonly onFull: () => void;
  readonly onRoom: () => void;
}

const FULL_BYTES = 1 << 20;

/** Bytes that have come and wait for one reader, and the end after them. */
export class Inbox {
  readonly #options: InboxOptions;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isFull = false;
  #end: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#bytes += bytes.byteLength;
    if (!this.#isFull && this.#bytes >= FULL_BYTES) {
      this.#isFull = true;
      this.#options.onFull();
    }
    this.#wake?.();
  }

  /** Nothing comes any more. The first end stands. */
  end(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** To be read first. */
  unread(bytes: Uint8Array): void {
    if (bytes.byteLength > 0) this.#chunks.unshift(bytes);
    this.#bytes += bytes.byteLength;
  }

  /** All that is there, or the first that comes. @throws the end, once everything is read */
  async next(): Promise<Uint8Array> {
    while (this.#chunks.length === 0) {
      if (this.#end) throw this.#end.error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    if (this.#isFull) {
      this.#isFull = false;
      this.#options.onRoom();
    }
    return all;
  }
}
