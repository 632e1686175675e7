import { formatDuration } from '../../contract';
import type { Clock } from '../../contract';
import { describeQuiet, lookAgain } from './judge';
import type { Quiet, Usage } from './judge';

/** Looks in the time after which a job is called idle, and the longest time between two of them. */
const LOOKS = 10;
const LONGEST_MS = 30_000;

/** What a job has used so far. @param pid of its command @returns undefined where that cannot be told */
export type MeasureUsage = (pid: number) => Promise<Usage | undefined>;

export interface IdleWatchOptions {
  readonly clock: Clock;
  readonly idleMs: number;
  readonly measure: MeasureUsage;
  /** A line for who reads along. */
  readonly say: (line: string) => void;
  /** Told once, with the numbers; nothing is looked at any more. */
  readonly onIdle: (numbers: string) => void;
  /** Told once for a row of failures. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Looks at what a command does from its start on, until it is stopped, cannot look, or finds it idle. Half-way it says so.
 */
export class IdleWatch {
  readonly #over = new AbortController();
  #written = 0;
  #watching: Promise<void> = Promise.resolve();

  constructor(private readonly options: IdleWatchOptions) {}

  /** The command has written something. */
  wrote(bytes: number): void {
    this.#written += bytes;
  }

  start(pid: number): void {
    this.#watching = this.#watch(pid);
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #watch(pid: number): Promise<void> {
    const { clock, idleMs, say, onIdle } = this.options;
    const { signal } = this.#over;
    const everyMs = Math.min(LONGEST_MS, idleMs / LOOKS);
    let quiet: Quiet | undefined;
    let trouble = false;
    while (!signal.aborted) {
      const usage = await this.#measure(pid, trouble);
      trouble = usage === 'failed';
      if (usage === undefined) return say('warning: what the command does cannot be measured here: --idle-timeout does nothing');
      if (usage !== 'failed' && !signal.aborted) {
        const before = quiet?.ms ?? 0;
        quiet = lookAgain(quiet, { at: clock.now(), usage, written: this.#written }, everyMs);
        if (quiet.ms >= idleMs) return onIdle(describeQuiet(quiet));
        if (before < idleMs / 2 && quiet.ms >= idleMs / 2) say(this.#halfWay(quiet));
      }
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  /** @returns 'failed' when nothing can be said this time */
  async #measure(pid: number, wasTrouble: boolean): Promise<Usage | 'failed' | undefined> {
    try {
      return await this.options.measure(pid);
    } catch (error) {
      if (!wasTrouble && !this.#over.signal.aborted) this.options.onTrouble(error);
      return 'failed';
    }
  }

  #halfWay(quiet: Quiet): string {
    return `info: the command did next to nothing ${describeQuiet(quiet)}; after ${formatDuration(this.options.idleMs / 1000)} of that it is ended`;
  }
}
