import { parseIndexKey, bucketKeys, TAGS, vmThing } from '../../contract';
import type { Active, Instance, RemainKind, Store, Thing, Unproved } from '../../contract';
import type { ReapDeps } from './deps';
import { activeJobs } from '../find';
import type { Seen } from './judge';
import { unproved } from './unproved';

const REMAINS: readonly RemainKind[] = ['volume', 'interface', 'template', 'group'];

/** What a look at the account has brought. */
export interface Look {
  readonly instances: readonly Instance[];
  readonly actives: readonly Active[];
  readonly things: readonly Thing[];
  /** Kinds that could not be listed: nothing is said of them in this pass. */
  readonly unproved: readonly Unproved[];
}

/**
 * EC2 first, then the open jobs: a job that starts in between is among the open ones at least, and its VM is never taken
 * for a leftover. @throws when VMs or open jobs cannot be listed: without them nothing can be judged
 */
export async function look(deps: ReapDeps, signal?: AbortSignal): Promise<Look> {
  const options = signal ? { signal } : {};
  const { name } = deps.scaffold;
  const instances = await deps.compute.describe({ scaffold: name }, options);
  const things = instances.filter((i) => i.state !== 'terminated' && i.state !== 'shutting-down').map(vmThing);
  const failed: Unproved[] = [];
  for (const kind of REMAINS) {
    try {
      things.push(...(await deps.remains.list(kind, name, options)));
    } catch (error) {
      signal?.throwIfAborted();
      failed.push(unproved(`${kind}s`, error));
    }
  }
  return { instances, things, actives: await activeJobs(deps.store, signal), unproved: failed };
}

/** With what only some things are judged by, and is asked for only when there are such. */
export async function complete(
  deps: ReapDeps,
  { things, actives }: Pick<Look, 'things' | 'actives'>,
  about: { readonly now: number; readonly stuck: readonly string[] },
  signal?: AbortSignal,
): Promise<Seen> {
  const openJobs = new Set(actives.map(({ job }) => job));
  const isOver = ({ tags }: Thing): boolean => !openJobs.has(tags[TAGS.job] ?? '');
  const loose = things.filter((t) => (t.kind === 'volume' || t.kind === 'interface') && !t.inUse && isOver(t));
  const asksForNamed = things.some((t) => (t.kind === 'vm' ? isOver(t) : t.kind === 'template' || t.kind === 'group'));
  return {
    now: about.now,
    things,
    openJobs,
    stuckJobs: new Set(about.stuck),
    knownJobs: loose.length > 0 ? await knownJobs(deps.store, signal) : new Map(),
    named: new Set(asksForNamed || about.stuck.length > 0 ? await named(deps, signal) : []),
  };
}

async function knownJobs(store: Store, signal: AbortSignal | undefined): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  for await (const { key } of store.list(bucketKeys.indexes, signal ? { signal } : {})) {
    const entry = parseIndexKey(key);
    if (entry) known.set(entry.job, entry.createdAtMs);
  }
  return known;
}

async function named({ scaffold, deployed }: ReapDeps, signal: AbortSignal | undefined): Promise<string[]> {
  return [scaffold.launchTemplateId, scaffold.securityGroupId, ...(await deployed.templates(signal))];
}
