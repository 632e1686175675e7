import type { IConnectable } from 'aws-cdk-lib/aws-ec2';
import type { OnEventOptions, Rule } from 'aws-cdk-lib/aws-events';
import type { Grant, IGrantable, IRole } from 'aws-cdk-lib/aws-iam';
import type { CfnLaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct, IConstruct } from 'constructs';
import type { Scaffold } from '../contract';

/** The scaffolding of this app, or one of another stack or app. */
export interface IRawCloud extends IConstruct, IConnectable {
  /** Name of the scaffolding. */
  readonly scaffoldName: string;

  /** All state: files, specs, logs, results, ledger. */
  readonly bucket: IBucket;

  /** Runs deployed jobs for events. */
  readonly launchFunction: IFunction;

  /** Events that could not be handled, and passes that failed, after all their retries. */
  readonly deadLetters: IQueue;

  /** Lets somebody run jobs, look at them and stop them. */
  grantRun(grantee: IGrantable): Grant;

  /**
   * Lets somebody look at jobs: `rawcloud ps`, `status`, `logs`, `attach` and `download`. Nothing can be launched, stopped or changed,
   * and no secret of a job be read. What jobs print and bring back can: it is of the same trust domain.
   */
  grantRead(grantee: IGrantable): Grant;

  /** As {@link grantRead}, and `rawcloud stop`. VMs and the reaper do what was asked for, within minutes. */
  grantStop(grantee: IGrantable): Grant;

  /**
   * A rule for each pass of the reaper that found something left behind, removed it, or could not prove that there is nothing;
   * at least once.
   */
  onLeftoversFound(id: string, options?: OnEventOptions): Rule;

  /**
   * What jobs are laid down with.
   * @internal
   */
  readonly jobHost: JobHost;
}

/** What VMs of one kind are for AWS and are launched from: the scaffolding's own, and one for each deployed job and each role for jobs. */
export interface VmKind {
  readonly role: IRole;
  readonly roleId: string;
  readonly template: CfnLaunchTemplate;
}

/** The scaffolding as its jobs see it. */
export interface JobHost {
  /** What it demands of its jobs, as far as it is known at synthesis. */
  readonly demands: Pick<Scaffold, 'name' | 'vmTags' | 'limits'>;

  /** VMs with a role and launch template of their own, below `scope`. @throws when the scaffolding could not know them */
  addVmKind(scope: Construct, description: string): VmKind;

  /** Lets the launch function copy a job's content from where the app's assets lie. @throws when it may not */
  allowAssetsOf(bucket: IBucket): void;

  /** The dead letters, as a rule in `scope` may name them; undefined when none of that stack's may. */
  deadLettersOf(scope: IConstruct): IQueue | undefined;

  /** Takes the name of a job or role. @throws when another one of this scaffolding in this app has it */
  takeName(kind: 'job' | 'role', name: string, by: Construct): void;
}
