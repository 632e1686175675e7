import { PROFILE_ID } from '../imds/metadata';
import type { Filterable } from './filters';
import { clientToken, stateCode } from './instance-xml';
import { interfaceFilters } from './interface-filters';
import { privateDnsName, zoneId } from './network';
import type { InstanceRecord } from './records';
import { timestamp } from './render';
import type { Ec2State } from './state';

type Filters = Filterable<InstanceRecord>['values'];

/** Source: EC2 API reference, DescribeInstances, Filters. What no local instance can have fits nothing. */
export function instanceFilters(state: Ec2State): Filterable<InstanceRecord> {
  return {
    values: {
      ...LIFE,
      ...PLACE,
      ...KIND,
      ...placed(state),
      ...profileFilters(state),
      ...blockDevices,
      ...prefixed('network-interface', interfaceFilters(state)),
      ...Object.fromEntries(NEVER.map((name) => [name, () => undefined])),
    },
    tags: (i) => i.tags,
  };
}

/** What an instance loses with its end. */
const alive = (read: (i: InstanceRecord) => string | readonly string[] | undefined) => (i: InstanceRecord) =>
  i.state === 'terminated' ? undefined : read(i);

const LIFE: Filters = {
  'instance-id': (i) => i.id,
  'reservation-id': (i) => i.reservation,
  'client-token': clientToken,
  'launch-index': (i) => String(i.index),
  'launch-time': (i) => timestamp(i.launchedAt),
  'instance-state-name': (i) => i.state,
  'instance-state-code': (i) => stateCode(i.state),
  'instance-lifecycle': (i) => (i.spot ? 'spot' : undefined),
  'spot-instance-request-id': (i) => i.spot?.requestId,
  'state-reason-code': (i) => i.stateReason?.code,
  'state-reason-message': (i) => i.stateReason?.message,
  reason: (i) => i.transition,
};

const PLACE: Filters = {
  'availability-zone': (i) => i.zone,
  'availability-zone-id': (i) => zoneId(i.zone),
  'subnet-id': alive((i) => i.subnetId),
  'private-ip-address': alive((i) => i.interface.privateIp),
  'instance.group-id': alive((i) => i.groupIds),
  'source-dest-check': alive(() => 'true'),
  tenancy: () => 'default',
};

const KIND: Filters = {
  'image-id': (i) => i.imageId,
  'instance-type': (i) => i.type,
  architecture: (i) => i.arch,
  'key-name': (i) => i.keyName,
  'root-device-name': (i) => i.volumes[0]?.device,
  'root-device-type': () => 'ebs',
  'virtualization-type': () => 'hvm',
  hypervisor: () => 'xen',
  'ebs-optimized': () => 'false',
  'ena-support': () => 'true',
  'hibernation-options.configured': () => 'false',
  'enclave-options.enabled': () => 'false',
  'monitoring-state': () => 'disabled',
  'platform-details': () => 'Linux/UNIX',
  'usage-operation': () => 'RunInstances',
  'metadata-options.http-tokens': (i) => i.metadata.tokens,
  'metadata-options.http-put-response-hop-limit': (i) => String(i.metadata.hopLimit),
  'metadata-options.http-endpoint': () => 'enabled',
  'metadata-options.instance-metadata-tags': (i) => i.metadata.tags,
};

function placed({ network, account, groups }: Ec2State): Filters {
  return {
    'owner-id': () => account,
    'vpc-id': alive(() => network.vpcId),
    'private-dns-name': alive((i) => privateDnsName(i.interface.privateIp, network.region)),
    'instance.group-name': alive((i) => i.groupIds.flatMap((id) => groups.get(id)?.name ?? [])),
  };
}

function profileFilters({ account }: Ec2State): Filters {
  return {
    'iam-instance-profile.arn': alive((i) => i.profile && `arn:aws:iam::${account}:instance-profile/${i.profile}`),
    'iam-instance-profile.id': alive((i) => i.profile && PROFILE_ID),
    'iam-instance-profile.name': alive((i) => i.profile),
  };
}

const blockDevices: Filters = {
  'block-device-mapping.attach-time': alive((i) => timestamp(i.launchedAt)),
  'block-device-mapping.delete-on-termination': alive((i) => i.volumes.map((v) => String(v.deleteOnTermination))),
  'block-device-mapping.device-name': alive((i) => i.volumes.map((v) => v.device)),
  'block-device-mapping.status': alive(() => 'attached'),
  'block-device-mapping.volume-id': alive((i) => i.volumes.map((v) => v.id)),
};

function prefixed(prefix: string, filters: Filters): Filters {
  return Object.fromEntries(Object.entries(filters).map(([name, read]) => [`${prefix}.${name}`, alive(read)]));
}

/** Known to EC2, but of things that the local cloud does not have. */
const NEVER = [
  'affinity',
  'capacity-reservation-id',
  'dns-name',
  'host-id',
  'ip-address',
  'ipv6-address',
  'kernel-id',
  'outpost-arn',
  'placement-group-name',
  'placement-partition-number',
  'platform',
  'product-code',
  'product-code.type',
  'ramdisk-id',
  'requester-id',
];
