import { bucketKeys, decodeJson, encodeJson, jobPrefix, LastTickSchema, RawcloudError, TickSchema } from '../../contract';
import type { LastTick, Store, Tick } from '../../contract';
import { newJobId, newSecret } from '../ids';

/** Tries of a compare and swap; each lost one means that somebody else changed the record in between. */
const MOST_TRIES = 12;

/**
 * Takes a tick: whoever comes first chooses its job, and all others, as a redelivered event, find that one.
 * @param now the time that the job is created at, if it is ours to create
 */
export async function takeTick(store: Store, id: string, tick: string, now: number): Promise<Tick> {
  const key = bucketKeys.tick(id, tick);
  const job = newJobId();
  const ours: Tick = { v: 1, id, tick, at: now, job, prefix: jobPrefix(job, newSecret()) };
  if ((await store.put(key, encodeJson(ours), { if: 'absent' })) !== 'lost') return ours;
  return readTick(store, key);
}

async function readTick(store: Store, key: string): Promise<Tick> {
  const found = await store.get(key);
  if (found === 'absent' || found === 'unchanged') {
    throw new RawcloudError('E_RECORD', 'a tick that was taken is not on record any more', { remedy: 'Send the event again.' });
  }
  return decodeJson(TickSchema, found.body, 'a tick');
}

/** Says for good that a tick does not become a run. */
export async function skipTick(store: Store, tick: Tick, why: string): Promise<Tick> {
  const skipped = { ...tick, skipped: why };
  await store.put(bucketKeys.tick(tick.id, tick.tick), encodeJson(skipped));
  return skipped;
}

/**
 * Changes the record of a deployed job's last tick by compare and swap.
 * @param change gets what is there and returns what shall be, or undefined to leave it
 */
export async function updateLast(store: Store, id: string, change: (last: LastTick) => LastTick | undefined): Promise<LastTick> {
  const key = bucketKeys.lastTick(id);
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const found = await store.get(key);
    const there = found === 'absent' || found === 'unchanged' ? undefined : found;
    const known: LastTick = there ? decodeJson(LastTickSchema, there.body, 'the last tick') : { v: 1, rev: -1 };
    const next = change(known);
    if (!next) return known;
    const record = { ...next, rev: known.rev + 1 };
    if ((await store.put(key, encodeJson(record), { if: there ? { etag: there.etag } : 'absent' })) !== 'lost') return record;
  }
  throw new RawcloudError('E_AWS', `the record of the last tick of '${id}' was changed by others ${MOST_TRIES} times in a row`, {
    retryable: true,
    remedy: 'Try again.',
  });
}
