import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../contract';

/** The job is ended so long before the guard's deadline, to save what there is. */
const SAVE_MS = 60_000;

/** Of a lifetime too short for that, so much of what is left. */
const SAVE_SHARE = 0.25;

/** How long the VM may live: the guard's deadline, and the moment at which the job is ended to have time to save. */
export class Lifetime {
  #until: number | undefined;
  #waiting = new AbortController();

  /** @param onEnd called when it is time to save */
  constructor(private readonly options: { readonly clock: Clock; readonly state: string; readonly onEnd: () => void }) {}

  /** Moves the end to `until`. Both times are the store's: what differs between its clock and ours does not count. */
  async moveTo(until: number, storeNow: number): Promise<void> {
    if (until === this.#until) return;
    this.#until = until;
    const leftMs = Math.max(0, until - storeNow);
    this.#endAfter(leftMs - Math.min(SAVE_MS, leftMs * SAVE_SHARE));
    await moveDeadline(this.options.state, this.options.clock, leftMs);
  }

  close(): void {
    this.#waiting.abort();
  }

  #endAfter(ms: number): void {
    this.#waiting.abort();
    const { signal } = (this.#waiting = new AbortController());
    void this.options.clock.sleep(ms, signal).then(this.options.onEnd, () => undefined);
  }
}

/** Writes the guard's file: seconds on the machine's own uptime where it tells one, since a clock may be set. */
export async function moveDeadline(state: string, clock: Clock, fromNowMs: number): Promise<void> {
  const uptimeS = await readFile('/proc/uptime', 'utf8').then(Number.parseFloat, () => clock.now() / 1000);
  const file = path.join(state, 'deadline');
  await writeFile(`${file}.new`, `${Math.floor(uptimeS + fromNowMs / 1000)}\n`);
  await rename(`${file}.new`, file);
}
