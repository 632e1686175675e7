import { readFileSync, statSync } from 'node:fs';
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

/** undefined when there is no such file. */
export type ReadText = (file: string) => string | undefined | Promise<string | undefined>;

/** Of one small file; on a disk of this machine it takes some 0.02 ms. */
const FAR_MS = 2;
const FAR_READS = 5;

/**
 * Reads many small files one after the other without asking the thread pool, which takes five times as long as reading them; once
 * several have taken long (a network disk), it does, so that many are under way at once.
 */
export function textReader(clock: Pick<Clock, 'now'> = systemClock): ReadText {
  let slow = 0;
  return (file) => {
    if (slow >= FAR_READS) return readText(file);
    const start = clock.now();
    try {
      // Of many files one in four is not there, and an exception costs five times as much as this.
      return statSync(file, { throwIfNoEntry: false }) && readFileSync(file, 'utf8');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    } finally {
      if (clock.now() - start > FAR_MS) slow += 1;
    }
  };
}
