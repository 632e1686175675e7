import type { Filterable } from './filters';
import { privateDnsName } from './network';
import type { InstanceRecord } from './records';
import { timestamp } from './render';
import type { Ec2State } from './state';

/**
 * Of the one interface that an instance has. DescribeInstances takes the same names behind `network-interface.`
 * Source: EC2 API reference, DescribeNetworkInterfaces, Filters.
 */
export function interfaceFilters({ account, network, groups }: Ec2State): Filterable<InstanceRecord>['values'] {
  const dns = (i: InstanceRecord): string => privateDnsName(i.interface.privateIp, network.region);
  return {
    'network-interface-id': (i) => i.interface.id,
    'addresses.primary': () => 'true',
    'addresses.private-ip-address': (i) => i.interface.privateIp,
    'addresses.association.public-ip': () => undefined,
    'association.public-ip': () => undefined,
    'attachment.attach-time': (i) => timestamp(i.launchedAt),
    'attachment.attachment-id': (i) => i.interface.attachmentId,
    'attachment.delete-on-termination': () => 'true',
    'attachment.device-index': () => '0',
    'attachment.instance-id': (i) => i.id,
    'attachment.instance-owner-id': () => account,
    'attachment.status': () => 'attached',
    'availability-zone': (i) => i.zone,
    description: () => '',
    'group-id': (i) => i.groupIds,
    'group-name': (i) => i.groupIds.flatMap((id) => groups.get(id)?.name ?? []),
    'interface-type': () => 'interface',
    'mac-address': (i) => i.interface.mac,
    'owner-id': () => account,
    'private-dns-name': dns,
    'private-ip-address': (i) => i.interface.privateIp,
    'requester-managed': () => 'false',
    'source-dest-check': () => 'true',
    status: () => 'in-use',
    'subnet-id': (i) => i.subnetId,
    'vpc-id': () => network.vpcId,
  };
}
