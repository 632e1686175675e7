import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../contract';

/** The guard's file: seconds on the machine's own uptime, where it tells one, since a clock may be set. */
export const DEADLINE_FILE = 'deadline';

/** Moves the moment at which the guard powers the VM off. */
export async function moveDeadline(state: string, clock: Clock, fromNowMs: number): Promise<void> {
  const uptime = await readFile('/proc/uptime', 'utf8').then(Number.parseFloat, () => clock.now() / 1000);
  const file = path.join(state, DEADLINE_FILE);
  await writeFile(`${file}.new`, `${Math.floor(uptime + fromNowMs / 1000)}\n`);
  await rename(`${file}.new`, file);
}

/** The job is ended so long before the guard's deadline, or a quarter of what is left, to save what there is. */
const SAVE_MS = 60_000;

/** The VM's lifetime: moves the guard's deadline, and ends the command in time before it. */
export class Lifetime {
  #timer = new AbortController();

  constructor(
    private readonly state: string,
    private readonly clock: Clock,
    private readonly onOver: () => void,
  ) {}

  /** @param storeNow the store's time now, since `end` is told by that clock */
  async until(end: number, storeNow: number): Promise<void> {
    const leftMs = Math.max(0, end - storeNow);
    await moveDeadline(this.state, this.clock, leftMs);
    this.#timer.abort();
    this.#timer = new AbortController();
    void this.clock.sleep(leftMs - Math.min(SAVE_MS, leftMs / 4), this.#timer.signal).then(this.onOver, () => undefined);
  }

  close(): void {
    this.#timer.abort();
  }
}
