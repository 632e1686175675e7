import { isFailedRun, mapBounded, TAGS } from '../../contract';
import type { Active, Instance, Unproved } from '../../contract';
import type { DriverDeps } from '../drive/deps';
import { Driver } from '../drive/driver';
import { unproved } from './unproved';

/** Jobs looked at at once: each is a handful of small requests. */
const JOBS_AT_ONCE = 32;

/** What became of the open jobs in one pass. */
export interface JobsPass {
  /** Brought to their end. */
  readonly ended: readonly string[];
  /** Of these, runs of deployed jobs that did not do what they were for. */
  readonly failed: readonly string[];
  /** Could not be advanced. */
  readonly stuck: readonly string[];
  readonly unproved: readonly Unproved[];
}

/**
 * Advances each open job. EC2 was asked once for all of them; it is asked for one job only when there is something to do,
 * so that thousands of jobs that run well cost no calls. What fails for one does not stop the others.
 */
export async function advanceJobs(
  deps: DriverDeps,
  actives: readonly Active[],
  instances: readonly Instance[],
  signal?: AbortSignal,
): Promise<JobsPass> {
  const byJob = groupByJob(instances);
  // Of a job no more is kept than this: there may be ten thousand.
  const results = await mapBounded(actives, JOBS_AT_ONCE, async ({ job, prefix }) => {
    try {
      const seen = await new Driver(deps, prefix).stepWith(byJob.get(job) ?? [], signal);
      const isEnded = seen.state === 'ended';
      return { job, isEnded, isFailed: isEnded && isFailedRun(deps.scaffold.name, seen) };
    } catch (error) {
      signal?.throwIfAborted();
      return { job, stuck: unproved(`job ${job}`, error) };
    }
  });
  return {
    ended: results.flatMap((r) => (r.isEnded ? [r.job] : [])),
    failed: results.flatMap((r) => (r.isFailed ? [r.job] : [])),
    stuck: results.flatMap((r) => (r.stuck ? [r.job] : [])),
    unproved: results.flatMap((r) => r.stuck ?? []),
  };
}

function groupByJob(instances: readonly Instance[]): ReadonlyMap<string, readonly Instance[]> {
  const groups = new Map<string, Instance[]>();
  for (const instance of instances) {
    const job = instance.tags[TAGS.job] ?? '';
    const group = groups.get(job);
    if (group) group.push(instance);
    else groups.set(job, [instance]);
  }
  return groups;
}
