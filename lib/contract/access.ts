import { jobRolePath } from './job-role';
import { ROOT } from './keys';
import { allowedMarkets } from './limits';
import type { Limits } from './limits';
import { inRegion } from './look-access';
import type { LookFacts } from './look-access';
import type { PolicyStatement } from './scaffold';
import { scaffoldParameterName, vmRolesUnder } from './scaffold';
import { TAGS } from './tags';

/** What access is narrowed to. Names and ARNs, or what stands for them until deployment. */
export interface AccessFacts extends LookFacts {
  readonly securityGroupId: string;
  /** Groups that VMs get besides. @default - none */
  readonly otherSecurityGroupIds?: readonly string[];
  /** Ids of the subnets in which VMs are launched. @default - any */
  readonly subnetIds?: readonly string[];
  /** ARNs of the roles that VMs may get; those of deployed jobs stand in policies of their own ({@link jobVmStatements}). */
  readonly vmRoleArns: readonly string[];
  /** ARNs of the launch templates that VMs are launched from; for those of deployed jobs the same holds. */
  readonly launchTemplateArns: readonly string[];
  /** Tags that every launch must give. @default - none but ours */
  readonly vmTags?: Readonly<Record<string, string>>;
  /** What VMs may be launched. @default - any */
  readonly limits?: Limits;
  /**
   * Whether other stacks bring jobs. Their roles are known by path ({@link vmRolesUnder}) and their templates by our tag: whoever may make
   * roles under that path, or give launch templates that tag, brings jobs. @default false
   */
  readonly otherStacks?: boolean;
  /** Whether `rawcloud exec` is allowed. @default false */
  readonly exec?: boolean;
}

/** Directories of the bucket that a driver reads and writes; of private grants it may only write and delete. */
const RECORDS = ['active', 'sealed', 'jobs', 'market', 'ticks'];
/** What a driver only adds to, and people read. */
const HISTORY = ['index', 'ledger'];
/** What content is for drivers: of environments only VMs know. */
export const CONTENT_DIRECTORIES = ['files', 'agent'];
/** What is deleted when a job has ended. */
const PASSING = ['active', 'sealed', 'private'];

/** The same for who wants to know whether he may run jobs: what he reads and writes, and what he deletes. */
export const DRIVER_DIRECTORIES = { readWrite: [...RECORDS, ...HISTORY, ...CONTENT_DIRECTORIES], remove: PASSING } as const;

/**
 * What whoever has `grantRun` may do: what every driver may, and bring files in parts, look at what was, at a VM's console and at what AWS
 * sells, and move a job's lifetime.
 */
export function clientStatements(facts: AccessFacts): PolicyStatement[] {
  return [...besideLaunches(facts, OF_PERSONS), ...personalAccess(facts), ...launchStatements(facts)];
}

/** {@link clientStatements} in two, each of which fits into a managed policy: what launches takes, and the rest. */
export function clientPolicies(facts: AccessFacts): { readonly launch: PolicyStatement[]; readonly rest: PolicyStatement[] } {
  return { launch: launchStatements(facts), rest: [...besideLaunches(facts, OF_PERSONS), ...personalAccess(facts)] };
}

/** What joins statements of drivers for somebody who may more: statements of its own would make the policy longer. */
interface More {
  readonly reads: readonly string[];
  readonly onOurVms: readonly string[];
  readonly looks: readonly string[];
}

const NOTHING_MORE: More = { reads: [], onOurVms: [], looks: [] };
const OF_PERSONS: More = {
  reads: HISTORY,
  onOurVms: ['ec2:GetConsoleOutput'],
  looks: ['ec2:DescribeInstanceTypes', 'ec2:DescribeInstanceTypeOfferings', 'servicequotas:ListServiceQuotas'],
};

/**
 * What whoever drives jobs may do: clients, the launch function, the reaper. Launches carry our tag and come from our
 * templates, with our roles; tags are given only by a launch; what is ended carries our tag. Describe calls know no
 * resources. Sources: Service Authorization Reference, Amazon EC2 and Amazon S3.
 */
export function driverStatements(facts: AccessFacts): PolicyStatement[] {
  return [...besideLaunches(facts, NOTHING_MORE), ...launchStatements(facts)];
}

function besideLaunches(facts: AccessFacts, more: More): PolicyStatement[] {
  return [...bucketAccess(facts, more), vmAccess(facts, more), ...knowledge(facts, more)];
}

/** ARNs of all objects in directories of the bucket. */
export function objectsUnder(bucketArn: string, directories: readonly string[]): string[] {
  return directories.map((directory) => `${bucketArn}/${ROOT}${directory}/*`);
}

function bucketAccess({ bucketArn }: AccessFacts, { reads }: More): PolicyStatement[] {
  return [
    {
      Sid: 'Read',
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: objectsUnder(bucketArn, [...RECORDS, ...reads, ...CONTENT_DIRECTORIES, 'sweep']),
    },
    {
      Sid: 'Write',
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: objectsUnder(bucketArn, [...RECORDS, ...HISTORY, ...CONTENT_DIRECTORIES, 'private']),
    },
    { Sid: 'Forget', Effect: 'Allow', Action: 's3:DeleteObject', Resource: objectsUnder(bucketArn, PASSING) },
    // Without it a key that is not there would be "access denied", for a person who reads the error as well.
    { Sid: 'List', Effect: 'Allow', Action: 's3:ListBucket', Resource: bucketArn },
  ];
}

/**
 * What launches take. What is launched, and where, comes from some template, which the condition demands; that it is one of ours is said of
 * the template itself, for which EC2 asks as well. Source: Amazon EC2 user guide, "Example: Launch templates". So the size of this does
 * not depend on how many templates there are.
 */
function launchStatements({
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

interface OurVms {
  readonly instances: string;
  readonly ours: Readonly<Record<string, string>>;
}

function ourVms({ partition, account, region, scaffold }: AccessFacts): OurVms {
  return { instances: `${partition}:ec2:${region}:${account}:instance/*`, ours: { [`aws:ResourceTag/${TAGS.scaffold}`]: scaffold } };
}

function vmAccess(facts: AccessFacts, { onOurVms }: More): PolicyStatement {
  const { instances, ours } = ourVms(facts);
  const Action = ['ec2:TerminateInstances', ...onOurVms];
  return { Sid: 'EndOurVms', Effect: 'Allow', Action, Resource: instances, Condition: { StringEquals: ours } };
}

function personalAccess(facts: AccessFacts): PolicyStatement[] {
  const { instances, ours } = ourVms(facts);
  return [
    // Nothing else is large enough for more than one part.
    { Sid: 'GiveUp', Effect: 'Allow', Action: 's3:AbortMultipartUpload', Resource: objectsUnder(facts.bucketArn, CONTENT_DIRECTORIES) },
    // Prices of all regions are told in a few of them.
    { Sid: 'Prices', Effect: 'Allow', Action: 'pricing:GetProducts', Resource: '*' },
    {
      Sid: 'Roles',
      Effect: 'Allow',
      Action: 'ssm:GetParametersByPath',
      Resource: `${facts.partition}:ssm:${facts.region}:${facts.account}:parameter${jobRolePath(facts.scaffold)}`,
    },
    {
      Sid: 'MoveLifetime',
      Effect: 'Allow',
      Action: 'ec2:CreateTags',
      Resource: instances,
      Condition: {
        StringEquals: ours,
        'ForAllValues:StringEquals': { 'aws:TagKeys': [TAGS.until] },
        // All of none would be all.
        Null: { 'aws:TagKeys': 'false' },
      },
    },
  ];
}

function knowledge({ partition, account, region, scaffold }: AccessFacts, { looks }: More): PolicyStatement[] {
  return [
    {
      Sid: 'Scaffolding',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: [
        `${partition}:ssm:${region}:${account}:parameter${scaffoldParameterName(scaffold)}`,
        `${partition}:ssm:${region}::parameter/aws/service/ami-amazon-linux-latest/*`,
      ],
    },
    // None of these knows resources, or changes anything.
    {
      Sid: 'Look',
      Effect: 'Allow',
      Action: ['ec2:DescribeInstances', 'ec2:DescribeImages', 'ec2:DescribeSpotPriceHistory', ...looks],
      Resource: '*',
      Condition: inRegion(region),
    },
    {
      Sid: 'Quotas',
      Effect: 'Allow',
      Action: 'servicequotas:GetServiceQuota',
      Resource: `${partition}:servicequotas:${region}:${account}:ec2/*`,
    },
  ];
}
