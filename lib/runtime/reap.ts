import { mapBounded, TAGS } from '../contract';
import type { Active, Instance } from '../contract';
import type { ReapReport } from './api';
import type { ClientDeps } from './deps';
import { Driver } from './drive/driver';
import { activeJobs } from './find';

/** Jobs advanced at once. */
const JOBS_AT_ONCE = 8;

/**
 * One tick of the reaper: advances every open job, then ends VMs that carry our tags though their job is ended.
 * What fails for one job does not stop the others and is reported.
 */
export async function reap(deps: ClientDeps, signal?: AbortSignal): Promise<ReapReport> {
  const options = signal ? { signal } : {};
  const unproved: { what: string; error: string }[] = [];
  // EC2 first: a job that starts after this look is not among its instances, and cannot be mistaken for a leftover.
  const instances = await deps.compute.describe({ scaffold: deps.scaffold.name }, options);
  const actives = await activeJobs(deps.store, signal);
  const ended = await mapBounded(actives, JOBS_AT_ONCE, async (active) => {
    try {
      return (await new Driver(deps, active.prefix).step(true, signal)).state === 'ended' ? active.job : undefined;
    } catch (error) {
      signal?.throwIfAborted();
      unproved.push({ what: `job ${active.job}`, error: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  });
  const terminated = await endLeftovers(deps, instances, actives, unproved);
  return { jobs: actives.length, ended: ended.filter((job) => job !== undefined), terminated, unproved };
}

/** VMs of jobs that are not open. They were described before the open jobs were listed, so a new job's VM is never one. */
async function endLeftovers(
  deps: ClientDeps,
  instances: readonly Instance[],
  actives: readonly Active[],
  unproved: { what: string; error: string }[],
): Promise<string[]> {
  const open = new Set(actives.map((a) => a.job));
  const left = instances.filter((i) => i.state !== 'terminated' && i.state !== 'shutting-down' && !open.has(i.tags[TAGS.job] ?? ''));
  const ids = left.map((i) => i.id);
  if (ids.length === 0) return [];
  try {
    await deps.compute.terminate(ids);
    return ids;
  } catch (error) {
    unproved.push({ what: `VMs ${ids.join(', ')}`, error: error instanceof Error ? error.message : String(error) });
    return [];
  }
}
