import { ROOT } from './keys';
import type { PolicyStatement } from './scaffold';
import { scaffoldParameterName } from './scaffold';
import { TAGS } from './tags';

/** For what knows no resources, whose ARN would name the region. */
export function inRegion(region: string): NonNullable<PolicyStatement['Condition']> {
  return { StringEquals: { 'aws:RequestedRegion': region } };
}

/** What looking at jobs, or stopping them, is narrowed to. */
export interface LookFacts {
  /** `arn:aws`, as the partition has it. */
  readonly partition: string;
  readonly account: string;
  readonly region: string;
  /** Name of the scaffolding. */
  readonly scaffold: string;
  readonly bucketArn: string;
}

/**
 * What whoever only looks at jobs may do: find them, see what is on record and on, read what they wrote. Nothing is
 * launched, ended, written or tagged, and neither sealed objects nor grants are read. Meant for the verbs `ps`, `status`,
 * `logs`, `attach` and `download`, and {@link stopStatements} for `stop` as well.
 */
export function readStatements({ partition, account, region, scaffold, bucketArn }: LookFacts): PolicyStatement[] {
  return [
    {
      Sid: 'ReadJobs',
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: ['active', 'index', 'jobs'].map((directory) => `${bucketArn}/${ROOT}${directory}/*`),
    },
    { Sid: 'List', Effect: 'Allow', Action: 's3:ListBucket', Resource: bucketArn },
    {
      Sid: 'Scaffolding',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: `${partition}:ssm:${region}:${account}:parameter${scaffoldParameterName(scaffold)}`,
    },
    { Sid: 'Look', Effect: 'Allow', Action: 'ec2:DescribeInstances', Resource: '*', Condition: inRegion(region) },
    // Of a VM that could not reach the bucket: `logs --boot`.
    {
      Sid: 'Consoles',
      Effect: 'Allow',
      Action: 'ec2:GetConsoleOutput',
      Resource: `${partition}:ec2:${region}:${account}:instance/*`,
      Condition: { StringEquals: { [`aws:ResourceTag/${TAGS.scaffold}`]: scaffold } },
    },
  ];
}

/**
 * What whoever stops jobs may do beyond {@link readStatements}: say so in the job's control record, which VM and reaper obey.
 * The record also holds how long a job may live.
 */
export function stopStatements(facts: LookFacts): PolicyStatement[] {
  return [
    ...readStatements(facts),
    { Sid: 'AskToStop', Effect: 'Allow', Action: 's3:PutObject', Resource: `${facts.bucketArn}/${ROOT}jobs/*/control.json` },
  ];
}

/**
 * Uses of a key through S3 for one bucket. Source: S3 user guide, "Using bucket keys": the encryption context is the bucket's ARN then,
 * else the object's.
 */
export function throughBucket(bucketArn: string): NonNullable<PolicyStatement['Condition']> {
  return { StringLike: { 'kms:ViaService': 's3.*', 'kms:EncryptionContext:aws:s3:arn': [bucketArn, `${bucketArn}/*`] } };
}

/** For who does not know the key of the bucket: any, but for this bucket only. The key's own policy has to leave it to IAM. */
export function bucketKeyStatement({ partition, account, region, bucketArn }: LookFacts, actions: readonly string[]): PolicyStatement {
  const Resource = `${partition}:kms:${region}:${account}:key/*`;
  return { Sid: 'KeyOfBucket', Effect: 'Allow', Action: actions, Resource, Condition: throughBucket(bucketArn) };
}

/** What reading, and what writing, an encrypted bucket takes. */
export const KEY_ACTIONS = { read: ['kms:Decrypt'], write: ['kms:Decrypt', 'kms:GenerateDataKey'] } as const;
