import { randomBytes } from 'node:crypto';
import { bucketKeys, decodeJson, encodeJson, EnvironmentLeaseSchema } from '../../contract';
import type { Clock, EnvironmentLease, Store } from '../../contract';

export interface LeaseOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly vm: string;
  /** Of the environment. */
  readonly key: string;
  /** Between two looks while another VM has it. */
  readonly pollMs: number;
  /** Between two renewals. */
  readonly renewMs: number;
  readonly signal: AbortSignal;
  /** Called once, when there is something to wait for. */
  readonly onWait: () => void;
  /** Told once of a failure to keep it. */
  readonly onTrouble: (error: unknown) => void;
}

/** Renewals' times that pass before it is somebody else's: one may fail and the next be late, and what two VMs build is the same. */
const MISSED = 2.5;
/** Whoever has waited so long builds himself: two VMs with the same environment do no harm. */
const PATIENCE_MS = 10 * 60_000;
/** A VM that goes down does not wait long to say that it has given up. */
const LAST_WORD_MS = 2_000;

/**
 * The right to build an environment, for as long as it is renewed. It only saves work: whoever builds without it stores what
 * is as good.
 */
export class Lease {
  readonly #over = new AbortController();
  #renewing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: LeaseOptions,
    private record: EnvironmentLease,
    private etag: string,
  ) {}

  /**
   * Waits until the environment is there or nobody else builds it.
   * @param isThere asked again and again while another VM is at it
   * @returns undefined when it is there, or was waited for in vain
   */
  static async take(options: LeaseOptions, isThere: () => Promise<boolean>): Promise<Lease | undefined> {
    const { clock, pollMs, signal } = options;
    const until = clock.now() + PATIENCE_MS;
    const record: EnvironmentLease = { v: 1, vm: options.vm, nonce: randomBytes(12).toString('hex'), state: 'building' };
    for (let isFirst = true; ; isFirst = false) {
      const etag = await acquire(options, record, isFirst);
      // One that was taken over may have been left because the environment is there.
      if (await isThere()) {
        if (etag !== undefined) await new Lease(options, record, etag).end();
        return undefined;
      }
      if (etag !== undefined) return new Lease(options, record, etag).#begin();
      if (clock.now() >= until) return undefined;
      if (isFirst) options.onWait();
      await clock.sleep(pollMs, signal);
    }
  }

  #begin(): this {
    this.#renewing = this.#renew();
    return this;
  }

  /** Nobody has to wait any longer. */
  async end(): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    await this.#renewing;
    await this.#write('over', AbortSignal.timeout(LAST_WORD_MS)).catch(this.options.onTrouble);
  }

  async #renew(): Promise<void> {
    const { clock, renewMs, onTrouble } = this.options;
    const { signal } = this.#over;
    while (!signal.aborted) {
      await clock.sleep(renewMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#write(this.record.state).catch(onTrouble);
    }
  }

  /** Who has lost it goes on without: the other one builds the same. */
  async #write(state: EnvironmentLease['state'], signal?: AbortSignal): Promise<void> {
    const { store, key } = this.options;
    this.record = { ...this.record, state };
    const options = { if: { etag: this.etag }, ...(signal ? { signal } : {}) };
    const written = await store.put(bucketKeys.environmentLease(key), encodeJson(this.record), options);
    if (written !== 'lost') this.etag = written.etag;
  }
}

/** @returns the record's etag when it is ours; undefined while somebody else keeps it */
async function acquire(
  { store, key, renewMs, signal }: LeaseOptions,
  record: EnvironmentLease,
  isFirst: boolean,
): Promise<string | undefined> {
  const at = bucketKeys.environmentLease(key);
  const put = async (condition: 'absent' | { etag: string }): Promise<string | undefined> => {
    const written = await store.put(at, encodeJson(record), { if: condition, signal });
    return written === 'lost' ? undefined : written.etag;
  };
  // Whoever waits only looks.
  const first = isFirst ? await put('absent') : undefined;
  if (first !== undefined) return first;
  const found = await store.get(at, { signal });
  if (found === 'absent' || found === 'unchanged') return put('absent');
  const { nonce, state } = decodeJson(EnvironmentLeaseSchema, found.body, 'the lease of an environment');
  // The reply to our own write was lost.
  if (nonce === record.nonce) return found.etag;
  const isStale = found.now - found.modified > MISSED * renewMs;
  return state === 'over' || isStale ? put({ etag: found.etag }) : undefined;
}
