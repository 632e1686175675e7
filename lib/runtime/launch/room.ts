import { bucketKeys, decodeJson, ActiveSchema, mapBounded, MAX_VMS, RawcloudError, TAGS } from '../../contract';
import type { Compute, Instance, Scaffold, Store } from '../../contract';

export interface RoomDeps {
  readonly store: Store;
  readonly compute: Compute;
  readonly scaffold: Scaffold;
}

/** VMs named in the refusal. */
const NAMED = 5;

/**
 * Whether one more VM may be on. EC2 shows a new VM within seconds, so clients that ask in the same moment may all find
 * room: the limit is exact but for those.
 * @param token of the launch that asks: its own VM, after a reply that was lost, does not stand in its way
 * @throws E_NOT_ALLOWED that names what is on
 */
export async function checkRoom(deps: RoomDeps, token?: string): Promise<void> {
  const { compute, scaffold } = deps;
  const most = scaffold.limits?.vms;
  if (most === undefined) return;
  const on = (await compute.describe({ scaffold: scaffold.name })).filter(({ state }) => state === 'pending' || state === 'running');
  if (on.length < most || on.some(({ clientToken }) => clientToken !== undefined && clientToken === token)) return;
  const oldest = [...on].sort((a, b) => a.launchedAt - b.launchedAt);
  const named = await mapBounded(oldest.slice(0, NAMED), NAMED, (vm) => describe(deps.store, vm));
  const rest = on.length > NAMED ? ` and ${on.length - NAMED} more` : '';
  throw new RawcloudError(
    'E_NOT_ALLOWED',
    `scaffolding '${scaffold.name}' allows ${most} VM${most === 1 ? '' : 's'} at once, and ${on.length} ${on.length === 1 ? 'is' : 'are'} on: ${named.join('; ')}${rest}`,
    {
      remedy: 'Wait for the end of one, or stop one with: rawcloud stop JOB. The limit is maxVms of RawCloud.',
      data: { class: 'quota', awsCode: MAX_VMS, allowed: most, on: on.length },
    },
  );
}

/** `m7i.large since 2026-11-24T02:00:00Z for job j1 (train) of arn:…` */
async function describe(store: Store, { id, vmType, launchedAt, tags }: Instance): Promise<string> {
  const vm = `${vmType} since ${new Date(launchedAt).toISOString().replace('.000', '')}`;
  const job = tags[TAGS.job];
  if (job === undefined) return `${id}, ${vm}`;
  const found = await store.get(bucketKeys.active(job));
  if (typeof found === 'string') return `${vm} for job ${job}`;
  const { name, owner } = decodeJson(ActiveSchema, found.body, 'the active marker');
  return `${vm} for job ${job}${name ? ` (${name})` : ''} of ${owner}`;
}
