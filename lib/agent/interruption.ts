import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../contract';

/** Between two looks at the metadata: a notice is seen within five seconds, as AWS advises. Source: EC2 user guide, "Spot Instance interruption notices". */
const LOOK_MS = 4_000;

/** What EC2 gives between notice and end, milliseconds: more than that is a wrong clock. Source: as above. */
const NOTICE_MS = 120_000;

/** From the notice in its file to SIGTERM: who reads the file gets to choose the moment. */
const FILE_FIRST_MS = 15_000;
/** Kept from the end of the command to the end of the VM, for the last output and the files. */
const SAVE_MS = 45_000;
/** Of a notice shorter than EC2's own, so much goes to each of them. */
const FILE_FIRST_SHARE = 1 / 8;
const SAVE_SHARE = 3 / 8;

/** Where EC2 tells a VM about itself; undefined for what is not there. */
export interface Metadata {
  find(path: string): Promise<string | undefined>;
}

/** When the command is told, and how long it then has. Milliseconds from now. */
export interface Timetable {
  readonly termAfterMs: number;
  readonly graceMs: number;
}

export interface InterruptionOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  /** Where the job finds the notice. */
  readonly file: string;
  readonly signal: AbortSignal;
  readonly onRebalance: () => void;
  /** @param at when EC2 takes the VM back, milliseconds since 1970 */
  readonly onNotice: (at: number, timetable: Timetable) => void;
  /** Told once for a row of failures. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * On a spot VM, looks every four seconds whether EC2 wants it back, until it does or the signal aborts. The notice goes
 * into the job's file first. On other VMs it is one look.
 */
export async function followInterruption(options: InterruptionOptions): Promise<void> {
  const { clock, signal } = options;
  const watcher = new Watcher(options);
  while (!signal.aborted && !(await watcher.look())) await clock.sleep(LOOK_MS, signal).catch(() => undefined);
}

class Watcher {
  #isSpot = false;
  #advised = false;
  #trouble = false;

  constructor(private readonly options: InterruptionOptions) {}

  /** @returns whether there is nothing more to look for */
  async look(): Promise<boolean> {
    try {
      const isOver = await this.#ask();
      this.#trouble = false;
      return isOver;
    } catch (error) {
      if (!this.#trouble && !this.options.signal.aborted) this.options.onTrouble(error);
      this.#trouble = true;
      return false;
    }
  }

  async #ask(): Promise<boolean> {
    const { metadata, clock, file, onNotice, onRebalance } = this.options;
    this.#isSpot ||= (await metadata.find('/latest/meta-data/instance-life-cycle'))?.trim() === 'spot';
    if (!this.#isSpot) return true;
    const action = await metadata.find('/latest/meta-data/spot/instance-action');
    if (action !== undefined) {
      const notice = JSON.parse(action) as { readonly action: string; readonly time: string };
      await tell(file, notice);
      onNotice(Date.parse(notice.time), timetable(Date.parse(notice.time) - clock.now()));
      return true;
    }
    if (!this.#advised && (await metadata.find('/latest/meta-data/events/recommendations/rebalance')) !== undefined) {
      this.#advised = true;
      onRebalance();
    }
    return false;
  }
}

/** How the time until EC2 takes the VM back is shared out. */
export function timetable(leftMs: number): Timetable {
  // NaN is a time that cannot be read.
  const left = Number.isNaN(leftMs) ? NOTICE_MS : Math.min(NOTICE_MS, Math.max(0, leftMs));
  const termAfterMs = Math.min(FILE_FIRST_MS, left * FILE_FIRST_SHARE);
  return { termAfterMs, graceMs: left - termAfterMs - Math.min(SAVE_MS, left * SAVE_SHARE) };
}

/**
 * Whole or not at all: who waits for the file reads it at once. The directory is the job's own, which may have laid a
 * link there: a file that exists is never opened.
 */
async function tell(file: string, notice: { readonly action: string; readonly time: string }): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await rm(`${file}.new`, { force: true, recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify({ action: notice.action, time: notice.time })}\n`, { mode: 0o644, flag: 'wx' });
  await rename(`${file}.new`, file);
}
