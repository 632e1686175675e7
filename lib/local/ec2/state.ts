import path from 'node:path';
import { SpotRole } from '../iam';
import { Quotas } from '../quotas';
import { Capacity } from './capacity';
import { Lag } from './lag';
import { localImages } from './images';
import type { Image } from './images';
import { defaultNetwork } from './network';
import type { Network } from './network';
import { RecordTable } from './record-table';
import { GroupSchema, InstanceSchema, TemplateSchema } from './records';
import type { GroupRecord, InstanceRecord, TemplateRecord } from './records';
import { SpotMarket } from './spot-market';

/** How long EC2 still shows what is terminated. Source: EC2 user guide, "Terminate Amazon EC2 instances": usually within an hour. */
const SHOWN_MS = 3_600_000;

/** How long a client token is remembered after its instances ended. Source: EC2 developer guide, "Ensuring idempotency": at least 24 h. */
const REMEMBERED_MS = 24 * 3_600_000;

export interface Ec2StateOptions {
  readonly directory: string;
  readonly account: string;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** All that EC2 knows. Everything is on disk but what was injected: shortages, quotas, prices, the missing role. */
export interface Ec2State {
  readonly account: string;
  readonly network: Network;
  readonly images: readonly Image[];
  readonly instances: RecordTable<InstanceRecord>;
  readonly templates: RecordTable<TemplateRecord>;
  readonly groups: RecordTable<GroupRecord>;
  readonly capacity: Capacity;
  readonly quotas: Quotas;
  readonly market: SpotMarket;
  readonly spotRole: SpotRole;
  readonly lag: Lag;
  readonly now: () => number;
}

export async function openEc2State({ directory, account, region, now }: Ec2StateOptions): Promise<Ec2State> {
  const network = defaultNetwork(region);
  const [instances, templates, groups] = await Promise.all([
    RecordTable.open(path.join(directory, 'instances'), InstanceSchema),
    RecordTable.open(path.join(directory, 'launch-templates'), TemplateSchema),
    RecordTable.open(path.join(directory, 'security-groups'), GroupSchema),
  ]);
  await dropUnanswered(instances);
  if (!groups.get(network.defaultGroupId)) {
    const description = 'default VPC security group';
    await groups.put({ v: 1, id: network.defaultGroupId, name: 'default', description, vpcId: network.vpcId, tags: {} });
  }
  const injected = {
    capacity: new Capacity(),
    quotas: new Quotas(),
    market: new SpotMarket(region, now),
    spotRole: new SpotRole(),
    lag: new Lag(now),
  };
  return { account, network, images: localImages(region), instances, templates, groups, ...injected, now };
}

/**
 * A process that was killed while it wrote a launch leaves a part of it. Nobody heard of it, and nothing of it has booted:
 * dropped, so that a launch is there whole or not at all.
 */
async function dropUnanswered(instances: RecordTable<InstanceRecord>): Promise<void> {
  const fresh = instances.all().filter((i) => i.state === 'pending' && i.imds.port === 0);
  const written = (reservation: string): number => fresh.filter((i) => i.reservation === reservation).length;
  const partial = fresh.filter(({ reservation, launch }) => launch.count !== undefined && written(reservation) < launch.count);
  // A launch of which one instance has booted was whole.
  const begun = new Set(instances.all().flatMap((i) => (fresh.includes(i) ? [] : i.reservation)));
  for (const { id, reservation } of partial) if (!begun.has(reservation)) await instances.delete(id);
}

/** The instances that EC2 still shows, in order of launch. */
export function shownInstances({ instances, now }: Ec2State): InstanceRecord[] {
  const oldest = now() - SHOWN_MS;
  return instances
    .all()
    .filter((i) => i.terminatedAt === undefined || i.terminatedAt > oldest)
    .sort((a, b) => (launchOrder(a) < launchOrder(b) ? -1 : 1));
}

/** What answers tell, in order of launch: {@link shownInstances} as far as they show yet, and as they were. */
export function visibleInstances(state: Ec2State): InstanceRecord[] {
  return shownInstances(state).flatMap((i) => state.lag.shown(i) ?? []);
}

/** Sorts by launch, then by position in it. */
export function launchOrder(instance: InstanceRecord): string {
  return `${String(instance.launchedAt).padStart(15, '0')} ${instance.reservation} ${String(instance.index).padStart(5, '0')}`;
}

/** Forgets what ended so long ago that nobody may ask for it. */
export async function forgetOld({ instances, now }: Ec2State): Promise<void> {
  const oldest = now() - REMEMBERED_MS;
  const old = instances.all().filter((i) => i.terminatedAt !== undefined && i.terminatedAt < oldest);
  for (const { id } of old) await instances.delete(id);
}
