import { bucketKeys, decodeJson, ControlSchema, jobKeys, RawcloudError, readStatements, stopStatements } from '../../lib/contract';
import type { Clock, Compute, PolicyStatement, RawcloudEvent, Store } from '../../lib/contract';
import { evaluate } from '../../lib/local/policy';
import { createClient } from '../../lib/runtime/client';
import type { ClientDeps } from '../../lib/runtime/deps';
import { Driver } from '../../lib/runtime/drive/driver';
import { DEFAULT_PACE } from '../../lib/runtime/observe/pace';
import { JOB, PREFIX, World } from '../fakes/world';

const FACTS = { partition: 'arn:aws', account: '123456789012', region: 'us-east-1', scaffold: 'default', bucketArn: 'arn:aws:s3:::bucket' };

/** Asks the policies of {@link readStatements} and its like before every call, as AWS would. */
class Gate {
  readonly refused: string[] = [];

  constructor(private readonly statements: readonly PolicyStatement[]) {}

  ask(action: string, resource: string, context: Readonly<Record<string, string>> = {}): void {
    if (evaluate(this.statements, { action, resource, context }) === 'allowed') return;
    this.refused.push(`${action} ${resource}`);
    throw new RawcloudError('E_PERMISSION', `not authorized to perform: ${action}`);
  }

  store(store: Store): Store {
    const key = (action: string, name: string): void => this.ask(action, `${FACTS.bucketArn}/${name}`);
    const bucket = (): void => this.ask('s3:ListBucket', FACTS.bucketArn);
    return {
      ...store,
      get: async (name, options) => (key('s3:GetObject', name), store.get(name, options)),
      put: async (name, body, options) => (key('s3:PutObject', name), store.put(name, body, options)),
      delete: async (name, options) => (key('s3:DeleteObject', name), store.delete(name, options)),
      list: async function* (prefix, options) {
        bucket();
        yield* store.list(prefix, options);
      },
    };
  }

  compute(compute: Compute): Compute {
    const ours = { 'aws:resourcetag/rawcloud:scaffold': 'default' };
    const instance = 'arn:aws:ec2:us-east-1:123456789012:instance/i-1';
    return {
      launch: async (...call) => (this.ask('ec2:RunInstances', instance), compute.launch(...call)),
      describe: async (...call) => (
        this.ask('ec2:DescribeInstances', '*', { 'aws:requestedregion': 'us-east-1' }),
        compute.describe(...call)
      ),
      terminate: async (...call) => (this.ask('ec2:TerminateInstances', instance, ours), compute.terminate(...call)),
      tag: async (...call) => (this.ask('ec2:CreateTags', instance, ours), compute.tag(...call)),
      consoleOutput: async (...call) => (this.ask('ec2:GetConsoleOutput', instance, ours), compute.consoleOutput(...call)),
    };
  }
}

/** A job under way, whose client is gone and whose reaper passes every minute; and somebody with some statements. */
async function guestOf(statements: readonly PolicyStatement[]) {
  const world = new World();
  await world.client(world.deps('client'));
  const gate = new Gate(statements);
  let reapAt = world.time + 60_000;
  const clock: Clock = {
    now: () => world.time,
    sleep: async (ms) => {
      await world.tick(ms);
      if (world.time < reapAt) return;
      reapAt = world.time + 60_000;
      await new Driver(world.deps('reaper'), PREFIX).step(true);
    },
  };
  const deps = {
    ...world.deps('guest', { store: gate.store(world.store), compute: gate.compute(world.compute) }),
    clock,
    pace: DEFAULT_PACE,
    owner: 'arn:aws:iam::123456789012:user/guest',
    host: 'elsewhere',
    local: false,
    forward: () => Promise.reject(new Error('a guest gives nobody an identity')),
  } as Partial<ClientDeps> as ClientDeps;
  return { world, gate, client: createClient(deps) };
}

test('who may only read lists, looks, follows to the end and reads output, and nothing of it is an error', async () => {
  const { gate, client, world } = await guestOf(readStatements(FACTS));
  expect(await client.jobs()).toMatchObject([{ job: JOB }]);
  const job = await client.job(JOB);
  expect(await job.status()).toMatchObject({ job: JOB });
  await job.bootLog();
  for await (const _chunk of job.logs());
  expect(gate.refused).toEqual([]);
  const events: RawcloudEvent[] = [];
  for await (const event of job.watch()) events.push(event);
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['job.outcome', 'job.ended', 'bill']));
  expect(events.filter(({ type }) => type === 'notice')).toEqual([]);
  // Each is tried once, and left alone then.
  expect(new Set(gate.refused).size).toBe(gate.refused.length);
  expect(world.launches).toBe(1);
  expect(await job.download('/nowhere')).toEqual([]);
  expect(await client.jobs({ all: true })).toMatchObject([{ job: JOB, state: 'ended' }]);
});

test('fails to stop for who may only read, with the action that is missing, and the job goes on', async () => {
  const { client, world } = await guestOf(readStatements(FACTS));
  const job = await client.job(JOB);
  await expect(job.stop()).rejects.toThrow(/not authorized to perform: s3:PutObject/);
  expect((await new Driver(world.deps('any'), PREFIX).look(true)).stopRequestedAt).toBeUndefined();
});

test('who may stop asks for it, waits for the proof that others bring, and changes nothing else', async () => {
  const { client, world, gate } = await guestOf(stopStatements(FACTS));
  world.agents = false;
  const job = await client.job(JOB);
  await job.stop();
  const found = await world.store.get(jobKeys.control(PREFIX));
  if (typeof found === 'string') throw new Error('there is no control record');
  expect(decodeJson(ControlSchema, found.body, 'control').stop).toMatchObject({ by: 'guest' });
  expect(await job.wait()).toMatchObject({ outcome: 'stopped' });
  expect(gate.refused.filter((call) => call.includes('control.json'))).toEqual([]);
  await expect(job.extend(3_600)).rejects.toThrow(/already ended/);
});

test.each(['read', 'stop'] as const)(
  'fails for whoever has %s to read sealed objects, grants and content, to launch, end, tag and delete',
  (grant) => {
    const statements = { read: readStatements, stop: stopStatements }[grant](FACTS);
    const context = { 'aws:resourcetag/rawcloud:scaffold': 'default' };
    const may = (action: string, resource: string): boolean => evaluate(statements, { action, resource, context }) === 'allowed';
    const instance = 'arn:aws:ec2:us-east-1:123456789012:instance/i-1';
    const key = (name: string): string => `${FACTS.bucketArn}/${name}`;
    expect(may('s3:GetObject', key(jobKeys.spec(PREFIX)))).toBe(true);
    const refused: [string, string][] = [
      ['s3:GetObject', key(bucketKeys.sealed(JOB))],
      ['s3:GetObject', key(bucketKeys.grant('AROA:i-1'))],
      ['s3:GetObject', key(bucketKeys.file('00'))],
      ['s3:PutObject', key(jobKeys.outcome(PREFIX))],
      ['s3:PutObject', key(jobKeys.launch(PREFIX, 0))],
      ['s3:PutObject', key(bucketKeys.active(JOB))],
      ['s3:DeleteObject', key(bucketKeys.active(JOB))],
      ['ec2:RunInstances', instance],
      ['ec2:TerminateInstances', instance],
      ['ec2:CreateTags', instance],
      ['iam:PassRole', 'arn:aws:iam::123456789012:role/x'],
    ];
    expect(refused.filter(([action, resource]) => may(action, resource))).toEqual([]);
    expect(may('s3:PutObject', key(jobKeys.control(PREFIX)))).toBe(grant === 'stop');
  },
);
