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
