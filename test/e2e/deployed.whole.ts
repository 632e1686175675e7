import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import path from 'node:path';
import type { Client, JobHandle } from '../../lib/runtime';
import type { Fault } from '../../lib/local/service';
import { Wheels } from '../agent/wheels';
import { python3, pythonTest, write } from '../capture/package-fixtures';
import { until } from '../local/until';
import { Deployment } from './deployment';
import { House } from './house';

/** Setups are for root alone. */
const isRoot = process.getuid?.() === 0;
const TICK = '2026-11-23T12:00:00Z';
const before = process.env['PATH'];
const PASSWORD = 'correct horse battery staple';

let wheels: Wheels;
let house: House;
let app: Deployment;
let client: Client;

beforeAll(async () => {
  wheels = new Wheels(path.join(process.env['TMPDIR']!, 'wheels'));
  // The machines of the local cloud have the PATH of this process.
  process.env['PATH'] = [wheels.bin, before].join(':');
  house = await House.open();
  app = new Deployment(house.cloud, path.join(house.directory, 'cache'));
  await app.open();
  client = await house.client();
});

afterAll(async () => {
  await client.close();
  app.close();
  process.env['PATH'] = before;
  await house.close();
  rmSync(wheels.directory, { recursive: true });
});

/** Who credentials say that one is. */
async function userId(given: Readonly<Record<string, string>>): Promise<string | undefined> {
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '', Token: sessionToken = '' } = given;
  const { url: endpoint, region } = house.cloud;
  const sts = new STSClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey, sessionToken } });
  const { UserId } = await sts.send(new GetCallerIdentityCommand({}));
  sts.destroy();
  return UserId;
}

async function output(job: JobHandle, stream: 'stdout' | 'system' = 'stdout'): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const { bytes } of job.logs({ streams: [stream] })) chunks.push(bytes);
  return Buffer.concat(chunks).toString();
}

/** Tells what it finds, and the credentials that it gets where SDKs ask for them. */
const TELL = `
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN: authorization } = process.env;
  const { TABLE, PASSWORD, KEY, EVENT } = process.env;
  fetch(url, { headers: { authorization } }).then((r) => r.json()).then((credentials) => {
    console.log(JSON.stringify({ TABLE, PASSWORD: PASSWORD.length, KEY, EVENT, credentials }));
  });`;

describe('a deployed job', () => {
  test('runs once for a tick, as its own role, with its variables, secrets and input', async () => {
    const arn = await app.secret('app/db', JSON.stringify({ user: 'app', password: PASSWORD }));
    const { roleId } = await app.deploy({
      id: 'nightly',
      argv: [process.execPath, '-e', TELL],
      variables: { TABLE: 'readings' },
      secrets: { PASSWORD: { kind: 'secretsmanager', arn, field: 'password' }, KEY: { kind: 'secretsmanager', arn, field: 'user' } },
      allowed: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: arn }],
      inputVariable: 'EVENT',
    });
    const before = house.cloud.ec2.instances().length;
    const tick = { id: 'nightly', tick: TICK, input: '{"key":"in.csv"}' };
    const [first, second] = [await client.start(tick), await client.start(tick)];
    expect([first.state, second.state]).toEqual(['launched', 'going']);
    expect(second.job).toBe(first.job);

    const job = await client.job(first.job);
    const result = await job.wait();
    expect(result).toMatchObject({ outcome: 'ok', exitCode: 0 });
    const told = JSON.parse(await output(job)) as { credentials: Readonly<Record<string, string>> };
    expect(told).toMatchObject({ TABLE: 'readings', PASSWORD: PASSWORD.length, KEY: 'app', EVENT: '{"key":"in.csv"}' });

    expect(house.cloud.ec2.instances().length - before).toBe(1);
    expect(house.alive()).toEqual([]);
    const calls = house.cloud.calls.recent().filter((c) => c.operation === 'GetSecretValue' && c.principal.includes('app-nightly'));
    const [vm] = house.cloud.ec2.instances().slice(-1);
    expect(calls).toMatchObject([{ principal: `arn:aws:sts::123456789012:assumed-role/app-nightly/${vm!.id}`, status: 200 }]);
    expect(await userId(told.credentials)).toBe(`${roleId}:${vm!.id}`);
    expect(Date.parse(told.credentials['Expiration']!)).toBeGreaterThan(Date.now());
    const leaks = (await house.everything()).filter(({ name, content }) => content.includes(PASSWORD) && name !== 'state/secrets.json');
    expect(leaks.map(({ name }) => name)).toEqual([]);
    expect((await client.start(tick)).state).toBe('going');
    expect(house.cloud.ec2.instances().length - before).toBe(1);

    // The client has ended it; that it is over, the reaper tells.
    expect(await client.jobs()).toEqual([]);
    const detail = { job: first.job, id: 'nightly', tick: TICK, outcome: 'ok', exitCode: 0 };
    const ended = expect.objectContaining({
      source: 'rawcloud.default',
      detailType: 'Job Ended',
      detail: expect.objectContaining(detail) as unknown,
    }) as unknown;
    expect(house.cloud.bus.events()).not.toContainEqual(ended);
    expect(await client.reap()).toMatchObject({ ended: expect.arrayContaining([first.job]) as unknown, unproved: [] });
    expect(house.cloud.bus.events()).toContainEqual(ended);
    expect(JSON.stringify(house.cloud.bus.events())).not.toContain(PASSWORD);
  });

  test('fails with 119 and the name of what is missing when its role may not read a secret', async () => {
    const arn = await app.secret('app/other', PASSWORD);
    await app.deploy({
      id: 'denied',
      argv: ['true'],
      secrets: { PASSWORD: { kind: 'secretsmanager', arn }, KEY: { kind: 'ssm', name: '/app/none' } },
    });
    const job = await client.job((await client.start({ id: 'denied', tick: TICK })).job);
    expect(await job.wait()).toMatchObject({
      outcome: 'environment',
      exitCode: 119,
      message:
        `variable PASSWORD: the job's role is not allowed secretsmanager:GetSecretValue of secret ${arn}; ` +
        "variable KEY: the job's role is not allowed ssm:GetParameter of parameter /app/none",
    });
    expect(house.alive()).toEqual([]);
  });

  pythonTest('has the packages of its lockfile by its rules, after its setup, whatever is installed here', async () => {
    for (const name of ['one', 'two', 'three']) wheels.add(name, '1.0');
    const source = path.join(house.directory, 'scored');
    write(source, {
      'requirements.txt': 'one==1.0\ntwo==1.0\n',
      '.python-version': `${python3!.minor}\n`,
      'score.py':
        'import importlib.util, one, three; print(one.VERSION, three.VERSION, importlib.util.find_spec("two"), open("made").read())',
    });
    await app.deploy({
      id: 'scored',
      argv: ['python', 'score.py'],
      source,
      variables: { LIBRARY: 'gdal' },
      setup: [`printf '%s' "$LIBRARY by $(id -u), $(ls)" > made`],
      packageChoices: { ignore: ['two'], add: ['three==1.0'] },
    });
    const job = await client.job((await client.start({ id: 'scored', tick: TICK })).job);
    if (!isRoot) {
      expect(await job.wait()).toMatchObject({ exitCode: 119, message: expect.stringContaining('a setup runs as root') as string });
      return;
    }
    expect(await job.wait()).toMatchObject({ outcome: 'ok' });
    expect(await output(job)).toMatch(/^1\.0 1\.0 None gdal by 0, requirements\.txt\s+score\.py\n$/);
    expect(readFileSync(wheels.log, 'utf8')).toBe('one==1.0\nthree==1.0\n');

    await app.deploy({ id: 'unset', argv: ['python', 'score.py'], source, setup: ['echo no such repository; exit 3', 'echo > after'] });
    const failing = await client.job((await client.start({ id: 'unset', tick: TICK })).job);
    expect(await failing.wait()).toMatchObject({
      outcome: 'environment',
      exitCode: 119,
      message: "the setup command 'echo no such repository; exit 3' exited with 3: no such repository",
    });
    expect(readFileSync(wheels.log, 'utf8')).toBe('one==1.0\nthree==1.0\n');
    expect(house.alive()).toEqual([]);
  });

  test.each<[string, Fault]>([
    ['between record and RunInstances', { operation: 'ec2:RunInstances', effect: { kind: 'delay', ms: 60_000 } }],
    [
      'after RunInstances, before it is on record',
      { operation: 's3:PutObject', resource: '/launch/0\\.json$', skip: 1, effect: { kind: 'delay', ms: 60_000 } },
    ],
  ])('whose launch function Lambda kills %s is finished by the next delivery, with one VM', async (when, fault) => {
    const id = `killed-${when.split(' ')[0]}`;
    await app.deploy({ id, argv: ['true'] });
    const before = house.cloud.ec2.instances().length;
    house.cloud.faults.arm(fault);
    const launching = house.callFunction('launch', { rawcloud: { id, tick: TICK } });
    const gone = once(launching, 'exit');
    await until('the function is at that call', () => house.cloud.faults.armed.length === 0);
    launching.kill('SIGKILL');
    await gone;

    const { state, job } = await client.start({ id, tick: TICK });
    expect(state).toBe('going');
    expect(await (await client.job(job)).wait()).toMatchObject({ outcome: 'ok', exitCode: 0 });
    expect(house.cloud.ec2.instances().length - before).toBe(1);
    expect(house.alive()).toEqual([]);
  });
});

describe('a job with a role', () => {
  test('is that role for AWS as long as it runs, whoever watches; a pass of the reaper leaves it alone', async () => {
    const { roleArn, roleId } = await app.role('training');
    const tell = TELL.replace('PASSWORD.length', 'PASSWORD');
    const run = ['run', '--detach', '--json', '--role', 'training', '--', process.execPath, '-e', tell];
    const begun = await house.rawcloud(run);
    expect(begun.code).toBe(0);
    // Nobody watches, yet no access of it will end.
    expect(begun.stdout.toString()).not.toContain('access ends');
    const [summary] = await client.jobs();
    const job = await client.job(summary!.job);
    expect((await client.reap()).unproved).toEqual([]);
    expect(await job.wait()).toMatchObject({ outcome: 'ok', exitCode: 0 });
    const { credentials } = JSON.parse(await output(job)) as { credentials: Readonly<Record<string, string>> };
    expect(await userId(credentials)).toMatch(new RegExp(`^${roleId}:i-`));
    const planned = await house.rawcloud(['run', '--dry-run', '--json', '--role', 'training', 'true']);
    expect(JSON.parse(planned.stdout.toString())).toMatchObject({ data: { identity: { kind: 'role', arn: roleArn } } });
  });

  test('fails before anything is launched when there is no such role, and names those that are', async () => {
    await app.role('reporting');
    const before = house.cloud.ec2.instances().length;
    const ended = await house.rawcloud(['run', '--role', 'reportnig', 'true']);
    expect(ended).toMatchObject({
      code: 120,
      stderr: expect.stringMatching(/no role 'reportnig' for jobs; there are [^\n]*reporting[^]*JobRole/) as string,
    });
    const both = await house.rawcloud(['run', '--role', 'training', '--no-credentials', 'true']);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("role 'training' is an AWS identity") as string });
    const arn = await house.rawcloud(['run', '--role', 'arn:aws:iam::123456789012:role/training', 'true']);
    expect(arn).toMatchObject({ code: 2, stderr: expect.stringContaining('not by its ARN') as string });
    expect(house.cloud.ec2.instances().length).toBe(before);
  });
});
