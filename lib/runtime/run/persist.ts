import { findRawcloudError } from '../../contract';
import type { Clock } from '../../contract';

/** What shall be on record is tried for this long. */
const PERSIST_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Repeats a call that does no harm when it is repeated, for a minute, while its failures may pass.
 * @throws the failure that no repetition will change, or the last one
 */
export async function persist<T>(clock: Clock, call: () => Promise<T>): Promise<T> {
  const until = clock.now() + PERSIST_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await call();
    } catch (error) {
      if (!findRawcloudError(error)?.retryable || clock.now() >= until) throw error;
    }
    await clock.sleep(pauseMs);
  }
}
