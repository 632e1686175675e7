import { encodeJson, encodeLogChunk, jobKeys } from '../contract';
import type { Beat, Clock, LogStream, Store } from '../contract';
import { HeldOutput } from './held-output';
import type { Pace } from './pace';
import { persevere } from './persevere';

export interface ShipperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly prefix: string;
  readonly vm: string;
  readonly pace: Pace;
  /** What the beat says besides number, last log and requests; asked for at each beat. */
  readonly describe: () => Omit<Beat, 'v' | 'rev' | 'lastLog' | 'requests'>;
}

/** A chunk of this size goes at once, whatever the pace. */
const CHUNK_BYTES = 8 * 2 ** 20;
/** Output waits for room when so much is held; with the chunk on its way that is twice as much in memory. */
const HELD_BYTES = 8 * 2 ** 20;

/**
 * Ships output and beats: numbered log chunks that are never rewritten, and one beat that is. The first bytes after a
 * silence go at once, then {@link Pace} decides. Memory is bounded: {@link push} waits while too much is held.
 * Life: `run` loops until `close`, which ships what is held and the last beat. What cannot be shipped is tried again
 * until it can be.
 */
export class Shipper {
  readonly #held = new HeldOutput();
  #nextLog = 0;
  #rev = 0;
  #changed = true;
  #beatAt = -Infinity;
  #closed = false;
  #wake: () => void = () => undefined;
  #room: (() => void)[] = [];

  constructor(private readonly options: ShipperOptions) {}

  /** Output of the command, or what rawcloud says. Resolves when there is room for more. */
  async push(stream: LogStream, bytes: Uint8Array, task = 0, epoch = 0): Promise<void> {
    while (this.#isFull && !this.#closed) await new Promise<void>((resolve) => this.#room.push(resolve));
    this.#held.add(stream, bytes, task, epoch);
    this.#wake();
  }

  /** Something in the beat has changed. */
  beat(): void {
    this.#changed = true;
    this.#wake();
  }

  /** Someone watches until then, on our clock. */
  watchedUntil(ms: number): void {
    this.options.pace.watchedUntil(ms);
    this.#wake();
  }

  /** Ships until closed. @throws what trying again cannot mend */
  async run(): Promise<void> {
    while (!this.#closed) await this.#shipNext();
  }

  /** Ends {@link run}, ships all that is held, then the last beat. */
  async close(running: Promise<void>): Promise<void> {
    this.#closed = true;
    this.#wake();
    this.#giveRoom();
    await running;
    while (this.#held.bytes > 0) await this.#shipLog();
    await this.#shipBeat();
  }

  get #isFull(): boolean {
    return this.#held.weight >= HELD_BYTES;
  }

  /** Ships one thing, or waits until one may go. */
  async #shipNext(): Promise<void> {
    if (this.#isFull) return this.#shipLog();
    if (this.#changed && this.options.pace.spendChange()) return this.#shipBeat();
    const { pace } = this.options;
    const beatInMs = Math.max(0, this.#beatAt + pace.beatMs - this.options.clock.now());
    // Not in a log's place: whoever watches would wait for two intervals.
    if (beatInMs === 0) return this.#shipBeat();
    const isSomething = this.#held.bytes > 0 || this.#changed;
    const waitMs = isSomething ? Math.min(beatInMs, pace.waitMs) : beatInMs;
    if (waitMs > 0) return this.#sleep(waitMs);
    pace.spend();
    return this.#held.bytes > 0 ? this.#shipLog() : this.#shipBeat();
  }

  async #shipLog(): Promise<void> {
    const { prefix, vm } = this.options;
    const chunk = encodeLogChunk(this.#held.take(CHUNK_BYTES));
    this.#giveRoom();
    // Its number is its own and its bytes never change: sending it again after a lost reply does no harm.
    await this.#put(jobKeys.log(prefix, vm, this.#nextLog), () => chunk);
    this.#nextLog += 1;
  }

  async #shipBeat(): Promise<void> {
    const { prefix, vm, clock } = this.options;
    await this.#put(jobKeys.beat(prefix, vm), () => {
      this.#changed = false;
      this.#beatAt = clock.now();
      return encodeJson(this.#describe());
    });
  }

  /** As of now, also when it is tried again. */
  #describe(): Beat {
    const { store, describe } = this.options;
    const requests = { put: store.requests.put + 1, get: store.requests.get };
    return { v: 1, rev: this.#rev++, ...describe(), lastLog: this.#nextLog - 1, requests };
  }

  async #put(key: string, body: () => Uint8Array): Promise<void> {
    const { store, clock } = this.options;
    await persevere({ clock }, () => store.put(key, body()));
  }

  #giveRoom(): void {
    this.#room.splice(0).forEach((go) => go());
  }

  async #sleep(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.options.clock.sleep(ms, woken.signal).catch(() => undefined);
    this.#wake = () => undefined;
  }
}
