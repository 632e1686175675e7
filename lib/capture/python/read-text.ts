import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hasCode, systemClock } from '../../contract';
import type { Clock } from '../../contract';

/** undefined when there is no such file; what cannot be read otherwise fails. */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Of one small file; on a disk of this machine it takes some 0.02 ms. */
const FAR_MS = 2;
const FAR_READS = 5;

/** Room for the head of most files that have one. */
const HEAD_BYTES = 8192;

/**
 * Reads many small files one after the other without asking the thread pool, which takes five times as long as reading them; once
 * several have taken long (a network disk), it does, so that many are under way at once.
 */
export class TextReader {
  readonly #room = Buffer.allocUnsafeSlow(HEAD_BYTES);
  #slow = 0;

  constructor(private readonly clock: Pick<Clock, 'now'> = systemClock) {}

  /** Whether what is read next is better waited for, with others beside it. */
  get isFar(): boolean {
    return this.#slow >= FAR_READS;
  }

  /** undefined when there is no such file. */
  read(file: string): string | undefined | Promise<string | undefined> {
    return this.isFar ? readText(file) : this.readNow(file);
  }

  /** The same, of a file that is there most of the time. */
  readNow(file: string): string | undefined {
    return this.#timed(() => readFileSync(file, 'utf8'));
  }

  /** Of a file that seldom is there: an exception costs five times as much as a look. */
  readNowIfThere(file: string): string | undefined {
    return this.#timed(() => (existsSync(file) ? readFileSync(file, 'utf8') : undefined));
  }

  /** What stands before the first empty line, and perhaps more: behind it there may be a hundred times as much. */
  readHeadNow(file: string): string | undefined {
    return this.#timed(() => this.#readHead(file));
  }

  #readHead(file: string): string {
    const descriptor = openSync(file, 'r');
    try {
      const head = this.#room.subarray(0, readSync(descriptor, this.#room, 0, HEAD_BYTES, 0));
      const ends = [head.indexOf('\n\n'), head.indexOf('\n\r\n')].filter((end) => end >= 0);
      if (ends.length > 0) return head.toString('utf8', 0, Math.min(...ends));
      return head.byteLength < HEAD_BYTES ? head.toString('utf8') : readFileSync(file, 'utf8');
    } finally {
      closeSync(descriptor);
    }
  }

  #timed(read: () => string | undefined): string | undefined {
    const start = this.clock.now();
    try {
      return read();
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    } finally {
      if (this.clock.now() - start > FAR_MS) this.#slow += 1;
    }
  }
}
