import { Duration } from 'aws-cdk-lib';
import type { OnEventOptions, Rule } from 'aws-cdk-lib/aws-events';
import type { IGrantable, IPrincipal, IRole } from 'aws-cdk-lib/aws-iam';
import { ContextAttribute, Schedule, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import type { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import { onJobEnded, onJobFailure } from './bus-rules';
import type { JobOfScaffold } from './bus-rules';
import { DeployedJob } from './deployed-job';
import type { JobOptions } from './job-options';
import { checkSchedule } from './schedule-check';

/** A job that runs by the clock. */
export interface ScheduledJobProps extends JobOptions {
  /** When: a rate, a cron expression with its time zone, or one moment. */
  readonly schedule: ScheduleExpression;
}

/** A tick that could not be delivered for so long is not worth a run any more; it is kept among the dead letters. */
const LATEST = Duration.hours(1);

/**
 * A command that runs by the clock, on a VM that exists only for that run. Each tick is one run, whatever is delivered
 * twice or late.
 *
 * ```ts
 * const job = new ScheduledJob(this, 'Nightly', {
 *   cloud,
 *   schedule: ScheduleExpression.cron({ hour: '3', minute: '0', timeZone: TimeZone.EUROPE_ZURICH }),
 *   source: path.join(__dirname, 'nightly'),
 *   command: ['python', 'report.py'],
 * });
 * table.grantReadData(job);
 * ```
 */
export class ScheduledJob extends Construct implements IGrantable {
  /** What `rawcloud` and events call it by. */
  readonly jobId: string;

  /** What the job is for AWS. */
  readonly role: IRole;

  readonly grantPrincipal: IPrincipal;

  readonly #inScaffold: JobOfScaffold;

  constructor(scope: Construct, id: string, props: ScheduledJobProps) {
    super(scope, id);
    const { cloud, schedule, enabled = true } = props;
    checkSchedule(schedule);
    const job = new DeployedJob(this, 'Job', { ...props, kind: 'schedule' });
    this.jobId = job.jobId;
    this.role = job.role;
    this.grantPrincipal = job.grantPrincipal;
    this.#inScaffold = { scaffold: cloud.scaffoldName, jobId: job.jobId };
    new Schedule(this, 'Schedule', {
      description: `rawcloud: ticks of the job ${props.name ?? id}`,
      schedule,
      enabled,
      target: new LambdaInvoke(cloud.launchFunction, {
        // The time that was planned, not the time of delivery: it tells one tick from another.
        input: ScheduleTargetInput.fromObject({ rawcloud: { id: job.jobId, tick: ContextAttribute.scheduledTime } }),
        deadLetterQueue: cloud.deadLetters,
        maxEventAge: LATEST,
      }),
    });
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
