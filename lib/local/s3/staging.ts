import { createHash } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checksum, type ChecksumName, createChecksum } from '../checksums';
import { footerOf } from './object-file';

/** Bodies up to this length wait in memory and are written in one go. */
const IN_MEMORY_BYTES = 256 * 1024;

/** Of longer ones so much is written at once: to go to another thread and back for each 64 KiB that come takes longer than to write them. */
const WRITE_BYTES = 2 ** 20;

/** A body that has arrived whole and right, and is not visible yet. */
export interface Staged {
  readonly bytes: number;
  readonly md5: Buffer;
  /** Of the algorithm asked for, base64. */
  readonly checksum: string | undefined;
  /** Completes the file. After it, {@link place} or {@link discard}. */
  seal(record: object): Promise<void>;
  /** Moves the sealed file to where it belongs, in this very tick. */
  place(path: string): void;
  discard(): Promise<void>;
}

/** Takes bodies in, in files of its own directory. */
export class Staging {
  #next = 0;

  constructor(readonly directory: string) {}

  /** Reads a body to its end; nothing stays behind when that fails. */
  async receive(body: AsyncIterable<Uint8Array>, options: { checksum?: ChecksumName } = {}): Promise<Staged> {
    const draft = new Draft(join(this.directory, `${process.pid}-${this.#next++}`), options.checksum);
    try {
      for await (const chunk of body) await draft.add(chunk);
      return draft;
    } catch (error) {
      await draft.discard();
      throw error;
    }
  }
}

class Draft implements Staged {
  bytes = 0;
  readonly #path: string;
  readonly #md5 = createHash('md5');
  readonly #checksum: Checksum | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #file: FileHandle | undefined;
  #digests: { md5: Buffer; checksum: string | undefined } | undefined;

  constructor(path: string, checksum: ChecksumName | undefined) {
    this.#path = path;
    this.#checksum = checksum && createChecksum(checksum);
  }

  get md5(): Buffer {
    return this.#digest().md5;
  }

  get checksum(): string | undefined {
    return this.#digest().checksum;
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.bytes += chunk.byteLength;
    this.#md5.update(chunk);
    this.#checksum?.update(chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes <= (this.#file ? WRITE_BYTES : IN_MEMORY_BYTES)) return;
    this.#file ??= await open(this.#path, 'wx', 0o600);
    await this.#flush(this.#file);
  }

  async seal(record: object): Promise<void> {
    this.#waiting.push(footerOf(record));
    if (this.#file) {
      await this.#flush(this.#file);
      await this.#file.close();
      this.#file = undefined;
    } else {
      // For a small body the synchronous calls take a tenth of the time of the asynchronous ones.
      writeFileSync(this.#path, Buffer.concat(this.#waiting), { mode: 0o600, flag: 'wx' });
    }
    this.#waiting = [];
  }

  place(path: string): void {
    renameSync(this.#path, path);
  }

  async discard(): Promise<void> {
    this.#waiting = [];
    await this.#file?.close();
    this.#file = undefined;
    rmSync(this.#path, { force: true });
  }

  async #flush(file: FileHandle): Promise<void> {
    const chunks = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    let left = chunks.reduce((sum, c) => sum + c.byteLength, 0);
    for (let rest = chunks; left > 0;) {
      const { bytesWritten } = await file.writev(rest);
      left -= bytesWritten;
      if (left > 0) rest = [Buffer.concat(rest).subarray(bytesWritten)];
    }
  }

  #digest(): { md5: Buffer; checksum: string | undefined } {
    this.#digests ??= { md5: this.#md5.digest(), checksum: this.#checksum?.digest().toString('base64') };
    return this.#digests;
  }
}
