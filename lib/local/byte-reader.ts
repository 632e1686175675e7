import { ServiceError } from './service';

/** Reads lines and counted bytes from a stream of chunks, without copying the bytes. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The bytes up to the next LF, without it and a CR before it. @throws ServiceError when the stream ends first */
  async line(maxBytes: number): Promise<string> {
    let end = this.#rest.indexOf(10);
    while (end < 0) {
      if (this.#rest.byteLength > maxBytes)
        throw new ServiceError(400, 'InvalidRequest', `a line of the body is longer than ${maxBytes} bytes`);
      this.#rest = Buffer.concat([this.#rest, await this.#next()]);
      end = this.#rest.indexOf(10);
    }
    const line = this.#rest.toString('latin1', 0, end > 0 && this.#rest[end - 1] === 13 ? end - 1 : end);
    this.#rest = this.#rest.subarray(end + 1);
    return line;
  }

  /** The next `count` bytes, in pieces as they come. @throws ServiceError when the stream ends first */
  async *take(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0;) {
      if (this.#rest.byteLength === 0) this.#rest = await this.#next();
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.byteLength);
      left -= piece.byteLength;
      yield piece;
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #next(): Promise<Buffer> {
    const next = await this.#source.next();
    if (next.done) throw incompleteBody();
    return Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
  }
}

export function incompleteBody(): ServiceError {
  return new ServiceError(400, 'IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header');
}
