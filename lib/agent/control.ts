import * as v from 'valibot';
import { jobKeys } from '../contract';
import type { Clock, Store } from '../contract';

/** What an agent obeys, as leniently as can be: other members, and those of newer versions, are not its business. */
const ObeyedSchema = v.object({
  /** That it is there is what counts. */
  stop: v.fallback(v.optional(v.unknown()), undefined),
  /** First and last task of each range. */
  cancelled: v.fallback(v.array(v.tuple([v.number(), v.number()])), []),
  watchUntil: v.fallback(v.optional(v.number()), undefined),
  lifetimeUntil: v.fallback(v.optional(v.number()), undefined),
});

/** Times are the store's clock, milliseconds since 1970. */
export interface Obeyed {
  /** The job, or this task, is to end. */
  readonly stop: boolean;
  readonly watchUntil: number | undefined;
  readonly lifetimeUntil: number | undefined;
  /** The store's time of the answer. */
  readonly now: number;
}

export interface ControlOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly prefix: string;
  readonly task: number;
  /** Time to the next look. */
  readonly everyMs: () => number;
  readonly signal: AbortSignal;
  readonly onChange: (control: Obeyed) => void;
  /** Told once for a row of failures. */
  readonly onTrouble: (error: unknown) => void;
}

/** Looks at control.json until aborted, and tells when it has changed. */
export async function followControl(options: ControlOptions): Promise<void> {
  const { store, clock, prefix, task, everyMs, signal } = options;
  let etag: string | undefined;
  let trouble = false;
  while (!signal.aborted) {
    try {
      const found = await store.get(jobKeys.control(prefix), { ...(etag ? { ifNoneMatch: etag } : {}), signal });
      if (found !== 'absent' && found !== 'unchanged') {
        etag = found.etag;
        options.onChange({ ...parseControl(found.body, task), now: found.now });
      }
      trouble = false;
    } catch (error) {
      if (!signal.aborted && !trouble) options.onTrouble(error);
      trouble = true;
    }
    await clock.sleep(everyMs(), signal).catch(() => undefined);
  }
}

/** @throws SyntaxError when it is no JSON, valibot's error when it is no object */
export function parseControl(body: Uint8Array, task: number): Omit<Obeyed, 'now'> {
  const { stop, cancelled, watchUntil, lifetimeUntil } = v.parse(ObeyedSchema, JSON.parse(Buffer.from(body).toString('utf8')));
  const isCancelled = cancelled.some(([first, last]) => first <= task && task <= last);
  return { stop: Boolean(stop) || isCancelled, watchUntil, lifetimeUntil };
}
