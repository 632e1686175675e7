import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { EventJob, JobTarget, RawCloud, ScheduledJob } from '../../lib';
import { jobKeys } from '../../lib/contract';
import type { AwsContext } from '../../lib/aws/clients';
import { templateOf } from '../../lib/aws/cloudformation';
import { readParameter } from '../../lib/aws/parameters';
import type { ReapReport, StartedTick } from '../../lib/runtime';
import { CdkApp } from './cdk';
import { rawcloud } from './cli';
import type { Shell } from './cli';
import { House } from './house';
import { callJson } from './http';
import { DeployedFunction } from './lambda';
import { ACCOUNT, openMoto, readScaffold, URL } from './moto';
import { listed, NOT_SHOWN, passedOver } from './not-shown';

/** aws-cdk-lib takes seconds to load, the first capture fetches Node, and each call of a function is a process of its own. */
jest.setTimeout(240_000);

const NAME = 'jobs';
const FAILURES = 'failures-of-jobs';
const TICK = '2026-11-23T12:00:00Z';

/** A region that nobody has bootstrapped or deployed into. */
const REGION = 'eu-west-1';
const DEPLOY = ['deploy', '--name', NAME];

/** moto knows no prices, and the table that is built in is of another region. */
const ESTIMATED = { estimated: true };

let source: string;
let shell: Shell;
let aws: AwsContext;
let app: CdkApp;
let house: House;
let launch: DeployedFunction;
let reaper: DeployedFunction;

beforeAll(async () => {
  source = mkdtempSync(path.join(os.tmpdir(), 'rawcloud-source-'));
  mkdirSync(path.join(source, 'bin'));
  writeFileSync(path.join(source, 'bin/report.sh'), 'echo "table $TABLE, event ${EVENT:-none}"\nexit ${1:-0}\n');
  shell = { directory: mkdtempSync(path.join(os.tmpdir(), 'rawcloud-deploy-')), region: REGION };
  aws = await openMoto(REGION);
  await layDown();
  app = await CdkApp.of('DeployedJobs', (scope, id) => new JobsStack(scope, id), REGION);
  await app.deploy();
  house = await House.open({ name: NAME, region: REGION });
  launch = await DeployedFunction.find(aws, NAME, /runs deployed jobs/);
  reaper = await DeployedFunction.find(aws, NAME, /brings jobs to their end/);
});

afterAll(async () => {
  await takeAway();
  await house.close();
  for (const deployed of [launch, reaper]) await deployed.close();
  await app.close();
  aws.close();
  for (const directory of [source, shell.directory]) rmSync(directory, { recursive: true });
});

/** An administrator, with nothing but the CLI, in an account with nothing. */
async function layDown(): Promise<void> {
  const without = await rawcloud(shell, [...DEPLOY, '--yes']);
  expect(without).toMatchObject({ code: 120 });
  expect(without.stderr).toContain(`account ${ACCOUNT} is not bootstrapped in ${REGION}`);
  expect(without.stderr).toContain(`npx aws-cdk bootstrap aws://${ACCOUNT}/${REGION}`);

  const choices = ['--shared', '--metrics', '--max-vms', '7', '--vm-tag', 'team=dätä', '--log-retention', '90d'];
  const shown = await rawcloud(shell, [...DEPLOY, '--dry-run', ...choices]);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toContain('  first      the account is bootstrapped for the CDK\n');
  expect(shown.stdout).toMatch(
    / {2}chosen {5}--vm-tag team=dätä\n {2}chosen {5}--shared\n[^]*at most \$1\.20 for metrics[^]*Nothing was done\.\n$/,
  );

  const policy = 'arn:aws:iam::aws:policy/PowerUserAccess,arn:aws:iam::aws:policy/IAMFullAccess';
  const made = await rawcloud(shell, [...DEPLOY, '--yes', '--bootstrap', '--execution-policy', policy, ...choices]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toContain('bootstrap  done\n');
  expect(made.stdout).toMatch(/CREATE_COMPLETE +RawCloud-jobs \(AWS::CloudFormation::Stack\)/);
  expect(made.stdout).toContain('deployed   RawCloud-jobs\n');
  expect(await readScaffold(aws, NAME)).toMatchObject({ region: REGION, limits: { vms: 7 }, vmTags: { team: 'dätä' } });

  const again = await rawcloud(shell, [...DEPLOY, '--yes']);
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toMatch(/^Nothing to change: RawCloud-jobs is as it shall be\.\n/);
  await forgetPasses();
}

/** The other way round: the jobs' stack, then the scaffolding, by the CLI. Nothing is left but the ledger in a file. */
async function takeAway(): Promise<void> {
  const { job } = await start(await tick('2026-11-23T15:00:00Z'));
  await (await house.boot({ id: job })).run();
  await pass();
  await app.destroy();
  await expect(start(await tick(TICK))).rejects.toThrow(/no job '\S+' is deployed in scaffolding 'jobs'/);

  const ledger = path.join(source, 'ledger.jsonl');
  const gone = await rawcloud(shell, ['destroy', '--scaffold', NAME, '--yes', '--export', ledger]);
  expect(gone).toMatchObject({ code: 0, stderr: '' });
  expect(gone.stdout).toContain(`removed    stack RawCloud-${NAME}\n`);
  expect(gone.stdout).toContain(`removed    bucket ${house.scaffold.bucket}\n`);
  expect(readFileSync(ledger, 'utf8')).toContain(job);
  for (const name of ['scaffold', 'shared/bucket']) expect(await readParameter(aws, `/rawcloud/${NAME}/${name}`)).toBeUndefined();
  await expect(DeployedFunction.find(aws, NAME, /./)).rejects.toThrow(/^0 functions/);
  await expect(pass()).rejects.toThrow(/there is no rawcloud scaffolding 'jobs'/);
}

/** moto 5.2 takes a rule with a schedule for one that fits every event, whose function it then cannot call: so PutEvents would fail. */
async function forgetPasses(): Promise<void> {
  const { Rules } = await events<{ Rules: { Name: string; ScheduleExpression?: string }[] }>('ListRules', {
    NamePrefix: `RawCloud-${NAME}`,
  });
  for (const { Name: Rule, ScheduleExpression } of Rules) {
    if (ScheduleExpression === undefined) continue;
    const { Targets } = await events<{ Targets: { Id: string }[] }>('ListTargetsByRule', { Rule });
    await events('RemoveTargets', { Rule, Ids: Targets.map(({ Id }) => Id) });
  }
}

async function events<T>(operation: string, input: object): Promise<T> {
  return (await callJson('events', `AWSEvents.${operation}`, input, REGION)) as T;
}

/** A user's stack: a job by the clock, and one for what arrives. */
class JobsStack extends Stack {
  constructor(scope: ConstructorParameters<typeof Stack>[0], id: string) {
    super(scope, id);
    const cloud = RawCloud.fromName(this, 'RawCloud', NAME);
    const table = new Table(this, 'Table', { partitionKey: { name: 'id', type: AttributeType.STRING } });
    const common = { cloud, source, vmTypes: ['m7i.large'], variables: { TABLE: table.tableName } };
    const nightly = new ScheduledJob(this, 'Nightly', {
      ...common,
      schedule: ScheduleExpression.expression('rate(1 hour)'),
      command: ['sh', 'bin/report.sh'],
    });
    table.grantReadData(nightly);
    const arrived = new EventJob(this, 'Arrived', { ...common, command: ['sh', 'bin/report.sh', '3'] });
    arrived.onFailure('Failed', { target: new SqsQueue(new Queue(this, 'Failures', { queueName: FAILURES })) });
    new Rule(this, 'Rule', { eventPattern: { source: ['aws.s3'], detailType: ['Object Created'] }, targets: [new JobTarget(arrived)] });
  }
}

interface Target {
  readonly Arn: string;
  readonly InputTransformer: { readonly InputPathsMap: Readonly<Record<string, string>>; readonly InputTemplate: string };
}

/** What the schedule hands the function, with the time in its place. From the template: moto makes no schedules. */
async function tick(scheduledTime: string): Promise<unknown> {
  const schedules = Object.values(await app.resources()).filter(({ Type }) => Type === 'AWS::Scheduler::Schedule');
  const { Input } = schedules[0]!.Properties['Target'] as { Input: string };
  return JSON.parse(Input.replace('<aws.scheduler.scheduled-time>', scheduledTime)) as unknown;
}

/** What the rule makes of an event, by the transformer that lies in EventBridge. */
async function transformed(event: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { Rules } = await events<{ Rules: { Name: string }[] }>('ListRules', { NamePrefix: 'DeployedJobs-Rule' });
  const { Targets } = await events<{ Targets: Target[] }>('ListTargetsByRule', { Rule: Rules[0]!.Name });
  const [{ InputPathsMap, InputTemplate }] = [Targets[0]!.InputTransformer];
  const filled = InputTemplate.replace(/<([^>]+)>/g, (_all, name: string) => JSON.stringify(event[InputPathsMap[name]!.slice(2)]));
  return JSON.parse(filled) as unknown;
}

/** Events that the rule has handed on. */
async function failures(): Promise<unknown[]> {
  const QueueUrl = `${URL}/${ACCOUNT}/${FAILURES}`;
  const { Messages = [] } = (await callJson('sqs', 'AmazonSQS.ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 }, REGION)) as {
    Messages?: { Body: string }[];
  };
  return Messages.map(({ Body }) => JSON.parse(Body) as unknown);
}

const start = async (event: unknown): Promise<StartedTick> => (await launch.invoke(event)) as StartedTick;
const pass = async (): Promise<ReapReport> => (await reaper.invoke({})) as ReapReport;

/** The key of the job's end, once a driver has written it. */
async function endOf(job: string): Promise<string | undefined> {
  return (await house.keys({ id: job })).find((key) => key.endsWith(jobKeys.end('')));
}

test('a tick runs from the schedule to the bill by the deployed functions alone', async () => {
  const event = await tick(TICK);
  const started = await start(event);
  expect(started).toMatchObject({ state: 'launched' });
  expect(await start(event)).toEqual({ state: 'going', job: started.job });
  expect(await house.vms({ id: started.job })).toHaveLength(1);
  expect(await pass()).toMatchObject({ jobs: 1, ended: [], marked: [], unproved: [] });

  await (await house.boot({ id: started.job })).run();
  expect(await endOf(started.job)).toBeUndefined();
  expect(await pass()).toMatchObject({ ended: [started.job], marked: [], removed: [], unproved: [] });

  expect(await endOf(started.job)).toMatch(/end\.json$/);
  const job = await house.client.job(started.job);
  const status = await job.status();
  expect(status).toMatchObject({ name: 'Nightly', state: 'ended', outcome: 'ok', exitCode: 0, bill: ESTIMATED });
  expect(status.bill.lines[0]).toMatchObject({ what: 'm7i.large' });
  expect(status.bill.usd).toBeGreaterThan(0);
  const chunks: Uint8Array[] = [];
  for await (const { bytes } of job.logs({ streams: ['stdout'] })) chunks.push(bytes);
  expect(Buffer.concat(chunks).toString()).toMatch(/^table DeployedJobs-Table\S+, event none\n$/);
  expect(await start(event)).toEqual({ state: 'going', job: started.job });
  expect(await house.vms({ id: started.job })).toMatchObject([{ state: 'terminated' }]);
});

test('an event that is delivered twice becomes one run, with its detail, whose failure is told as the job’s own', async () => {
  const event = await transformed({ id: 'e-1', detail: { object: { key: 'in.csv' } } });
  const [first, second] = [await start(event), await start(event)];
  expect([first.state, second]).toEqual(['launched', { state: 'going', job: first.job }]);
  const vm = await house.boot({ id: first.job });
  expect(vm.grant.variables).toEqual({ EVENT: '{"object":{"key":"in.csv"}}' });
  await vm.run();
  expect(await pass()).toMatchObject({ ended: [first.job], unproved: [] });
  const job = await house.client.job(first.job);
  expect(await job.status()).toMatchObject({ name: 'Arrived', outcome: 'failed', exitCode: 3 });
  // The rule of the stack has matched the reaper's event, and of all jobs only this one's.
  const detail = { job: first.job, kind: 'event', tick: 'e-1', outcome: 'failed', exitCode: 3, bill: ESTIMATED };
  expect(await failures()).toMatchObject([{ source: 'rawcloud.jobs', 'detail-type': 'Job Ended', detail }]);
});

test('what the reaper finds left over of a deployed job it marks, and ends a pass later', async () => {
  const { job } = await start(await transformed({ id: 'e-2', detail: {} }));
  const [vm] = await house.vms({ id: job });
  await house.forget(job);
  expect(await pass()).toMatchObject({ jobs: 0, marked: [{ kind: 'vm', id: vm!.id, why: 'no-open-job', job }], removed: [], waiting: 1 });
  expect(await house.alive()).toContain(vm!.id);
  await house.ageMarks(120_000);
  expect(await pass()).toMatchObject({ removed: [{ id: vm!.id }], unproved: [], waiting: 0 });
  expect(await house.alive()).not.toContain(vm!.id);
});

test('fails for an event that names no deployed job, so that EventBridge keeps it', async () => {
  await expect(start({ rawcloud: { id: 'nobody', tick: TICK } })).rejects.toThrow(/no job 'nobody' is deployed in scaffolding 'jobs'/);
  await expect(start({ detail: 'of another' })).rejects.toThrow(/the event is none of ours/);
});

test('the functions are what the template says: runtime, time, memory, environment', () => {
  const facts = { Runtime: 'nodejs24.x', Handler: 'index.handler', Timeout: 300, MemorySize: 512 };
  const environment = { Environment: { Variables: { RAWCLOUD_SCAFFOLD: NAME } } };
  for (const deployed of [launch, reaper]) expect(deployed.facts).toMatchObject({ ...facts, ...environment });
});

test('what moto passes over is what is listed, and all that is listed is in these stacks', async () => {
  const { Resources } = await templateOf(aws, `RawCloud-${NAME}`);
  const types = [...Object.values(await app.resources()), ...Object.values(Resources)].map(({ Type }) => Type);
  expect(await passedOver(types)).toEqual(listed(types));
  expect(listed(types)).toEqual(Object.keys(NOT_SHOWN).sort());
});

test('an update of the scaffolding keeps what was chosen, and leaves the jobs of the other stack in place', async () => {
  const updated = await rawcloud(shell, [...DEPLOY, '--yes', '--max-lifetime', '12h', '--vm-tag', 'none', '--no-metrics']);
  expect(updated).toMatchObject({ code: 0, stderr: '' });
  for (const line of [
    '  changed    --max-lifetime: default → 12h\n  changed    --vm-tag: team=dätä → default\n',
    '  changed    --metrics: on → default\n',
    '  chosen     --max-vms 7\n  chosen     --max-lifetime 12h\n  chosen     --shared\n  chosen     --log-retention 90d\n',
  ]) {
    expect(updated.stdout).toContain(line);
  }
  const now = await readScaffold(aws, NAME);
  expect(now).toMatchObject({ limits: { vms: 7, lifetimeS: 43_200 }, bucket: house.scaffold.bucket });
  expect(now.vmTags).toBeUndefined();
  await forgetPasses();
  const { job, state } = await start(await tick('2026-11-23T14:00:00Z'));
  expect(state).toBe('launched');
  await (await house.boot({ id: job })).run();
  expect(await pass()).toMatchObject({ ended: [job], unproved: [] });
});
