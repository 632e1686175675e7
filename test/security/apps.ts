import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { Group } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { EventJob, JobSecret, JobTarget, RawCloud, ScheduledJob } from '../../lib';

/** Names of the app's stacks. */
export const STACKS = ['Team', 'Full', 'Guests'] as const;

/** A scaffolding with a job on a schedule and one for events, as a team would have it, and beside it {@link full}. @param directory empty; the app's and the job's own */
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
  full(app, source);
  return app;
}

/** A scaffolding with all that can be had besides, in a bucket and under a key of the app's own, and a job of another stack. */
function full(app: App, source: string): void {
  const stack = new Stack(app, 'Full');
  const encryptionKey = new Key(stack, 'Mine', { enableKeyRotation: true });
  const bucket = new Bucket(stack, 'MyBucket', { encryptionKey, enforceSSL: true });
  const cloud = new RawCloud(stack, 'RawCloud', { name: 'full', shared: true, allowExec: true, metrics: true, bucket, encryptionKey });
  cloud.grantRun(new Group(stack, 'Developers'));
  const guests = new Stack(app, 'Guests');
  new EventJob(guests, 'Guest', { cloud: RawCloud.fromName(guests, 'RawCloud', 'full'), source, command: ['sh', 'report.sh'] });
}
