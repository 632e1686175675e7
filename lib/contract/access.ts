import { busSource } from './bus-events';
import { deployedPath } from './definition';
import { ROOT } from './keys';
import { allowedMarkets } from './limits';
import type { Limits } from './limits';
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
  /** ARNs of the roles that VMs may get. */
  readonly vmRoleArns: readonly string[];
  /** ARNs of the launch templates that VMs are launched from. */
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
const RECORDS = ['active', 'index', 'sealed', 'jobs', 'ledger', 'market', 'ticks'];
const CONTENT = ['files', 'agent', 'environments'];
/** What is deleted when a job has ended. */
const PASSING = ['active', 'sealed', 'private'];

/** The same for who wants to know whether it may: what a driver reads and writes, and what it deletes. */
export const DRIVER_DIRECTORIES = { readWrite: [...RECORDS, ...CONTENT], remove: PASSING } as const;

/**
 * What whoever drives jobs may do: clients, the launch function, the reaper. Launches carry our tag and come from our
 * templates, with our roles; tags are given only by a launch; what is ended carries our tag. Describe calls know no
 * resources. Sources: Service Authorization Reference, Amazon EC2 and Amazon S3.
 */
export function driverStatements(facts: AccessFacts): PolicyStatement[] {
  return [...bucketAccess(facts), ...launchAccess(facts), ...vmAccess(facts), ...knowledge(facts)];
}

function bucketAccess({ bucketArn }: AccessFacts): PolicyStatement[] {
  const under = (directories: readonly string[]): string[] => directories.map((directory) => `${bucketArn}/${ROOT}${directory}/*`);
  return [
    { Sid: 'Read', Effect: 'Allow', Action: 's3:GetObject', Resource: under([...RECORDS, ...CONTENT, 'sweep']) },
    {
      Sid: 'Write',
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
      Resource: under([...RECORDS, ...CONTENT, 'private']),
    },
    { Sid: 'Forget', Effect: 'Allow', Action: 's3:DeleteObject', Resource: under(PASSING) },
    // Without it a key that is not there would be "access denied", for a person who reads the error as well.
    { Sid: 'List', Effect: 'Allow', Action: 's3:ListBucket', Resource: bucketArn },
  ];
}

function launchAccess({
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
  // From some template; that it is one of ours is then said of the template itself.
  const fromTemplate: PolicyStatement['Condition'] = otherStacks
    ? { ArnLike: { 'ec2:LaunchTemplate': ec2('launch-template/*') } }
    : { ArnEquals: { 'ec2:LaunchTemplate': launchTemplateArns } };
  const tags = Object.entries({ [TAGS.scaffold]: scaffold, ...vmTags });
  const ourTags = Object.fromEntries(tags.map(([key, value]) => [`aws:RequestTag/${key}`, value]));
  const groups = [securityGroupId, ...otherSecurityGroupIds].map((id) => ec2(`security-group/${id}`));
  const isLimited = limits.vmTypes !== undefined || allowedMarkets(limits) !== undefined;
  const launched = ['volume', 'network-interface', 'spot-instances-request', ...(isLimited ? [] : ['instance'])];
  return [
    {
      Sid: 'LaunchTagged',
      Effect: 'Allow',
      Action: 'ec2:RunInstances',
      Resource: launched.map((kind) => ec2(`${kind}/*`)),
      Condition: { ...fromTemplate, StringEquals: ourTags },
    },
    ...(isLimited ? [allowedVms(ec2('instance/*'), fromTemplate, ourTags, limits)] : []),
    // A list of its own: what is known at deployment only cannot be joined to another.
    { Sid: 'LaunchFromTemplate', Effect: 'Allow', Action: 'ec2:RunInstances', Resource: launchTemplateArns },
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
    {
      Sid: 'PassVmRoles',
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: vmRoleArns,
      Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    },
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
  fromTemplate: PolicyStatement['Condition'],
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

function vmAccess({ partition, account, region, scaffold }: AccessFacts): PolicyStatement[] {
  const instances = `${partition}:ec2:${region}:${account}:instance/*`;
  const ours = { [`aws:ResourceTag/${TAGS.scaffold}`]: scaffold };
  return [
    {
      Sid: 'EndOurVms',
      Effect: 'Allow',
      Action: ['ec2:TerminateInstances', 'ec2:GetConsoleOutput'],
      Resource: instances,
      Condition: { StringEquals: ours },
    },
    {
      Sid: 'MoveLifetime',
      Effect: 'Allow',
      Action: 'ec2:CreateTags',
      Resource: instances,
      Condition: { StringEquals: ours, 'ForAllValues:StringEquals': { 'aws:TagKeys': [TAGS.until] } },
    },
  ];
}

function knowledge({ partition, account, region, scaffold }: AccessFacts): PolicyStatement[] {
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
      Action: [
        'ec2:DescribeInstances',
        'ec2:DescribeImages',
        'ec2:DescribeInstanceTypes',
        'ec2:DescribeInstanceTypeOfferings',
        'ec2:DescribeSpotPriceHistory',
        'pricing:GetProducts',
        'servicequotas:ListServiceQuotas',
        'servicequotas:GetServiceQuota',
      ],
      Resource: '*',
    },
  ];
}

/**
 * What the launch function may do beyond that: know deployed jobs, and copy their content from the app's assets.
 * @param assets ARNs of objects
 */
export function launchFunctionStatements(
  { partition, account, region, scaffold, otherStacks = false }: AccessFacts,
  assets: readonly string[],
): PolicyStatement[] {
  return [
    {
      Sid: 'DeployedJobs',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: `${partition}:ssm:${region}:${account}:parameter/rawcloud/${scaffold}/jobs/*`,
    },
    { Sid: 'DeployedContent', Effect: 'Allow', Action: 's3:GetObject', Resource: assets },
    ...(otherStacks ? [contentOfOtherStacks({ partition, account, region })] : []),
  ];
}

/** The buckets that `cdk bootstrap` makes in this account and region, whatever its qualifier. */
function contentOfOtherStacks({ partition, account, region }: Pick<AccessFacts, 'partition' | 'account' | 'region'>): PolicyStatement {
  return {
    Sid: 'ContentOfOtherStacks',
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: `${partition}:s3:::cdk-*-assets-${account}-${region}/*`,
    Condition: { StringEquals: { 's3:ResourceAccount': account } },
  };
}

/**
 * What the reaper may do beyond that: remember what it found, sweep old content, know what deployed jobs need, and delete
 * what carries our tag, but for what the scaffolding itself is made of.
 */
export function reaperStatements(facts: AccessFacts): PolicyStatement[] {
  const { partition, account, region, scaffold, bucketArn, securityGroupId, launchTemplateArns } = facts;
  const ec2 = (resource: string): string => `${partition}:ec2:${region}:${account}:${resource}`;
  const jobs = `${partition}:ssm:${region}:${account}:parameter${deployedPath(scaffold)}`;
  return [
    { Sid: 'Marks', Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: `${bucketArn}/${ROOT}reaper/*` },
    { Sid: 'Sweep', Effect: 'Allow', Action: 's3:PutObject', Resource: `${bucketArn}/${ROOT}sweep/*` },
    {
      Sid: 'SweepContent',
      Effect: 'Allow',
      Action: 's3:DeleteObject',
      Resource: CONTENT.map((directory) => `${bucketArn}/${ROOT}${directory}/*`),
    },
    { Sid: 'TemplatesOfJobs', Effect: 'Allow', Action: 'ssm:GetParametersByPath', Resource: [jobs, `${jobs}/*`] },
    {
      Sid: 'LookForLeftovers',
      Effect: 'Allow',
      Action: [
        'ec2:DescribeVolumes',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeLaunchTemplates',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeRegions',
      ],
      Resource: '*',
    },
    // In other regions: whether there is a scaffolding of this name that looks after what carries its tag.
    {
      Sid: 'Namesakes',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: `${partition}:ssm:*:${account}:parameter${scaffoldParameterName(scaffold)}`,
    },
    {
      Sid: 'DeleteLeftovers',
      Effect: 'Allow',
      Action: ['ec2:DeleteVolume', 'ec2:DeleteNetworkInterface', 'ec2:DeleteLaunchTemplate', 'ec2:DeleteSecurityGroup'],
      Resource: ['volume', 'network-interface', 'launch-template', 'security-group'].map((kind) => ec2(`${kind}/*`)),
      Condition: { StringEquals: { [`aws:ResourceTag/${TAGS.scaffold}`]: scaffold } },
    },
    {
      Sid: 'Tell',
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Resource: `${partition}:events:${region}:${account}:event-bus/default`,
      Condition: { StringEquals: { 'events:source': busSource(scaffold) } },
    },
    { Sid: 'KeepTemplates', Effect: 'Deny', Action: 'ec2:DeleteLaunchTemplate', Resource: launchTemplateArns },
    { Sid: 'KeepGroup', Effect: 'Deny', Action: 'ec2:DeleteSecurityGroup', Resource: ec2(`security-group/${securityGroupId}`) },
  ];
}
