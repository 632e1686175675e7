import { bucketKeys, decodeJson, mapBounded, RawcloudError, RENEW_AFTER_MS, SWEEP_TAKEOVER_MS, SweepSchema } from '../contract';
import type { Clock, Store, Sweep } from '../contract';

interface Options {
  readonly signal?: AbortSignal;
}

/** Whether an object is there, and stays for as long as a job that names it now may need it: an old one is made new. */
export async function isKept(store: Store, key: string, options: Options = {}): Promise<boolean> {
  const found = await store.get(key, { range: { start: 0, end: 0 }, ...options });
  if (found === 'absent' || found === 'unchanged') return false;
  return found.now - found.modified < RENEW_AFTER_MS || store.renew(key, options);
}

/** Stores content under its hash, unless it is kept there. @returns whether it was sent */
export async function keepContent(
  store: Store,
  key: string,
  bytes: Uint8Array,
  options: Options & { readonly sha256?: string } = {},
): Promise<boolean> {
  const { sha256: _hash, ...look } = options;
  if ((await store.put(key, bytes, { if: 'absent', ...options })) !== 'lost') return true;
  if (await isKept(store, key, look)) return false;
  await store.put(key, bytes, options);
  return true;
}

/** What the reaper deletes of content, as of one look. `rev` changes whenever something is deleted. */
export type SweepSeen = Pick<Sweep, 'rev' | 'keys'>;

export async function lookAtSweep(store: Store, options: Options = {}): Promise<SweepSeen> {
  const found = await store.get(bucketKeys.sweep, options);
  if (found === 'absent' || found === 'unchanged') return { rev: 0, keys: [] };
  return decodeJson(SweepSchema, found.body, 'the record of the sweep');
}

/** A sweep deletes for some seconds; one that was broken off is taken over by a later pass of the reaper. */
const SWEEP_PATIENCE_MS = 2 * SWEEP_TAKEOVER_MS;
const SWEEP_POLL_MS = 2_000;
/** Looks at once. */
const LOOKS = 8;

/**
 * To be called after the last look at content and before a job names it. Waits while the reaper deletes some of it, and looks
 * at it once more when anything was deleted since.
 * @param before as it was before the first look
 * @param options `onWait` is called once, when there is something to wait for
 * @returns the keys that are gone: they have to be stored again, and all of this is to be done again
 * @throws E_RECORD when the reaper does not come to an end with it in 20 minutes
 */
export async function settleContent(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  before: SweepSeen,
  keys: ReadonlySet<string>,
  options: Options & { readonly onWait?: () => void } = {},
): Promise<string[]> {
  const { onWait, ...look } = options;
  let isTold = false;
  const until = clock.now() + SWEEP_PATIENCE_MS;
  for (let seen = before; ;) {
    const now = await lookAtSweep(store, look);
    const swept = now.keys.filter((key) => keys.has(key)).length;
    if (swept === 0 && now.rev === seen.rev) return [];
    if (swept > 0) {
      if (clock.now() >= until) throw stuck(swept);
      if (!isTold) onWait?.();
      isTold = true;
      await clock.sleep(SWEEP_POLL_MS, options.signal);
      continue;
    }
    const isThere = await mapBounded([...keys], LOOKS, (key, _index, signal) => isKept(store, key, { signal }), look);
    const gone = [...keys].filter((_key, index) => !isThere[index]);
    if (gone.length > 0) return gone;
    seen = now;
  }
}

function stuck(objects: number): RawcloudError {
  return new RawcloudError('E_RECORD', `the reaper has begun to delete ${objects} old objects that this job needs, and does not end`, {
    remedy: "Look at the reaper's log, or run 'rawcloud reap'; then run the job again.",
    retryable: true,
  });
}
