import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { SpotPolicy } from './choices';

/** What can be chosen about the scaffolding. */
export interface RawCloudProps {
  /**
   * Name of the scaffolding: 1 to 32 lower-case letters, digits and dashes, starting with a letter. Several live
   * in one account and region under different names; clients pick one with `--scaffold`.
   *
   * @default 'default'
   */
  readonly name?: string;

  /**
   * Bucket for all state, in the same account and region. Only keys below `v1/` are ours, and nothing else in it is read or
   * deleted; whoever has `grantRun` can list the names of all its keys. It should not be versioned, have no lifecycle rule that expires
   * `v1/`, and one that aborts unfinished uploads. Its policy must keep private grants for VMs: the policy of a bucket
   * that the same app makes gets the statement, for one that was imported it is told as a warning.
   *
   * @default - one of its own
   */
  readonly bucket?: IBucket;

  /**
   * What happens to the bucket that RawCloud makes, with logs and ledger in it, when the scaffolding is removed. With
   * `RemovalPolicy.DESTROY` the removal fails unless the bucket is empty.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Key that the bucket is encrypted with, its own or {@link bucket}. VMs, functions and whoever may run jobs may use it. Requests to KMS cost $0.03
   * for 10,000; the bucket keeps a key of its own for a while, so that there are few.
   *
   * @default - the key of {@link bucket} when it knows one, else S3's own encryption, free of charge
   */
  readonly encryptionKey?: IKey;

  /**
   * Boundary of every role that the scaffolding and its jobs make.
   *
   * @default - none
   */
  readonly permissionsBoundary?: IManagedPolicy;

  /**
   * Whether other stacks and apps of the account and region may use it by its name (`RawCloud.fromName`): its facts become parameters, its
   * grants managed policies (`rawcloud-<name>-<region>-run`, `-read`, `-stop`; IAM Identity Center takes them by name),
   * and jobs of other stacks are let in: whoever may make roles under the path `/rawcloud/<region>/<name>/` decides
   * what its VMs may be. None of it costs anything.
   *
   * @default false
   */
  readonly shared?: boolean;

  /**
   * Time between two passes of the reaper. Each pass costs about $0.00002.
   *
   * @default Duration.minutes(5)
   */
  readonly reaperInterval?: Duration;

  /**
   * Other regions in which the reaper looks, once an hour, for what carries the scaffolding's tag. It fails in regions that a
   * policy of the organization closes: name the open ones there. An empty list is none.
   *
   * @default - all that the account can use
   */
  readonly watchedRegions?: string[];

  /**
   * Whether the reaper counts, in metrics of CloudWatch, what it found, removed and could not prove, and runs of deployed jobs that
   * failed. Four at most, of $0.30 a month each beyond the ten that are free; an hour in which there is nothing to count costs nothing.
   *
   * @default false
   */
  readonly metrics?: boolean;

  /**
   * How long the functions' own logs are kept. Jobs' output lies in the bucket.
   *
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetention?: RetentionDays;

  /**
   * VPC in which VMs are launched. In private subnets they have no public address, which saves $0.005 an hour each; they
   * need a way to S3 and to whatever the job talks to: a gateway endpoint for S3 costs nothing, a NAT gateway about $33 a month.
   *
   * @default - the account's default VPC, whose public subnets reach S3 for free
   */
  readonly vpc?: IVpc;

  /**
   * Subnets of {@link vpc} in which VMs are launched, at most one in each zone. Public ones must give addresses by themselves
   * (`mapPublicIpOnLaunch`), as those that CDK makes do.
   *
   * @default - the private subnets, or the public ones where there are no others
   */
  readonly vpcSubnets?: SubnetSelection;

  /**
   * Security groups of the VMs, in the same VPC: 1 to 5. They need no ingress; egress to port 443 at least.
   *
   * @default - one of their own: nothing in, everything out
   */
  readonly securityGroups?: ISecurityGroup[];

  /**
   * Tags that a company wants on every VM, volume, network interface and spot request: for its bill, or because a policy of
   * its organization refuses others. No job can say otherwise, and IAM refuses launches without them. Keys and values
   * as EC2 allows; at most 45. Jobs that run when they change have the new ones from their next VM on.
   *
   * @default - none but rawcloud's own
   */
  readonly vmTags?: { [key: string]: string };

  /**
   * Longest lifetime of a job, from its beginning, `rawcloud extend` included: 60 s to 30 days. Held by the runtime; IAM
   * knows no such condition.
   *
   * @default - 30 days; what a job asks for is 24 hours where nothing is said
   */
  readonly maxLifetime?: Duration;

  /**
   * VMs that are on at once, of all jobs of the scaffolding. Held by the runtime before each launch; EC2 shows a new VM only
   * after seconds, so launches in the same moment may exceed it. Quotas of EC2 are exact.
   *
   * @default - as many as the account's quotas allow
   */
  readonly maxVms?: number;

  /**
   * VM types that jobs may have, as patterns with `*` and `?`: `m7i.*`. Held by the runtime and by IAM.
   *
   * @default - all
   */
  readonly allowedVmTypes?: string[];

  /**
   * How VMs may be bought. A job that does not say has `ON_DEMAND` where it is allowed, else the first of these. Held by the
   * runtime and by IAM.
   *
   * @default - any
   */
  readonly allowedSpotPolicies?: SpotPolicy[];

  /**
   * Whether `rawcloud exec` may run commands on the VMs of running jobs, through AWS SSM Session Manager: whoever has
   * {@link RawCloud.grantRun} may enter with one session document, as the user of the job, and the SSM agent of the VMs may
   * register. Free of charge; VMs in private subnets need a way to the services ssm and ssmmessages. Jobs that run when it
   * changes stay as they are.
   *
   * @default false
   */
  readonly allowExec?: boolean;
}
