import { Rule } from 'aws-cdk-lib/aws-events';
import type { OnEventOptions } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import { busSource, JOB_ENDED, LEFTOVERS_FOUND, NO_FAILURES } from '../contract';

/** A deployed job, as its events name it. */
export interface JobOfScaffold {
  readonly scaffold: string;
  readonly jobId: string;
}

/** A rule for the ends of a job's runs. */
export function onJobEnded(scope: Construct, id: string, { scaffold, jobId }: JobOfScaffold, options: OnEventOptions): Rule {
  return onBusEvent(scope, id, options, { scaffold, detailType: JOB_ENDED, detail: { id: [jobId] } });
}

/** A rule for the ends of a job's runs that did not do what they were for. */
export function onJobFailure(scope: Construct, id: string, { scaffold, jobId }: JobOfScaffold, options: OnEventOptions): Rule {
  const detail = { id: [jobId], outcome: [{ 'anything-but': [...NO_FAILURES] }] };
  return onBusEvent(scope, id, options, { scaffold, detailType: JOB_ENDED, detail });
}

/** A rule for what the reaper of a scaffolding finds. */
export function onLeftovers(scope: Construct, id: string, scaffold: string, options: OnEventOptions): Rule {
  return onBusEvent(scope, id, options, { scaffold, detailType: LEFTOVERS_FOUND, detail: {} });
}

interface Pattern {
  readonly scaffold: string;
  readonly detailType: string;
  readonly detail: object;
}

/** What the caller adds to the pattern narrows it. */
function onBusEvent(scope: Construct, id: string, options: OnEventOptions, { scaffold, detailType, detail }: Pattern): Rule {
  const { target, crossStackScope, ...props } = options;
  const rule = new Rule(crossStackScope ?? scope, id, props);
  rule.addEventPattern({ source: [busSource(scaffold)], detailType: [detailType], ...(Object.keys(detail).length > 0 ? { detail } : {}) });
  rule.addTarget(target);
  return rule;
}
