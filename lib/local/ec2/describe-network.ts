import { ServiceError } from '../service';
import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { notFound } from './errors';
import { applyFilters } from './filters';
import { randomId } from './ids';
import { VPC_CIDR } from './network';
import { page } from './paging';
import { required, structures, text, texts } from './query';
import type { GroupRecord } from './records';
import { set, tagSet } from './render';
import { readTags } from './tags';

export function describeAvailabilityZones({ state, params }: Ec2Call): XmlFields {
  const { zones, region } = state.network;
  const named = texts(params, 'ZoneName');
  const chosen = named.length > 0 ? zones.filter((z) => named.includes(z)) : zones;
  const shown = applyFilters(chosen, params, {
    values: {
      'zone-name': (z) => z,
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
    zoneId: `local-az${zone.charCodeAt(zone.length - 1) - 96}`,
    groupName: region,
    networkBorderGroup: region,
    zoneType: 'availability-zone',
    optInStatus: 'opt-in-not-required',
    messageSet: '',
  };
}

export function describeVpcs({ state, params }: Ec2Call): XmlFields {
  const { vpcId } = state.network;
  const missing = texts(params, 'VpcId').filter((id) => id !== vpcId);
  if (missing.length > 0) throw notFound('vpc', missing);
  const shown = applyFilters([vpcId], params, {
    values: { 'vpc-id': (id) => id, isDefault: () => 'true', 'is-default': () => 'true', state: () => 'available', cidr: () => VPC_CIDR },
    tags: () => ({}),
  });
  const vpcs = shown.map((id) => ({
    vpcId: id,
    ownerId: state.account,
    state: 'available',
    cidrBlock: VPC_CIDR,
    isDefault: true,
    instanceTenancy: 'default',
  }));
  return { vpcSet: set(vpcs) };
}

export function describeSubnets({ state, params }: Ec2Call): XmlFields {
  const { subnets, vpcId } = state.network;
  const ids = texts(params, 'SubnetId');
  const missing = ids.filter((id) => !subnets.some((s) => s.id === id));
  if (missing.length > 0) throw notFound('subnet', missing);
  const shown = applyFilters(ids.length > 0 ? subnets.filter((s) => ids.includes(s.id)) : subnets, params, {
    values: {
      'subnet-id': (s) => s.id,
      'vpc-id': () => vpcId,
      'availability-zone': (s) => s.zone,
      'default-for-az': () => 'true',
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
        defaultForAz: true,
        mapPublicIpOnLaunch: true,
      })),
    ),
    nextToken,
  };
}

export async function createSecurityGroup({ state, params }: Ec2Call): Promise<XmlFields> {
  const { vpcId } = state.network;
  const name = required(params, 'GroupName');
  const asked = text(params, 'VpcId') ?? vpcId;
  if (asked !== vpcId) throw notFound('vpc', [asked]);
  if (state.groups.all().some((g) => g.name === name)) {
    throw new ServiceError(400, 'InvalidGroup.Duplicate', `The security group '${name}' already exists for VPC '${vpcId}'`);
  }
  const spec = structures(params, 'TagSpecification').find((s) => text(s, 'ResourceType') === 'security-group');
  const tags = spec ? readTags(spec) : {};
  const group: GroupRecord = { v: 1, id: randomId('sg'), name, description: required(params, 'GroupDescription'), vpcId, tags };
  await state.groups.put(group);
  return { return: true, groupId: group.id, tagSet: tagSet(tags) };
}

export function describeSecurityGroups({ state, params }: Ec2Call): XmlFields {
  const [ids, names] = [texts(params, 'GroupId'), texts(params, 'GroupName')];
  const all = state.groups.all();
  const missing = [...ids.filter((id) => !all.some((g) => g.id === id)), ...names.filter((n) => !all.some((g) => g.name === n))];
  if (missing.length > 0) throw notFound('group', missing);
  const chosen = ids.length + names.length > 0 ? all.filter((g) => ids.includes(g.id) || names.includes(g.name)) : all;
  const fitting = applyFilters(chosen, params, {
    values: { 'group-id': (g) => g.id, 'group-name': (g) => g.name, 'vpc-id': (g) => g.vpcId, description: (g) => g.description },
    tags: (g) => g.tags,
  });
  const { items, nextToken } = page(fitting, params, (g) => g.id);
  return { securityGroupInfo: set(items.map((g) => renderGroup(g, state.account))), nextToken };
}

function renderGroup(g: GroupRecord, account: string): XmlFields {
  const everywhere = { ipProtocol: '-1', groups: '', ipRanges: set([{ cidrIp: '0.0.0.0/0' }]), ipv6Ranges: '', prefixListIds: '' };
  return {
    ownerId: account,
    groupId: g.id,
    groupName: g.name,
    groupDescription: g.description,
    vpcId: g.vpcId,
    ipPermissions: '',
    ipPermissionsEgress: set([everywhere]),
    tagSet: tagSet(g.tags),
  };
}
