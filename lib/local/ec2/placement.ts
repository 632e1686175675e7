import type { Purchase } from '../quotas';
import type { Pool } from './capacity';
import {
  invalidParameter,
  noCapacity,
  noSpotCapacity,
  notFound,
  notInZone,
  quotaExceeded,
  spotPriceTooLow,
  spotRoleMissing,
} from './errors';
import { INSTANCE_TYPES } from './instance-types';
import type { InstanceType } from './instance-types';
import type { LaunchSpec } from './launch-spec';
import { zonesWith } from './network';
import type { Subnet } from './network';
import type { Ec2State } from './state';

/** How many VMs are asked for: as many as can be had between the two. */
export interface Counts {
  readonly min: number;
  readonly max: number;
}

export interface Placed {
  readonly subnet: Subnet;
  readonly count: number;
}

/**
 * The zone asked for, else the one with most room (for spot: among those whose price is not too high), and as many VMs as
 * quota and room give, between the two counts.
 * @throws Unsupported, VcpuLimitExceeded, MaxSpotInstanceCountExceeded, SpotMaxPriceTooLow, InsufficientInstanceCapacity
 */
export function placeLaunch(state: Ec2State, spec: LaunchSpec, type: InstanceType, counts: Counts): Placed {
  const purchase: Purchase = spec.spot ? 'spot' : 'on-demand';
  if (spec.spot && !state.spotRole.present) throw spotRoleMissing();
  const max = withinQuota(state, type, purchase, counts);
  const subnets = affordable(state, spec, type);
  const poolOf = ({ zone }: Subnet): Pool => ({ vmType: type.name, zone, purchase });
  const room = (subnet: Subnet): number => Math.min(max, state.capacity.available(poolOf(subnet)));
  const best = subnets.reduce((a, b) => (room(b) > room(a) ? b : a));
  const count = room(best);
  if (count < counts.min) {
    state.capacity.refuse(subnets.map(poolOf));
    throw spec.spot ? noSpotCapacity() : lackOf(state, type, subnets);
  }
  state.capacity.take(poolOf(best), count);
  return { subnet: best, count };
}

/** The most that the quota leaves. VMs count from their launch until they are off. */
function withinQuota({ quotas, instances }: Ec2State, type: InstanceType, purchase: Purchase, { min, max }: Counts): number {
  const quota = quotas.of(type.name, purchase);
  if (!quota) return max;
  const counted = instances.all().filter((i) => i.state === 'pending' || i.state === 'running');
  const same = counted.filter((i) => quotas.of(i.type, i.spot ? 'spot' : 'on-demand')?.code === quota.code);
  const used = same.reduce((sum, i) => sum + (INSTANCE_TYPES.get(i.type)?.vcpu ?? 0), 0);
  const left = Math.floor((quota.value - used) / type.vcpu);
  if (left < min) throw quotaExceeded(purchase, quota.value);
  return Math.min(max, left);
}

function affordable(state: Ec2State, spec: LaunchSpec, type: InstanceType): readonly Subnet[] {
  const subnets = offered(state, candidates(state, spec), type);
  const maxPrice = spec.spot?.maxPrice;
  if (maxPrice === undefined) return subnets;
  const priceIn = ({ zone }: Subnet): number => state.market.priceAt(type.name, zone).usdPerHour;
  const fitting = subnets.filter((subnet) => priceIn(subnet) <= Number(maxPrice));
  if (fitting.length === 0) throw spotPriceTooLow(maxPrice, Math.min(...subnets.map(priceIn)));
  return fitting;
}

/** Where the type can be had at all. */
function offered({ network }: Ec2State, subnets: readonly Subnet[], { name }: InstanceType): readonly Subnet[] {
  const zones = zonesWith(network, name);
  const fitting = subnets.filter((s) => zones.includes(s.zone));
  if (fitting.length === 0) throw notInZone(name, subnets[0]!.zone, zones);
  return fitting;
}

function lackOf({ network, capacity }: Ec2State, { name: vmType }: InstanceType, subnets: readonly Subnet[]): Error {
  const named = subnets.length === 1 ? subnets[0]!.zone : undefined;
  const others = network.zones.filter((zone) => zone !== named && capacity.available({ vmType, zone, purchase: 'on-demand' }) > 0);
  return noCapacity(vmType, named, others);
}

/** Subnets that the call allows. @throws InvalidSubnetID.NotFound, InvalidParameterValue */
export function candidates({ network }: Ec2State, { subnetId, zone }: LaunchSpec): readonly Subnet[] {
  if (subnetId !== undefined) {
    const subnet = network.subnets.find((s) => s.id === subnetId);
    if (!subnet) throw notFound('subnet', [subnetId]);
    if (zone !== undefined && zone !== subnet.zone)
      throw invalidParameter(`The subnet ID '${subnetId}' is not in the Availability Zone '${zone}'.`);
    return [subnet];
  }
  if (zone === undefined) return network.subnets;
  const inZone = network.subnets.filter((s) => s.zone === zone);
  if (inZone.length === 0) throw invalidParameter(`Invalid availability zone: [${zone}]`);
  return inZone;
}
