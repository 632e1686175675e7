import { privateDnsName, VPC_CIDR, defaultNetwork } from '../ec2/network';
import type { InstanceRecord } from '../ec2/records';
import type { MetadataDirectory } from './metadata';

/**
 * `block-device-mapping/`: the root device as `ami` (short name) and `root`, others as `ebs1`, `ebs2` …
 * Source: EC2 user guide, "Instance metadata categories".
 * @returns undefined when the instance has no volumes
 */
export function blockDevices({ volumes }: Pick<InstanceRecord, 'volumes'>): MetadataDirectory | undefined {
  const [root, ...others] = volumes.map(({ device }) => device);
  if (root === undefined) return undefined;
  const short = root.replace(/^\/dev\//, '');
  return { ami: short, ...Object.fromEntries(others.map((device, i) => [`ebs${i + 1}`, device.replace(/^\/dev\//, '')])), root };
}

/** `network/interfaces/macs/<mac>/`: the one interface of an instance, in its subnet of the default VPC. */
export function networkInterface(i: InstanceRecord, { account, region }: { account: string; region: string }): MetadataDirectory {
  const { interface: nic, subnetId, groupIds } = i;
  const { vpcId, subnets } = defaultNetwork(region);
  return {
    'device-number': '0',
    'interface-id': nic.id,
    'local-hostname': privateDnsName(nic.privateIp, region),
    'local-ipv4s': nic.privateIp,
    mac: nic.mac,
    'owner-id': account,
    'security-group-ids': groupIds.length === 0 ? undefined : groupIds.join('\n'),
    'subnet-id': subnetId,
    'subnet-ipv4-cidr-block': subnets.find(({ id }) => id === subnetId)?.cidr,
    'vpc-id': vpcId,
    'vpc-ipv4-cidr-block': VPC_CIDR,
    'vpc-ipv4-cidr-blocks': VPC_CIDR,
  };
}
