import type { AccessFacts } from './access-facts';
import { jobRolePath } from './job-role';
import { bucketKeys, ROOT } from './keys';
import { launchStatements } from './launch-access';
import { inRegion } from './look-access';
import type { PolicyStatement } from './scaffold';
import { scaffoldParameterName } from './scaffold';
import { TAGS } from './tags';

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
export interface More {
  readonly reads: readonly string[];
  /** Keys, or patterns of some. */
  readonly readsKeys: readonly string[];
  readonly forgets: readonly string[];
  readonly onOurVms: readonly string[];
  readonly looks: readonly string[];
}

const NOTHING_MORE: More = { reads: [], readsKeys: [], forgets: [], onOurVms: [], looks: [] };
const OF_PERSONS: More = {
  reads: HISTORY,
  // What people are told of environments, and that they may go. What is in them only VMs read.
  readsKeys: [bucketKeys.environmentUse('*')],
  forgets: ['environments'],
  onOurVms: ['ec2:GetConsoleOutput'],
  looks: ['ec2:DescribeInstanceTypes', 'ec2:DescribeInstanceTypeOfferings', 'servicequotas:ListServiceQuotas'],
};

/**
 * What whoever drives jobs may do: clients, the launch function, the reaper. Launches carry our tag and come from our
 * templates, with our roles; tags are given only by a launch; what is ended carries our tag. Describe calls know no
 * resources. Sources: Service Authorization Reference, Amazon EC2 and Amazon S3.
 */
export function driverStatements(facts: AccessFacts, more = NOTHING_MORE): PolicyStatement[] {
  return [...besideLaunches(facts, more), ...launchStatements(facts)];
}

function besideLaunches(facts: AccessFacts, more: More): PolicyStatement[] {
  return [...bucketAccess(facts, more), vmAccess(facts, more), ...knowledge(facts, more)];
}

/** ARNs of all objects in directories of the bucket. */
export function objectsUnder(bucketArn: string, directories: readonly string[]): string[] {
  return directories.map((directory) => `${bucketArn}/${ROOT}${directory}/*`);
}

function bucketAccess({ bucketArn }: AccessFacts, { reads, readsKeys, forgets }: More): PolicyStatement[] {
  return [
    {
      Sid: 'Read',
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: [
        ...objectsUnder(bucketArn, [...RECORDS, ...reads, ...CONTENT_DIRECTORIES, 'sweep']),
        ...readsKeys.map((key) => `${bucketArn}/${key}`),
      ],
    },
    {
      Sid: 'Write',
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: objectsUnder(bucketArn, [...RECORDS, ...HISTORY, ...CONTENT_DIRECTORIES, 'private']),
    },
    { Sid: 'Forget', Effect: 'Allow', Action: 's3:DeleteObject', Resource: objectsUnder(bucketArn, [...PASSING, ...forgets]) },
    // Without it a key that is not there would be "access denied", for a person who reads the error as well.
    { Sid: 'List', Effect: 'Allow', Action: 's3:ListBucket', Resource: bucketArn },
  ];
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
