import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { invalidParameter } from './errors';
import { choose } from './choose';
import { applyFilters } from './filters';
import { VPC_CIDR, zoneId } from './network';
import { page } from './paging';
import { texts } from './query';
import { set } from './render';

export function describeAvailabilityZones({ state, params }: Ec2Call): XmlFields {
  const { zones, region } = state.network;
  const named = [...texts(params, 'ZoneName'), ...texts(params, 'ZoneId')];
  const unknown = named.filter((name) => !zones.some((z) => z === name || zoneId(z) === name));
  if (unknown.length > 0) throw invalidParameter(`Invalid availability zone: [${unknown.join(', ')}]`);
  const chosen = named.length > 0 ? zones.filter((z) => named.includes(z) || named.includes(zoneId(z))) : zones;
  const shown = applyFilters(chosen, params, {
    values: {
      'zone-name': (z) => z,
      'zone-id': zoneId,
      'group-name': () => region,
      state: () => 'available',
      'region-name': () => region,
      'zone-type': () => 'availability-zone',
      'opt-in-status': () => 'opt-in-not-required',
    },
  });
  return { availabilityZoneInfo: set(shown.map((zone) => renderZone(zone, region))) };
}

function renderZone(zone: string, region: string): XmlFields {
  return {
    zoneName: zone,
    zoneState: 'available',
    regionName: region,
    zoneId: zoneId(zone),
    groupLongName: '',
    groupName: region,
    networkBorderGroup: region,
    zoneType: 'availability-zone',
    optInStatus: 'opt-in-not-required',
    messageSet: '',
  };
}

export function describeVpcs({ state, params }: Ec2Call): XmlFields {
  const { vpcId } = state.network;
  const chosen = choose([vpcId], params, { parameter: 'VpcId', set: 'vpcSet', kind: 'vpc' }, (id) => id);
  const fitting = applyFilters(chosen, params, {
    values: {
      'vpc-id': (id) => id,
      isDefault: () => 'true',
      'is-default': () => 'true',
      state: () => 'available',
      cidr: () => VPC_CIDR,
      'cidr-block-association.cidr-block': () => VPC_CIDR,
      'owner-id': () => state.account,
      'instance-tenancy': () => 'default',
    },
    tags: () => ({}),
  });
  const { items: shown, nextToken } = page(fitting, params, (id) => id);
  const vpcs = shown.map((id) => ({
    vpcId: id,
    ownerId: state.account,
    state: 'available',
    cidrBlock: VPC_CIDR,
    isDefault: true,
    instanceTenancy: 'default',
  }));
  return { vpcSet: set(vpcs), nextToken };
}

export function describeSubnets({ state, params }: Ec2Call): XmlFields {
  const { subnets, vpcId } = state.network;
  const chosen = choose(subnets, params, { parameter: 'SubnetId', set: 'subnetSet', kind: 'subnet' }, (s) => s.id);
  const shown = applyFilters(chosen, params, {
    values: {
      'subnet-id': (s) => s.id,
      'vpc-id': () => vpcId,
      'availability-zone': (s) => s.zone,
      'availability-zone-id': (s) => zoneId(s.zone),
      cidr: (s) => s.cidr,
      'cidr-block': (s) => s.cidr,
      'map-public-ip-on-launch': () => 'true',
      'owner-id': () => state.account,
      'default-for-az': () => 'true',
      defaultForAz: () => 'true',
      state: () => 'available',
    },
    tags: () => ({}),
  });
  const { items, nextToken } = page(shown, params, (s) => s.id);
  return {
    subnetSet: set(
      items.map(({ id, zone, cidr }) => ({
        subnetId: id,
        vpcId,
        ownerId: state.account,
        state: 'available',
        cidrBlock: cidr,
        availableIpAddressCount: 4091,
        availabilityZone: zone,
        availabilityZoneId: zoneId(zone),
        subnetArn: `arn:aws:ec2:${state.network.region}:${state.account}:subnet/${id}`,
        defaultForAz: true,
        mapPublicIpOnLaunch: true,
      })),
    ),
    nextToken,
  };
}
