import type { Conditions } from '../policy';
import type { Ec2Call } from './actions';
import { requestedSpec } from './run-instances';
import { text, texts } from './query';
import type { Tags } from './records';
import type { Ec2State } from './state';
import { tagsOf } from './tag-actions';
import { readTags } from './tags';

/** One thing that a call needs to be allowed. */
export interface Question {
  readonly action: string;
  /** ARN, or `*` for actions that know no resources. */
  readonly resource: string;
  /** By lower-case name: those keys that EC2 has for this kind of resource, and no others. */
  readonly conditions: Conditions;
}

type Asks = (call: Ec2Call) => Question[];

/**
 * All that must be allowed for a call: EC2 asks once for each resource that it needs, changes or makes.
 * Source: Service Authorization Reference, Amazon EC2: resource types and condition keys of each action.
 */
export function questionsOf(name: string, call: Ec2Call): Question[] {
  const { region } = call.state.network;
  const asked = ASKS[name]?.(call) ?? [{ action: `ec2:${name}`, resource: '*', conditions: {} }];
  return asked.map((q) => ({ ...q, conditions: { ...q.conditions, 'ec2:region': region, 'aws:requestedregion': region } }));
}

/** Actions on things that are there, by the parameter that names them. */
function onThings(name: string, kind: string, ids: (params: Ec2Call['params']) => readonly string[]): Record<string, Asks> {
  return {
    [name]: ({ state, params }) =>
      ids(params).map((id) => ({
        action: `ec2:${name}`,
        resource: arn(state, `${kind}/${id}`),
        conditions: tagConditions('resource', tagsOf(state, id)),
      })),
  };
}

const many =
  (parameter: string) =>
  (params: Ec2Call['params']): readonly string[] =>
    texts(params, parameter);
const single =
  (parameter: string) =>
  (params: Ec2Call['params']): readonly string[] => [text(params, parameter) ?? ''];

const ASKS: Readonly<Record<string, Asks>> = {
  ...onThings('TerminateInstances', 'instance', many('InstanceId')),
  ...onThings('StopInstances', 'instance', many('InstanceId')),
  ...onThings('StartInstances', 'instance', many('InstanceId')),
  ...onThings('RebootInstances', 'instance', many('InstanceId')),
  ...onThings('GetConsoleOutput', 'instance', single('InstanceId')),
  ...onThings('DeleteVolume', 'volume', single('VolumeId')),
  ...onThings('DeleteNetworkInterface', 'network-interface', single('NetworkInterfaceId')),
  ...onThings('DeleteLaunchTemplate', 'launch-template', single('LaunchTemplateId')),
  ...onThings('DeleteSecurityGroup', 'security-group', single('GroupId')),
  CreateTags: (call) => tagging('ec2:CreateTags', call),
  DeleteTags: (call) => tagging('ec2:DeleteTags', call),
  RunInstances: launching,
};

function tagging(action: string, { state, params }: Ec2Call): Question[] {
  const given = tagConditions('request', readTags(params));
  return texts(params, 'ResourceId').map((id) => ({
    action,
    resource: arn(state, `${kindOf(id)}/${id}`),
    conditions: { ...tagConditions('resource', tagsOf(state, id)), ...given },
  }));
}

/**
 * What a launch needs, what it makes, the tags that it gives, the role that it hands over. A template's tags are taken for
 * what the caller gives, as its other values are.
 */
function launching({ state, params }: Ec2Call): Question[] {
  const { spec, template } = requestedSpec(state, params);
  const fromTemplate: Conditions = template === undefined ? {} : { 'ec2:launchtemplate': arn(state, `launch-template/${template}`) };
  const run = (resource: string, conditions: Conditions): Question => ({ action: 'ec2:RunInstances', resource, conditions });
  const made = (kind: string, conditions: Conditions): Question =>
    run(arn(state, `${kind}/*`), { ...conditions, ...tagConditions('request', spec.tags[kind]) });
  const used = (resource: string, id: string): Question =>
    run(resource, { ...fromTemplate, ...tagConditions('resource', tagsOf(state, id)) });

  const zoned = state.network.subnets.find(({ zone }) => zone === spec.zone) ?? state.network.subnets[0]!;
  const groups = spec.groupIds.length > 0 ? spec.groupIds : [state.network.defaultGroupId];
  const profile: Conditions =
    spec.profile === undefined ? {} : { 'ec2:instanceprofile': `arn:aws:iam::${state.account}:instance-profile/${spec.profile}` };
  const vm = { 'ec2:instancetype': spec.type ?? '', 'ec2:instancemarkettype': spec.spot ? 'spot' : 'on-demand', ...profile };
  return [
    made('instance', { ...fromTemplate, ...vm }),
    made('volume', fromTemplate),
    made('network-interface', fromTemplate),
    // Of a request for spot, EC2 knows the tags and nothing else.
    ...(spec.spot ? [made('spot-instances-request', {})] : []),
    ...(template === undefined ? [] : [used(arn(state, `launch-template/${template}`), template)]),
    used(arn(state, `subnet/${spec.subnetId ?? zoned.id}`), ''),
    ...groups.map((id) => used(arn(state, `security-group/${id}`), id)),
    used(`arn:aws:ec2:${state.network.region}::image/${spec.imageId ?? ''}`, ''),
    ...(spec.keyName === undefined ? [] : [used(arn(state, `key-pair/${spec.keyName}`), '')]),
    ...Object.entries(spec.tags).flatMap(([kind, tags]) => taggingAtLaunch(state, kind, tags)),
    ...(spec.profile === undefined ? [] : [passing(state, spec.profile)]),
  ];
}

function taggingAtLaunch(state: Ec2State, kind: string, tags: Tags): Question[] {
  const given = tagConditions('request', tags);
  if (Object.keys(given).length === 0) return [];
  const conditions = { ...given, 'ec2:createaction': 'RunInstances' };
  return [{ action: 'ec2:CreateTags', resource: arn(state, `${kind}/*`), conditions }];
}

/** Profiles here have the name of their role. */
function passing({ account }: Ec2State, role: string): Question {
  return {
    action: 'iam:PassRole',
    resource: `arn:aws:iam::${account}:role/${role}`,
    conditions: { 'iam:passedtoservice': 'ec2.amazonaws.com' },
  };
}

/** Tags that AWS gives itself are none that anybody asks for. */
function tagConditions(of: 'request' | 'resource', tags: Tags = {}): Conditions {
  const given = Object.entries(tags).filter(([key]) => of === 'resource' || !key.startsWith('aws:'));
  return {
    ...Object.fromEntries(given.map(([key, value]) => [`aws:${of}tag/${key.toLowerCase()}`, value])),
    ...(of === 'request' && given.length > 0 ? { 'aws:tagkeys': given.map(([key]) => key) } : {}),
  };
}

function arn({ account, network }: Ec2State, resource: string): string {
  return `arn:aws:ec2:${network.region}:${account}:${resource}`;
}

const KINDS: Readonly<Record<string, string>> = {
  i: 'instance',
  vol: 'volume',
  eni: 'network-interface',
  lt: 'launch-template',
  sg: 'security-group',
  sir: 'spot-instances-request',
};

function kindOf(id: string): string {
  return KINDS[id.slice(0, id.indexOf('-'))] ?? 'unknown';
}
