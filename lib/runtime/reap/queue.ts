import { mapBounded } from '../../contract';
import type { Unproved } from '../../contract';
import { startQueued, tickedJobs } from '../definition/queued';
import type { ReapDeps } from './deps';
import { unproved } from './unproved';

/** Deployed jobs looked at at once. */
const AT_ONCE = 8;

export interface QueuePass {
  /** Jobs that ticks became. */
  readonly started: readonly string[];
  readonly unproved: readonly Unproved[];
}

/** Starts the ticks that waited for the end of the run before them. What fails for one does not stop the others. */
export async function startWaiting(deps: ReapDeps, signal?: AbortSignal): Promise<QueuePass> {
  const ids = await tickedJobs(deps, signal);
  const results = await mapBounded(ids, AT_ONCE, async (id) => {
    try {
      return { started: await startQueued(deps, id, deps.start) };
    } catch (error) {
      signal?.throwIfAborted();
      return { failed: unproved(`waiting tick of ${id}`, error) };
    }
  });
  return {
    started: results.flatMap((r) => r.started ?? []),
    unproved: results.flatMap((r) => r.failed ?? []),
  };
}
