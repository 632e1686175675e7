import { CfnSecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';

/**
 * A group without ingress: nothing connects to a VM. Without a VpcId it goes to the default VPC, and that without
 * a lookup at synthesis; EC2 itself adds the rule that lets everything out.
 */
export function createSecurityGroup(scope: Construct): CfnSecurityGroup {
  return new CfnSecurityGroup(scope, 'VmSecurityGroup', { groupDescription: 'rawcloud: VMs, nothing in, everything out' });
}
