import { findRawcloudError } from '../../contract';
import type { Clock } from '../../contract';
import type { Driver } from '../drive/driver';

/** A recorded job is launched within this time, or left to whoever watches or reaps it. */
const PERSIST_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Takes a recorded job to its VM. Failures that may pass, a lost reply above all, are met by taking the step again: it
 * sends the same request with the same token. What is still not done after a minute is not lost: the job is on record.
 * @throws what no repetition will change
 */
export async function launchRecorded(driver: Driver, clock: Clock): Promise<void> {
  const until = clock.now() + PERSIST_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      await driver.step(false);
      return;
    } catch (error) {
      if (!findRawcloudError(error)?.retryable) throw error;
      if (clock.now() >= until) return;
    }
    await clock.sleep(pauseMs);
  }
}
