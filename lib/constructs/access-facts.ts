import { Arn, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { AccessFacts } from '../contract';
import type { VmKind } from './i-raw-cloud';
import type { Network } from './network';

/** What of a scaffolding decides who may do what in it. */
export interface FactsOf extends Pick<AccessFacts, 'scaffold' | 'bucketArn' | 'vmTags' | 'limits' | 'exec'> {
  readonly network: Network;
  /** The scaffolding's own: jobs have theirs in policies of their own. */
  readonly vms: VmKind;
  readonly shared: boolean;
}

/** As policies in the stack of `scope` name it. */
export function accessFacts(scope: IConstruct, { network, vms, shared, ...rest }: FactsOf): AccessFacts {
  const { partition, account, region } = Stack.of(scope);
  const [securityGroupId, ...otherSecurityGroupIds] = network.securityGroups.map((group) => group.securityGroupId) as [string, ...string[]];
  return {
    ...rest,
    partition: `arn:${partition}`,
    account,
    region,
    securityGroupId,
    otherSecurityGroupIds,
    ...(network.subnets ? { subnetIds: network.subnets.map(({ id }) => id) } : {}),
    vmRoleArns: [vms.role.roleArn],
    launchTemplateArns: [templateArn(scope, vms)],
    ...(shared ? { otherStacks: true } : {}),
  };
}

export function templateArn(scope: IConstruct, { template }: VmKind): string {
  return Arn.format({ service: 'ec2', resource: 'launch-template', resourceName: template.ref }, Stack.of(scope));
}
