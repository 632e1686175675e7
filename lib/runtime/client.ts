import { jobOfPrefix, mapBounded, RawcloudError, TAGS, view } from '../contract';
import type { Instance } from '../contract';
import type { Client, DeletedEnvironments, JobHandle, JobSummary, KeptEnvironment, RunPlan, RunRequest } from './api';
import type { ClientDeps } from './deps';
import { dutiesOf } from './duties';
import { JobReader } from './drive/reader';
import { deleteEnvironments, keptEnvironments } from './environment/kept';
import { activeJobs, findJob, indexEntries } from './find';
import { Handle } from './handle';
import { summarize } from './observe/status';
import { planRun } from './run/plan';
import { run } from './run/run';
import type { RunOptions } from './run/run';

interface Signal {
  readonly signal?: AbortSignal;
}

/** Ended jobs that `ps --all` shows unless asked for more. */
const DEFAULT_LIMIT = 50;

/** The runtime over whatever store, compute and clock it is given. */
export function createClient(deps: ClientDeps): Client {
  return {
    ...dutiesOf(deps),
    local: deps.local,
    plan: (request: RunRequest, options: Signal = {}): Promise<RunPlan> => planRun(deps, request, options.signal),
    async run(request: RunRequest, options: RunOptions = {}): Promise<JobHandle> {
      const driver = await run(deps, request, options);
      return new Handle(deps, driver.reader.prefix, { id: driver.job, name: request.name });
    },
    async job(which?: string, options: Signal = {}): Promise<JobHandle> {
      const found = await findJob(deps.store, which, deps, options.signal);
      return new Handle(deps, found.prefix, { id: found.job, name: found.name }, true);
    },
    jobs: (options: Signal & { all?: boolean; limit?: number } = {}): Promise<JobSummary[]> => listJobs(deps, options),
    environments: (options: Signal = {}): Promise<KeptEnvironment[]> => keptEnvironments(deps, options),
    deleteEnvironments: (which: readonly string[], options: Signal = {}): Promise<DeletedEnvironments> =>
      deleteEnvironments(deps, which, options),
  };
}

async function listJobs(deps: ClientDeps, options: Signal & { all?: boolean; limit?: number }): Promise<JobSummary[]> {
  const { signal } = options;
  const prefixes = options.all
    ? await recent(deps, options.limit ?? DEFAULT_LIMIT, signal)
    : (await activeJobs(deps.store, signal)).map((a) => a.prefix).reverse();
  const instances = await deps.compute.describe({ scaffold: deps.scaffold.name }, signal ? { signal } : {});
  const summaries = await mapBounded(prefixes, 8, (prefix) => summaryOf(deps, prefix, instances, signal));
  // Of the open ones: an ended one whose marker is still there waits for the reaper to tell of it, or to clean up after it.
  const known = summaries.filter((s) => s !== undefined);
  return options.all ? known : known.filter(({ state }) => state !== 'ended');
}

async function recent(deps: ClientDeps, limit: number, signal: AbortSignal | undefined): Promise<string[]> {
  const prefixes: string[] = [];
  for await (const entry of indexEntries(deps.store, signal ? { signal } : {})) {
    prefixes.push(entry.prefix);
    if (prefixes.length >= limit) break;
  }
  return prefixes;
}

/** A job whose records vanish while they are read is left out: its client was just recording it, or someone emptied the bucket. */
async function summaryOf(
  deps: ClientDeps,
  prefix: string,
  all: readonly Instance[],
  signal: AbortSignal | undefined,
): Promise<JobSummary | undefined> {
  const reader = new JobReader(deps.store, prefix);
  try {
    await reader.refresh(signal);
  } catch (error) {
    if (error instanceof RawcloudError && error.code === 'E_NO_JOB') return undefined;
    throw error;
  }
  const job = jobOfPrefix(prefix);
  const instances = all.filter((i) => i.tags[TAGS.job] === job);
  return summarize(view(reader.objects, { instances, current: true }, reader.now));
}
