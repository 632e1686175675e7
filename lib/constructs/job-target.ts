import { EventField, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import type { IRule, IRuleTarget, OnEventOptions, Rule, RuleTargetConfig } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IGrantable, IPrincipal, IRole } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { onJobEnded, onJobFailure } from './bus-rules';
import type { JobOfScaffold } from './bus-rules';
import { DeployedJob } from './deployed-job';
import type { JobOptions } from './job-options';
import { Overlap } from './choices';

/** A job that events start. */
export interface EventJobProps extends JobOptions {
  /**
   * Variable in which the job finds the event's detail, as JSON.
   * @default 'EVENT'
   */
  readonly inputVariable?: string;

  /** @default Overlap.ALLOW, for each event is a run of its own */
  readonly overlap?: Overlap;
}

/**
 * A command that runs once for each event, on a VM of its own. {@link JobTarget} makes it the target of a rule.
 */
export class EventJob extends Construct implements IGrantable {
  /** What `rawcloud` and events call it by. */
  readonly jobId: string;

  /** What the job is for AWS. */
  readonly role: IRole;

  readonly grantPrincipal: IPrincipal;

  /** @internal */
  readonly cloud: EventJobProps['cloud'];

  readonly #inScaffold: JobOfScaffold;

  constructor(scope: Construct, id: string, props: EventJobProps) {
    super(scope, id);
    const job = new DeployedJob(this, 'Job', { overlap: Overlap.ALLOW, inputVariable: 'EVENT', ...props, kind: 'event' });
    this.cloud = props.cloud;
    this.jobId = job.jobId;
    this.role = job.role;
    this.grantPrincipal = job.grantPrincipal;
    this.#inScaffold = { scaffold: props.cloud.scaffoldName, jobId: job.jobId };
  }

  /**
   * A rule that sees each run's end, within about five minutes and at least once. The event's detail has the run (`job`), its
   * `outcome`, `reason`, `message`, `exitCode` and `bill`.
   */
  onEnded(id: string, options: OnEventOptions = {}): Rule {
    return onJobEnded(this, id, this.#inScaffold, options);
  }

  /**
   * As {@link onEnded}, for runs that failed: the command, its environment, the launch, the VM, a limit. Not for runs that
   * somebody stopped, or that a later tick replaced.
   *
   * ```ts
   * job.onFailure('Failed', { target: new SnsTopic(topic) });
   * ```
   */
  onFailure(id: string, options: OnEventOptions = {}): Rule {
    return onJobFailure(this, id, this.#inScaffold, options);
  }
}

/**
 * Starts a job for each event of a rule; an event that is delivered twice is one run.
 *
 * ```ts
 * new Rule(this, 'Arrived', {
 *   eventPattern: { source: ['aws.s3'], detailType: ['Object Created'], detail: { bucket: { name: [bucket.bucketName] } } },
 *   targets: [new JobTarget(job)],
 * });
 * ```
 */
export class JobTarget implements IRuleTarget {
  constructor(private readonly job: EventJob) {}

  bind(rule: IRule, id?: string): RuleTargetConfig {
    const { cloud, jobId } = this.job;
    const event = RuleTargetInput.fromObject({
      rawcloud: { id: jobId, tick: EventField.eventId, input: EventField.fromPath('$.detail') },
    });
    const deadLetterQueue = cloud.jobHost.deadLettersOf(rule);
    return new LambdaFunction(cloud.launchFunction, { event, ...(deadLetterQueue ? { deadLetterQueue } : {}), retryAttempts: 8 }).bind(
      rule,
      id,
    );
  }
}
