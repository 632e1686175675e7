import * as v from 'valibot';
import { jobKeys } from '../contract';
import type { Clock, Store } from '../contract';

/** What an agent obeys. Other members, and those of newer versions, are not its business. */
const ObeyedSchema = v.object({
  stop: v.optional(v.object({ at: v.number() })),
  watchUntil: v.optional(v.number()),
  lifetimeUntil: v.optional(v.number()),
});
export type Obeyed = v.InferOutput<typeof ObeyedSchema> & {
  /** The store's time of the answer. */
  readonly now: number;
};

/** Looks at control.json every `everyMs` until aborted, and tells when it has changed. */
export async function followControl(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly prefix: string;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly onChange: (control: Obeyed) => void;
  readonly onTrouble: (error: unknown) => void;
}): Promise<void> {
  const { store, clock, prefix, everyMs, signal } = options;
  let etag: string | undefined;
  while (!signal.aborted) {
    try {
      const found = await store.get(jobKeys.control(prefix), { ...(etag ? { ifNoneMatch: etag } : {}), signal });
      if (found !== 'absent' && found !== 'unchanged') {
        etag = found.etag;
        const read = v.safeParse(ObeyedSchema, JSON.parse(Buffer.from(found.body).toString('utf8')));
        if (read.success) options.onChange({ ...read.output, now: found.now });
      }
    } catch (error) {
      if (!signal.aborted) options.onTrouble(error);
    }
    await clock.sleep(everyMs, signal).catch(() => undefined);
  }
}
