import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
import { readParameter } from '../../lib/aws/parameters';
import type { ReapReport, StartedTick } from '../../lib/runtime';
import { CdkApp } from './cdk';
import { House } from './house';
import { callJson } from './http';
import { DeployedFunction } from './lambda';
import { ACCOUNT, openMoto, URL } from './moto';
import { listed, NOT_SHOWN, passedOver } from './not-shown';

/** aws-cdk-lib takes seconds to load, the first capture fetches Node, and each call of a function is a process of its own. */
jest.setTimeout(240_000);

const NAME = 'jobs';
const FAILURES = 'failures-of-jobs';
const TICK = '2026-11-23T12:00:00Z';

let source: string;
let aws: AwsContext;
let app: CdkApp;
let house: House;
let launch: DeployedFunction;
let reaper: DeployedFunction;

beforeAll(async () => {
  source = mkdtempSync(path.join(os.tmpdir(), 'rawcloud-source-'));
  mkdirSync(path.join(source, 'bin'));
  writeFileSync(path.join(source, 'bin/report.sh'), 'echo "table $TABLE, event ${EVENT:-none}"\nexit ${1:-0}\n');
  aws = await openMoto();
  app = await CdkApp.of('DeployedJobs', (scope, id) => new JobsStack(scope, id));
  await layDown();
});

afterAll(async () => {
  await letGo();
  await app.close();
  aws.close();
  rmSync(source, { recursive: true });
});

async function layDown(): Promise<void> {
  await app.deploy();
  house = await House.open({ name: NAME });
  launch = await DeployedFunction.find(aws, NAME, /runs deployed jobs/);
  reaper = await DeployedFunction.find(aws, NAME, /brings jobs to their end/);
}

async function letGo(): Promise<void> {
  await house.close();
  for (const deployed of [launch, reaper]) await deployed.close();
}

/** A user's stack: a job by the clock, and one for what arrives. */
class JobsStack extends Stack {
  constructor(scope: ConstructorParameters<typeof Stack>[0], id: string) {
    super(scope, id);
    const cloud = new RawCloud(this, 'RawCloud', { name: NAME });
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
  const { Rules } = (await callJson('events', 'AWSEvents.ListRules', { NamePrefix: 'DeployedJobs-Rule' })) as { Rules: { Name: string }[] };
  const { Targets } = (await callJson('events', 'AWSEvents.ListTargetsByRule', { Rule: Rules[0]!.Name })) as { Targets: Target[] };
  const [{ InputPathsMap, InputTemplate }] = [Targets[0]!.InputTransformer];
  const filled = InputTemplate.replace(/<([^>]+)>/g, (_all, name: string) => JSON.stringify(event[InputPathsMap[name]!.slice(2)]));
  return JSON.parse(filled) as unknown;
}

/** Events that the rule has handed on. */
async function failures(): Promise<unknown[]> {
  const QueueUrl = `${URL}/${ACCOUNT}/${FAILURES}`;
  const { Messages = [] } = (await callJson('sqs', 'AmazonSQS.ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 })) as {
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
  expect(status).toMatchObject({ name: 'Nightly', state: 'ended', outcome: 'ok', exitCode: 0, bill: { estimated: false } });
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
  const detail = { job: first.job, kind: 'event', tick: 'e-1', outcome: 'failed', exitCode: 3, bill: { estimated: false } };
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
  const types = Object.values(await app.resources()).map(({ Type }) => Type);
  expect(await passedOver(types)).toEqual(listed(types));
  expect(listed(types)).toEqual(Object.keys(NOT_SHOWN).sort());
});

test('destroyed, it leaves neither jobs nor functions, but the bucket with all that was written; and can be laid down again', async () => {
  const parameters = Object.values(await app.resources())
    .filter(({ Type }) => Type === 'AWS::SSM::Parameter')
    .map(({ Properties }) => String(Properties['Name']));
  expect(parameters).toHaveLength(3);
  const { job } = await start(await tick('2026-11-23T15:00:00Z'));
  await (await house.boot({ id: job })).run();
  await pass();
  await app.destroy();
  for (const name of parameters) expect(await readParameter(aws, name)).toBeUndefined();
  await expect(DeployedFunction.find(aws, NAME, /./)).rejects.toThrow(/^0 functions/);
  await expect(start(await tick(TICK))).rejects.toThrow(/there is no rawcloud scaffolding 'jobs'/);
  await expect(pass()).rejects.toThrow(/there is no rawcloud scaffolding 'jobs'/);
  expect(await endOf(job)).toMatch(/end\.json$/);

  await letGo();
  await layDown();
  expect(await pass()).toMatchObject({ jobs: 0, unproved: [] });
});
