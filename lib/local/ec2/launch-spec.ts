import { invalidParameter, unsupported } from './errors';
import { flag, structure, structures, text, texts, whole } from './query';
import type { Params } from './query';
import type { Tags } from './records';
import { readSpot } from './spot-options';
import type { SpotSpec } from './spot-options';
import { readTags } from './tags';

/** A block device as asked for. */
export interface DeviceSpec {
  readonly device: string;
  readonly sizeGiB?: number;
  readonly type?: string;
  readonly iops?: number;
  readonly throughput?: number;
  readonly encrypted?: boolean;
  readonly deleteOnTermination?: boolean;
}

/** What a launch template and a RunInstances call can both say; what is missing was not said. */
export interface LaunchSpec {
  readonly imageId?: string;
  readonly type?: string;
  readonly keyName?: string;
  readonly zone?: string;
  readonly subnetId?: string;
  readonly groupIds: readonly string[];
  readonly groupNames: readonly string[];
  /** Name of the instance profile. */
  readonly profile?: string;
  readonly userData?: string;
  readonly onShutdown?: 'stop' | 'terminate';
  readonly credits?: string;
  readonly tokens?: 'required' | 'optional';
  readonly httpEndpoint?: 'enabled' | 'disabled';
  readonly instanceTags?: 'enabled' | 'disabled';
  readonly hopLimit?: number;
  /** Bought on the spot market. @default - on demand */
  readonly spot?: SpotSpec;
  readonly devices: readonly DeviceSpec[];
  /** By resource type: `instance`, `volume`, `network-interface`. */
  readonly tags: Readonly<Record<string, Tags>>;
}

/** Parameters that mean something here, or whose meaning changes nothing that could be seen on a process of the host. */
const KNOWN = new Set([
  'BlockDeviceMapping',
  'CreditSpecification',
  'DisableApiStop',
  'DisableApiTermination',
  'EbsOptimized',
  'IamInstanceProfile',
  'ImageId',
  'InstanceInitiatedShutdownBehavior',
  'InstanceMarketOptions',
  'InstanceType',
  'KeyName',
  'MetadataOptions',
  'Monitoring',
  'NetworkInterface',
  'Placement',
  'SecurityGroup',
  'SecurityGroupId',
  'SubnetId',
  'TagSpecification',
  'UserData',
]);

/** Tag-able resources of a launch. */
const TAGGED = ['instance', 'volume', 'network-interface', 'spot-instances-request'];

/** User data before base64, bytes. Source: EC2 user guide, "Run commands when you launch an EC2 instance with user data input". */
const MAX_USER_DATA_BYTES = 16 * 1024;

/** @param more names that are handled elsewhere @throws UnsupportedOperation, InvalidParameterValue */
export function readLaunchSpec(params: Params, more: readonly string[] = []): LaunchSpec {
  const unknown = Object.keys(params).find((name) => !KNOWN.has(name) && !more.includes(name));
  if (unknown) throw unsupported(`the parameter ${unknown}`);
  const nic = structures(params, 'NetworkInterface')[0] ?? {};
  const metadata = structure(params, 'MetadataOptions');
  return compact({
    imageId: text(params, 'ImageId'),
    type: text(params, 'InstanceType'),
    keyName: text(params, 'KeyName'),
    zone: text(structure(params, 'Placement'), 'AvailabilityZone'),
    subnetId: text(params, 'SubnetId') ?? text(nic, 'SubnetId'),
    groupIds: [...texts(params, 'SecurityGroupId'), ...texts(nic, 'SecurityGroupId'), ...texts(nic, 'Groups')],
    groupNames: texts(params, 'SecurityGroup'),
    profile: readProfile(structure(params, 'IamInstanceProfile')),
    userData: readUserData(params),
    onShutdown: oneOf(params, 'InstanceInitiatedShutdownBehavior', ['stop', 'terminate']),
    credits: text(structure(params, 'CreditSpecification'), 'CpuCredits'),
    tokens: oneOf(metadata, 'HttpTokens', ['required', 'optional']),
    httpEndpoint: oneOf(metadata, 'HttpEndpoint', ['enabled', 'disabled']),
    instanceTags: oneOf(metadata, 'InstanceMetadataTags', ['enabled', 'disabled']),
    hopLimit: whole(metadata, 'HttpPutResponseHopLimit', 1, 64),
    spot: readSpot(params),
    devices: structures(params, 'BlockDeviceMapping').map(readDevice),
    tags: readTagSpecs(params),
  });
}

/** What the call says wins over the template: value by value, devices by name, tags by resource and key. */
export function mergeSpecs(template: LaunchSpec, call: LaunchSpec): LaunchSpec {
  const devices = new Map(template.devices.map((d) => [d.device, d]));
  for (const device of call.devices) devices.set(device.device, { ...devices.get(device.device), ...device });
  const resources = new Set([...Object.keys(template.tags), ...Object.keys(call.tags)]);
  const groupsNamed = call.groupIds.length + call.groupNames.length > 0;
  return {
    ...template,
    ...call,
    groupIds: groupsNamed ? call.groupIds : template.groupIds,
    groupNames: groupsNamed ? call.groupNames : template.groupNames,
    devices: [...devices.values()],
    tags: Object.fromEntries([...resources].map((r) => [r, { ...template.tags[r], ...call.tags[r] }])),
  };
}

function readProfile(params: Params): string | undefined {
  const arn = text(params, 'Arn');
  return text(params, 'Name') ?? arn?.slice(arn.lastIndexOf('/') + 1);
}

function readUserData(params: Params): string | undefined {
  const data = text(params, 'UserData');
  if (data === undefined) return undefined;
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(data)) throw invalidParameter('Invalid BASE64 encoding of user data');
  const bytes = Buffer.from(data, 'base64').byteLength;
  if (bytes > MAX_USER_DATA_BYTES) throw invalidParameter(`User data is limited to ${MAX_USER_DATA_BYTES} bytes`);
  return data;
}

function readDevice(params: Params): DeviceSpec {
  const ebs = structure(params, 'Ebs');
  const device = text(params, 'DeviceName');
  if (device === undefined) throw invalidParameter('A device name is required for every block device mapping');
  return compact({
    device,
    sizeGiB: whole(ebs, 'VolumeSize', 1, 65_536),
    type: oneOf(ebs, 'VolumeType', ['gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1', 'standard']),
    iops: whole(ebs, 'Iops', 100, 256_000),
    throughput: whole(ebs, 'Throughput', 125, 2_000),
    encrypted: flag(ebs, 'Encrypted'),
    deleteOnTermination: flag(ebs, 'DeleteOnTermination'),
  });
}

function readTagSpecs(params: Params): Record<string, Tags> {
  return Object.fromEntries(
    structures(params, 'TagSpecification').map((spec) => {
      const type = text(spec, 'ResourceType') ?? '';
      if (!TAGGED.includes(type)) throw invalidParameter(`'${type}' is not a valid taggable resource type for this operation.`);
      return [type, readTags(spec)];
    }),
  );
}

function oneOf<const T extends string>(params: Params, name: string, allowed: readonly T[]): T | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  const found = allowed.find((a) => a === value);
  if (found === undefined) throw invalidParameter(`Invalid value '${value}' for ${name}. Allowed values: ${allowed.join(', ')}.`);
  return found;
}

type Compact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Without the members that are undefined, so that merging does not undo what was said. */
function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Compact<T>;
}
