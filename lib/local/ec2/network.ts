import { fixedId } from './ids';

export interface Subnet {
  readonly id: string;
  readonly zone: string;
  readonly cidr: string;
}

/** The default VPC of a region, with one default subnet a zone, as every account has it. Nothing of it can be changed. */
export interface Network {
  readonly region: string;
  readonly zones: readonly string[];
  readonly vpcId: string;
  readonly defaultGroupId: string;
  readonly subnets: readonly Subnet[];
}

export const VPC_CIDR = '172.31.0.0/16';

export function defaultNetwork(region: string): Network {
  const zones = ['a', 'b', 'c'].map((letter) => region + letter);
  return {
    region,
    zones,
    vpcId: fixedId('vpc', region),
    defaultGroupId: fixedId('sg', region),
    subnets: zones.map((zone, i) => ({ id: fixedId('subnet', zone), zone, cidr: `172.31.${16 * i}.0/20` })),
  };
}

/** Families too new for the last zone, as there always are some. */
const NEW_FAMILIES = /^[cmr]8g\./;

/** Where VMs of a type can be had at all. */
export function zonesWith({ zones }: Pick<Network, 'zones'>, vmType: string): readonly string[] {
  return NEW_FAMILIES.test(vmType) ? zones.slice(0, -1) : zones;
}

/** `use1-az1` of `us-east-1a`, `apse2-az3` of `ap-southeast-2c`. */
export function zoneId(zone: string): string {
  const [, area, direction, number, letter] = /^([a-z]+)-([a-z]+)-(\d+)([a-z])$/.exec(zone) ?? [];
  if (letter === undefined) return zone;
  const short = direction!.replace('north', 'n').replace('south', 's').replace('east', 'e').replace('west', 'w').replace('central', 'c');
  return `${area}${short}${number}-az${letter.charCodeAt(0) - 96}`;
}

/** An address of the subnet for an instance: told by its id, so that it needs no book of addresses. */
export function privateIp(subnet: Subnet, instanceId: string): string {
  const [a, b, c] = subnet.cidr.split('.').map(Number);
  const number = parseInt(instanceId.slice(-4), 16);
  // The last octet leaves out what AWS keeps for itself: .0 to .3 and .255.
  return `${a}.${b}.${c! + ((number >> 8) & 15)}.${4 + ((number & 255) % 251)}`;
}

/** `ip-172-31-0-4.ec2.internal`, as EC2 names private addresses. */
export function privateDnsName(ip: string, region: string): string {
  return `ip-${ip.replaceAll('.', '-')}.${region === 'us-east-1' ? 'ec2' : `${region}.compute`}.internal`;
}

/** A locally administered address, told by the instance's id. */
export function macAddress(instanceId: string): string {
  return ['02', ...(instanceId.slice(-10).match(/../g) ?? [])].join(':');
}
