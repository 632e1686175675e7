import { findRawcloudError, RawcloudError } from '../../contract';
import type { Clock } from '../../contract';
import type { Driver } from '../drive/driver';
import { persist } from './persist';

/**
 * Takes a recorded job to its VM. Failures that may pass, a lost reply above all, are met by taking the step again: it
 * sends the same request with the same token. What is still not done after a minute is not lost: the job is on record.
 * @throws what no repetition will change
 */
export async function launchRecorded(driver: Driver, clock: Clock): Promise<void> {
  try {
    await persist(clock, () => driver.step(false));
  } catch (error) {
    if (!findRawcloudError(error)?.retryable) throw error;
  }
}

/** A failure while a job was recorded: nothing was launched by us, but its last record may have arrived, and then others may. */
export function recordFailed(job: string, error: unknown): RawcloudError {
  const known = findRawcloudError(error);
  return new RawcloudError(
    known?.code ?? 'E_INTERNAL',
    `job ${job} could not be recorded: ${error instanceof Error ? error.message : String(error)}`,
    { remedy: `No VM was launched. rawcloud stop ${job} makes sure that none will be; then run it again.`, cause: error },
  );
}
