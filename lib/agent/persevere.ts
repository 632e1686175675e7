import { findRawcloudError } from '../contract';
import type { Clock } from '../contract';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface PersevereOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Told of the first failure; those that follow say the same. */
  readonly onTrouble?: (error: unknown) => void;
}

/**
 * Calls until the call succeeds: what a VM has to say must reach the bucket, however long that is out of reach. The
 * store has tried several times by itself before. How long this can take is bounded by the guard.
 * @throws what trying again cannot mend
 */
export async function persevere<T>({ clock, signal, onTrouble }: PersevereOptions, call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (!mayPass(error)) throw error;
      if (attempt === 0) onTrouble?.(error);
    }
    await clock.sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 5)), signal);
  }
}

/** Role credentials that have ended are followed by others as soon as the metadata service has them. */
function mayPass(error: unknown): boolean {
  const known = findRawcloudError(error);
  return known !== undefined && (known.retryable || known.code === 'E_CREDENTIALS_EXPIRED');
}
