import { Token } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { ISecurityGroup, ISubnet, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { ScaffoldSubnet } from '../contract';
import { createSecurityGroup } from './security-group';

/** The props about where VMs are. */
export interface NetworkProps {
  readonly vpc?: IVpc;
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroups?: ISecurityGroup[];
}

/** Where VMs are. */
export interface Network {
  /** At least one. */
  readonly securityGroups: readonly ISecurityGroup[];
  /** One for each zone; undefined in the default VPC, where EC2 finds them. */
  readonly subnets: readonly ScaffoldSubnet[] | undefined;
}

/** The default VPC, without a lookup, or what was brought along. @throws when a subnet's zone is not known */
export function networkOf(scope: Construct, { vpc, vpcSubnets, securityGroups }: NetworkProps): Network {
  if (!vpc && vpcSubnets) throw new Error("rawcloud: 'vpcSubnets' are those of a VPC: give 'vpc' as well");
  if (securityGroups?.length === 0) throw new Error("rawcloud: 'securityGroups' is empty; allowed are 1 to 5, or leave it out");
  return { securityGroups: securityGroups ?? [ownGroup(scope, vpc)], subnets: vpc && subnetsOf(vpc, vpcSubnets) };
}

function ownGroup(scope: Construct, vpc: IVpc | undefined): ISecurityGroup {
  if (!vpc) return SecurityGroup.fromSecurityGroupId(scope, 'VmConnections', createSecurityGroup(scope).attrGroupId);
  const description = 'rawcloud: VMs, nothing in, everything out';
  return new SecurityGroup(scope, 'VpcSecurityGroup', { vpc, description, allowAllOutbound: true });
}

function subnetsOf(vpc: IVpc, selection: SubnetSelection = {}): ScaffoldSubnet[] {
  const isPublic = new Set(vpc.publicSubnets.map(({ subnetId }) => subnetId));
  const { subnets } = vpc.selectSubnets(selection);
  if (subnets.length === 0) throw new Error("rawcloud: 'vpcSubnets' selects no subnet of the VPC; VMs need at least one");
  const found = subnets.map((subnet) => ({ id: subnet.subnetId, zone: zoneOf(subnet), public: isPublic.has(subnet.subnetId) }));
  const twice = found.filter(({ zone }, at) => found.findIndex((other) => other.zone === zone) !== at);
  if (twice.length === 0) return found;
  throw new Error(
    `rawcloud: 'vpcSubnets' selects several subnets in ${twice.map(({ zone }) => zoneWords(zone)).join(', ')}; allowed is one for each zone (onePerAz: true, or subnets by name)`,
  );
}

function zoneWords(zone: string): string {
  return Token.isUnresolved(zone) ? 'one zone' : zone;
}

/** An imported subnet may not know its zone: CDK then throws, or warns and makes up a token. */
function zoneOf(subnet: ISubnet): string {
  try {
    return subnet.availabilityZone;
  } catch (error) {
    throw new Error(
      `rawcloud: the zone of subnet '${subnet.node.id}' is not known; import it with Subnet.fromSubnetAttributes({ subnetId, availabilityZone })`,
      { cause: error },
    );
  }
}
