import { encodeJson, encodeLogChunk, jobKeys } from '../contract';
import type { Beat, Clock, Intervals, LogRun, LogStream, Store } from '../contract';

export interface ShipperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly prefix: string;
  readonly vm: string;
  readonly intervals: Intervals;
  /** What the beat says besides number, last log and requests; asked for at each beat. */
  readonly describe: () => Omit<Beat, 'v' | 'rev' | 'lastLog' | 'requests'>;
}

/** A chunk of this size goes at once, whatever the pace. */
const CHUNK_BYTES = 8 * 2 ** 20;
/** Output waits for room when so much is held; with the chunk on its way that is twice as much in memory. */
const HELD_BYTES = 8 * 2 ** 20;
/** PUTs that may go without waiting, so that the few of a short job all do. */
const BURST = 3;
/** Tokens come back a little slower than one an interval: what is left pays for claim, result and boot log. */
const REFILL = 1.25;

/**
 * Ships output and beats: numbered log chunks that are never rewritten, and one beat that is.
 *
 * Pace: a PUT whenever there is something to say and a token left; tokens come back one per flush interval, so that in
 * the long run logs and beats together are at most one PUT an interval. Memory: {@link push} waits while too much is held.
 * Life: `run` loops until `close`, which ships what is held and the last beat.
 */
export class Shipper {
  #held: LogRun[] = [];
  #heldBytes = 0;
  #offsets: Record<LogStream, number> = { stdout: 0, stderr: 0, system: 0 };
  #nextLog = 0;
  #rev = 0;
  #beatDue = true;
  #beatAt = 0;
  #tokens = BURST;
  #tokensAt: number;
  #watchUntil = Infinity;
  #closed = false;
  #wake: () => void = () => undefined;
  #room: (() => void)[] = [];

  constructor(private readonly options: ShipperOptions) {
    this.#tokensAt = options.clock.now();
  }

  /** Output of the command, or what rawcloud says. Resolves when there is room for more. */
  async push(stream: LogStream, bytes: Uint8Array, task = 0, epoch = 0): Promise<void> {
    if (bytes.byteLength === 0) return;
    while (this.#heldBytes >= HELD_BYTES && !this.#closed) await new Promise<void>((resolve) => this.#room.push(resolve));
    const offset = this.#offsets[stream];
    this.#offsets[stream] = offset + bytes.byteLength;
    const last = this.#held.at(-1);
    if (last?.stream === stream && last.task === task && last.epoch === epoch && last.bytes.byteLength < 64 * 1024) {
      this.#held[this.#held.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, bytes]) };
    } else this.#held.push({ stream, task, epoch, offset, bytes });
    this.#heldBytes += bytes.byteLength;
    this.#wake();
  }

  /** A line of rawcloud's own. */
  say(line: string): void {
    void this.push('system', Buffer.from(`${line}\n`));
  }

  /** Something in the beat has changed. */
  beat(): void {
    this.#beatDue = true;
    this.#wake();
  }

  /** Someone watches until then (the store's clock and ours are taken for the same: an error of seconds costs nothing). */
  watchedUntil(ms: number): void {
    this.#watchUntil = ms;
  }

  /** Ships until closed. Rejects only when the store cannot be reached for good. */
  async run(): Promise<void> {
    while (!this.#closed) {
      const waitMs = this.#pauseMs();
      if (waitMs > 0) {
        await this.#sleep(waitMs);
        continue;
      }
      this.#tokens -= 1;
      await this.#shipOne();
    }
  }

  /** Ends {@link run}, ships all that is held, then the last beat. */
  async close(running: Promise<void>): Promise<void> {
    this.#closed = true;
    this.#wake();
    await running;
    this.#room.splice(0).forEach((go) => go());
    while (this.#held.length > 0) await this.#shipLog();
    await this.#shipBeat();
  }

  /** Time until the next PUT may and should go; 0 for now. */
  #pauseMs(): number {
    const { clock, intervals } = this.options;
    const now = clock.now();
    const everyMs = REFILL * (now < this.#watchUntil ? intervals.flushMs : intervals.idleFlushMs);
    if (everyMs > 0) {
      const earned = Math.floor((now - this.#tokensAt) / everyMs);
      this.#tokens = Math.min(BURST, this.#tokens + earned);
      this.#tokensAt += earned * everyMs;
    }
    if (this.#heldBytes >= CHUNK_BYTES) return 0;
    const beatMs = this.#beatDue ? 0 : Math.max(0, this.#beatAt + intervals.beatMs - now);
    const dueMs = this.#held.length > 0 ? 0 : beatMs;
    if (dueMs > 0) return dueMs;
    return this.#tokens > 0 ? 0 : Math.max(1, this.#tokensAt + everyMs - now);
  }

  async #shipOne(): Promise<void> {
    if (this.#held.length > 0 && !(this.#beatDue && this.#beatOverdue())) await this.#shipLog();
    else await this.#shipBeat();
  }

  /** Under steady output the beat must not starve: drivers take silence for death. */
  #beatOverdue(): boolean {
    return this.options.clock.now() - this.#beatAt >= this.options.intervals.beatMs;
  }

  async #shipLog(): Promise<void> {
    const { store, prefix, vm } = this.options;
    const runs = this.#take();
    // Its number is its own and its bytes never change: sending it again after a lost reply does no harm.
    await store.put(jobKeys.log(prefix, vm, this.#nextLog), encodeLogChunk(runs));
    this.#nextLog += 1;
    this.#beatDue ||= this.#beatOverdue();
  }

  #take(): LogRun[] {
    const runs: LogRun[] = [];
    let bytes = 0;
    while (this.#held.length > 0 && (bytes === 0 || bytes + this.#held[0]!.bytes.byteLength <= CHUNK_BYTES)) {
      const run = this.#held.shift()!;
      runs.push(run);
      bytes += run.bytes.byteLength;
    }
    this.#heldBytes -= bytes;
    this.#room.splice(0).forEach((go) => go());
    return runs;
  }

  async #shipBeat(): Promise<void> {
    const { store, prefix, vm, clock, describe } = this.options;
    this.#beatDue = false;
    this.#beatAt = clock.now();
    const beat: Beat = {
      v: 1,
      rev: this.#rev++,
      ...describe(),
      lastLog: this.#nextLog - 1,
      requests: { put: store.requests.put + 1, get: store.requests.get },
    };
    await store.put(jobKeys.beat(prefix, vm), encodeJson(beat));
  }

  async #sleep(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.options.clock.sleep(ms, woken.signal).catch(() => undefined);
    this.#wake = () => undefined;
  }
}
