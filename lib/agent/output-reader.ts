import type { Readable } from 'node:stream';
import type { Clock } from '../contract';
import { hasCode } from '../contract';

/** Who holds the pipes after the command has ended gets this long to let go. */
const DRAIN_MS = 2_000;
/** Pause between looks whether what is left has been read. */
const QUIET_MS = 50;
/** What a pipe can hold at most, and Node read ahead: more comes only from somebody who is still writing. Source: pipe(7). */
const LEFT_BYTES = 2 * 2 ** 20;

/** Reads a command's output, no faster than it is taken. */
export class OutputReader {
  readonly ended: Promise<void>;
  #taking = false;
  #bytes = 0;
  #isEnded = false;

  constructor(
    private readonly output: Readable,
    take: (bytes: Uint8Array) => Promise<void>,
  ) {
    this.ended = this.#read(take).finally(() => {
      this.#isEnded = true;
    });
    // Seen by whoever awaits `ended`; until then it is no unhandled one.
    this.ended.catch(() => undefined);
  }

  /** Reads what is in the pipe, but does not wait for more. */
  async finish(clock: Clock): Promise<void> {
    const most = this.#bytes + LEFT_BYTES;
    for (let before = -1; !this.#isEnded && this.#bytes < most; before = this.#bytes) {
      if (!this.#taking && this.#bytes === before) break;
      await clock.sleep(QUIET_MS);
    }
    this.output.destroy();
    await this.ended;
  }

  async #read(take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    try {
      for await (const chunk of this.output as AsyncIterable<Buffer>) {
        this.#bytes += chunk.byteLength;
        this.#taking = true;
        await take(chunk);
        this.#taking = false;
      }
    } catch (error) {
      if (!hasCode(error, 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
    }
  }
}

/**
 * After the command's end: waits a little for the pipes' own end, kills who still holds them, and reads what they have
 * left. However long the bucket takes for it, nothing that was written is lost.
 */
export async function drain(readers: readonly [OutputReader, OutputReader], clock: Clock, killRest: () => Promise<void>): Promise<void> {
  const ended = Promise.all([readers[0].ended, readers[1].ended]);
  const limit = new AbortController();
  await Promise.race([ended, clock.sleep(DRAIN_MS, limit.signal).catch(() => undefined)]);
  limit.abort();
  await killRest();
  for (const reader of readers) await reader.finish(clock);
}
