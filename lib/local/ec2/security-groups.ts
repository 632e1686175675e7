import { ServiceError } from '../service';
import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { dryRunEnds } from './dry-run';
import { invalidCombination, missingParameter, notFound } from './errors';
import { applyFilters } from './filters';
import { randomId } from './ids';
import { page } from './paging';
import { required, structures, text, texts } from './query';
import type { GroupRecord } from './records';
import { set, tagSet } from './render';
import { readTags } from './tags';

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
  dryRunEnds(params);
  const group: GroupRecord = { v: 1, id: randomId('sg'), name, description: required(params, 'GroupDescription'), vpcId, tags };
  await state.groups.put(group);
  return { return: true, groupId: group.id, tagSet: tagSet(tags) };
}

/** @throws DependencyViolation while instances are in it, CannotDelete for the default group */
export async function deleteSecurityGroup({ state, params }: Ec2Call): Promise<XmlFields> {
  const [id, name] = [text(params, 'GroupId'), text(params, 'GroupName')];
  if (id === undefined && name === undefined) throw missingParameter('GroupId');
  const group = state.groups.all().find((g) => (id === undefined ? g.name === name : g.id === id));
  if (!group) throw notFound('group', [id ?? name ?? '']);
  if (group.id === state.network.defaultGroupId) {
    throw new ServiceError(400, 'CannotDelete', `the specified group: "${group.id}" name: "default" cannot be deleted by a user`);
  }
  if (state.instances.all().some((i) => i.state !== 'terminated' && i.groupIds.includes(group.id))) {
    throw new ServiceError(400, 'DependencyViolation', `resource ${group.id} has a dependent object`);
  }
  dryRunEnds(params);
  await state.groups.delete(group.id);
  return { return: true, groupId: group.id };
}

export function describeSecurityGroups({ state, params }: Ec2Call): XmlFields {
  const [ids, names] = [texts(params, 'GroupId'), texts(params, 'GroupName')];
  const all = state.groups.all();
  const missing = [...ids.filter((id) => !all.some((g) => g.id === id)), ...names.filter((n) => !all.some((g) => g.name === n))];
  if (missing.length > 0) throw notFound('group', missing);
  if (ids.length > 0 && params['MaxResults'] !== undefined) {
    throw invalidCombination('The parameter groupIds cannot be used with the parameter maxResults');
  }
  const chosen = ids.length + names.length > 0 ? all.filter((g) => ids.includes(g.id) || names.includes(g.name)) : all;
  const fitting = applyFilters(chosen, params, {
    values: {
      'group-id': (g) => g.id,
      'group-name': (g) => g.name,
      'vpc-id': (g) => g.vpcId,
      description: (g) => g.description,
      'owner-id': () => state.account,
      'egress.ip-permission.cidr': () => '0.0.0.0/0',
      'ip-permission.cidr': () => undefined,
    },
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
