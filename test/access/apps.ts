import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { EventJob, JobRole, JobSecret, RawCloud, ScheduledJob, SpotPolicy } from '../../lib';

/** Name of the secret that the job on a schedule reads. */
export const SECRET = 'app/password';

/** Name of the role that somebody runs a job with. */
export const TRAINING = 'training';

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/**
 * Three scaffoldings, as three teams would have them: the default one, with a key, a job on a schedule, a role for jobs, and VMs that may be
 * entered; one whose owner sets tags and limits; and one that is shared, with a job of another stack. Somebody may run jobs in each.
 * @returns the resources of all templates @param directory empty; the app's and the job's own
 */
export function synthesize(directory: string): Readonly<Record<string, Resource>> {
  const source = path.join(directory, 'job');
  mkdirSync(source);
  writeFileSync(path.join(source, 'report.sh'), 'echo report\n');
  const app = new App({ outdir: path.join(directory, 'cdk.out'), analyticsReporting: false });
  const stack = new Stack(app, 'Team');
  const cloud = new RawCloud(stack, 'RawCloud', { allowExec: true, encryptionKey: new Key(stack, 'BucketKey') });
  new ScheduledJob(stack, 'Nightly', {
    cloud,
    schedule: ScheduleExpression.cron({ hour: '3', minute: '0' }),
    source,
    command: ['sh', 'report.sh'],
    secrets: { PASSWORD: JobSecret.fromSecretsManager(Secret.fromSecretNameV2(stack, 'Secret', SECRET)) },
  });
  new JobRole(stack, 'Training', { cloud, name: TRAINING });
  const other = new Stack(app, 'Other');
  const limited = new RawCloud(other, 'Limited', {
    name: 'limited',
    allowExec: true,
    vmTags: { CostCenter: '4711' },
    allowedVmTypes: ['c7i.*'],
    allowedSpotPolicies: [SpotPolicy.ON_DEMAND],
  });
  const person = (id: string, where: Stack = stack): Role => new Role(where, id, { assumedBy: new AccountRootPrincipal() });
  cloud.grantRun(person('Client'));
  cloud.grantRead(person('Reader'));
  cloud.grantStop(person('Stopper'));
  limited.grantRun(person('LimitedClient', other));
  const third = new Stack(app, 'Third');
  const shared = new RawCloud(third, 'Shared', { name: 'shared', shared: true, allowExec: true });
  shared.grantRun(person('Sharer', third));
  const guests = new Stack(app, 'Guests');
  new EventJob(guests, 'Guest', { cloud: RawCloud.fromName(guests, 'RawCloud', 'shared'), source, command: ['sh', 'report.sh'] });
  const { stacks } = app.synth() as { readonly stacks: readonly { readonly template: { readonly Resources: Record<string, Resource> } }[] };
  return Object.assign({}, ...stacks.map(({ template }) => template.Resources)) as Record<string, Resource>;
}
