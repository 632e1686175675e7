import { bucketKeys, findRawcloudError } from '../../contract';
import type { StartedTick, TickRequest } from '../api';
import type { DriverDeps } from '../drive/deps';
import { isGoing } from './going';
import { updateLast } from './ticks';

/** A deployed job with a tick that waits. */
export type Start = (request: TickRequest) => Promise<StartedTick>;

/** Ids of the deployed jobs that ever had a tick, in key order. */
export async function tickedJobs({ store }: Pick<DriverDeps, 'store'>, signal?: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of store.list(bucketKeys.ticks, { delimiter: '/', ...(signal ? { signal } : {}) }))
    ids.push(key.slice(bucketKeys.ticks.length, -1));
  return ids;
}

/**
 * Runs the tick of a deployed job that waits for the end of the run before it, when that is over.
 * @returns the job that it became; undefined when none waits, or must wait on
 */
export async function startQueued(deps: DriverDeps, id: string, start: Start): Promise<string | undefined> {
  const { last, queued } = await updateLast(deps.store, id, () => undefined);
  if (!queued || (last && (await isGoing(deps, last)))) return undefined;
  const started = await startOrForget(id, queued, start);
  if (started?.state === 'launched' || started?.state === 'going') return started.job;
  // The job is disabled by now, or not deployed any more: nothing waits for it.
  if (started?.state !== 'queued')
    await updateLast(deps.store, id, ({ queued: now, ...known }) => (now?.tick === queued.tick ? known : undefined));
  return undefined;
}

async function startOrForget(id: string, queued: Omit<TickRequest, 'id'>, start: Start): Promise<StartedTick | undefined> {
  try {
    return await start({ id, ...queued });
  } catch (error) {
    if (findRawcloudError(error)?.code === 'E_USAGE') return undefined;
    throw error;
  }
}
