import { findRawcloudError, formatDuration } from '../../contract';
import type { Clock, RawcloudEvent } from '../../contract';
import { event } from '../drive/deps';

/** Failures that are likely to pass are ridden out this long before the watcher gives up. */
const PATIENCE_MS = 5 * 60_000;

/** Rides out failures that are likely to pass, saying so once; throws the others. */
export class Patience {
  #since: number;
  #said = false;

  constructor(
    private readonly clock: Clock,
    private readonly job: string,
  ) {
    this.#since = clock.now();
  }

  /** Something worked: the next failure is a new one. */
  reset(): void {
    this.#since = this.clock.now();
    this.#said = false;
  }

  /** @returns what to tell the user, the first time; throws what is not worth waiting for, or lasts too long */
  endure(error: unknown): RawcloudEvent | undefined {
    const known = findRawcloudError(error);
    if (!known?.retryable || this.clock.now() - this.#since > PATIENCE_MS) throw error;
    if (this.#said) return undefined;
    this.#said = true;
    const text = `${known.message}; trying again for ${formatDuration(PATIENCE_MS / 1000)}. The job goes on by itself meanwhile.`;
    return event(this.clock, this.job, 'notice', { level: 'warning', text });
  }
}
