import { Token } from 'aws-cdk-lib';
import type { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { problemsOfSchedule } from '../contract';

/** The CDK passes on what EventBridge then refuses. @throws with every problem found */
export function checkSchedule({ expressionString, timeZone }: ScheduleExpression): void {
  const zone = timeZone?.timezoneName;
  if (Token.isUnresolved(expressionString) || Token.isUnresolved(zone)) {
    throw new Error("rawcloud: 'schedule' is not known before the deployment; give plain text, and a plain name of a time zone");
  }
  const problems = problemsOfSchedule(expressionString, zone);
  if (problems.length > 0) throw new Error(`rawcloud: ${problems.join('; ')}`);
}
