import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { EventJob, JobSecret, JobTarget, RawCloud, ScheduledJob } from '../../lib';

/** The scaffolding with a job on a schedule and one for events, as a team would have it. @param directory empty; the app's and the job's own */
export function teamApp(directory: string): App {
  const source = path.join(directory, 'job');
  mkdirSync(source);
  writeFileSync(path.join(source, 'report.sh'), 'echo report\n');
  const app = new App({ outdir: path.join(directory, 'cdk.out') });
  const stack = new Stack(app, 'Team');
  const cloud = new RawCloud(stack, 'RawCloud', { allowExec: true });
  new ScheduledJob(stack, 'Nightly', {
    cloud,
    schedule: ScheduleExpression.cron({ hour: '3', minute: '0' }),
    source,
    command: ['sh', 'report.sh'],
    secrets: { PASSWORD: JobSecret.fromSecretsManager(Secret.fromSecretNameV2(stack, 'Secret', 'password')) },
  });
  const arrived = new EventJob(stack, 'Arrived', { cloud, source, command: ['sh', 'report.sh'] });
  new Rule(stack, 'Rule', { eventPattern: { source: ['aws.s3'] }, targets: [new JobTarget(arrived)] });
  return app;
}
