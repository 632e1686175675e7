import type { AccessFacts } from './access-facts';
import { allowedMarkets } from './limits';
import type { Limits } from './limits';
import type { LookFacts } from './look-access';
import type { PolicyStatement } from './scaffold';
import { vmRolesUnder } from './scaffold';
import { TAGS } from './tags';

/**
 * What launches take. What is launched, and where, comes from some template, which the condition demands; that it is one of ours is said of
 * the template itself, for which EC2 asks as well. Source: Amazon EC2 user guide, "Example: Launch templates". So the size of this does
 * not depend on how many templates there are.
 */
export function launchStatements({
  partition,
  account,
  region,
  scaffold,
  securityGroupId,
  vmRoleArns,
  launchTemplateArns,
  vmTags = {},
  limits = {},
  otherSecurityGroupIds = [],
  subnetIds = ['*'],
  otherStacks = false,
}: AccessFacts): PolicyStatement[] {
  const ec2 = (resource: string, owner = account): string => `${partition}:ec2:${region}:${owner}:${resource}`;
  const fromTemplate = { ArnLike: { 'ec2:LaunchTemplate': ec2('launch-template/*') } };
  const tags = Object.entries({ [TAGS.scaffold]: scaffold, ...vmTags });
  const ourTags = Object.fromEntries(tags.map(([key, value]) => [`aws:RequestTag/${key}`, value]));
  const groups = [securityGroupId, ...otherSecurityGroupIds].map((id) => ec2(`security-group/${id}`));
  const isLimited = limits.vmTypes !== undefined || allowedMarkets(limits) !== undefined;
  const launched = ['volume', 'network-interface', ...(isLimited ? [] : ['instance'])];
  return [
    {
      Sid: 'LaunchTagged',
      Effect: 'Allow',
      Action: 'ec2:RunInstances',
      Resource: launched.map((kind) => ec2(`${kind}/*`)),
      Condition: { ...fromTemplate, StringEquals: ourTags },
    },
    // EC2 knows no template of it: a condition on that would refuse every spot VM.
    {
      Sid: 'RequestSpot',
      Effect: 'Allow',
      Action: 'ec2:RunInstances',
      Resource: ec2('spot-instances-request/*'),
      Condition: { StringEquals: ourTags },
    },
    ...(isLimited ? [allowedVms(ec2('instance/*'), fromTemplate, ourTags, limits)] : []),
    {
      Sid: 'LaunchFrom',
      Effect: 'Allow',
      Action: 'ec2:RunInstances',
      Resource: [...groups, ...subnetIds.map((id) => ec2(`subnet/${id}`)), ec2('image/*', '')],
      Condition: fromTemplate,
    },
    {
      Sid: 'TagAtLaunch',
      Effect: 'Allow',
      Action: 'ec2:CreateTags',
      Resource: ['instance', 'volume', 'network-interface', 'spot-instances-request'].map((kind) => ec2(`${kind}/*`)),
      Condition: { StringEquals: { 'ec2:CreateAction': 'RunInstances' } },
    },
    ...jobVmStatements({ vmRoleArns, launchTemplateArns }),
    ...(otherStacks ? ofOtherStacks({ partition, account, region, scaffold }) : []),
    {
      Sid: 'SpotRole',
      Effect: 'Allow',
      Action: 'iam:CreateServiceLinkedRole',
      Resource: `${partition}:iam::${account}:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot`,
      Condition: { StringEquals: { 'iam:AWSServiceName': 'spot.amazonaws.com' } },
    },
  ];
}

/** What launching VMs of some kinds takes beyond what all launches take: their templates, and their roles. */
export function jobVmStatements({
  vmRoleArns,
  launchTemplateArns,
}: Pick<AccessFacts, 'vmRoleArns' | 'launchTemplateArns'>): PolicyStatement[] {
  return [
    { Sid: 'LaunchFromTemplate', Effect: 'Allow', Action: 'ec2:RunInstances', Resource: launchTemplateArns },
    {
      Sid: 'PassVmRoles',
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: vmRoleArns,
      Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    },
  ];
}

function ofOtherStacks({ partition, account, region, scaffold }: Omit<LookFacts, 'bucketArn'>): PolicyStatement[] {
  return [
    {
      Sid: 'LaunchFromOtherTemplates',
      Effect: 'Allow',
      Action: 'ec2:RunInstances',
      Resource: `${partition}:ec2:${region}:${account}:launch-template/*`,
      Condition: { StringEquals: { [`aws:ResourceTag/${TAGS.scaffold}`]: scaffold } },
    },
    {
      Sid: 'PassOtherVmRoles',
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: vmRolesUnder({ partition, account, region }, scaffold),
      Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    },
  ];
}

/** Only an instance has a type and a market: what else a launch makes would never fit. */
function allowedVms(
  Resource: string,
  fromTemplate: NonNullable<PolicyStatement['Condition']>,
  ourTags: Readonly<Record<string, string>>,
  limits: Limits,
): PolicyStatement {
  const markets = allowedMarkets(limits);
  return {
    Sid: 'LaunchAllowedVms',
    Effect: 'Allow',
    Action: 'ec2:RunInstances',
    Resource,
    Condition: {
      ...fromTemplate,
      StringEquals: { ...ourTags, ...(markets ? { 'ec2:InstanceMarketType': markets } : {}) },
      ...(limits.vmTypes ? { StringLike: { 'ec2:InstanceType': limits.vmTypes } } : {}),
    },
  };
}
