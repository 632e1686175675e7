import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  CreateLaunchTemplateCommand,
  CreateTagsCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeVolumesCommand,
  EC2Client,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { Instance } from '@aws-sdk/client-ec2';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ensureLocalCloud, localStatus, localStop } from '../../lib/local/daemon';
import type { DaemonOptions } from '../../lib/local/daemon';
import { guestEnvironment } from '../../lib/local/drivers/guest-environment';
import { machineDirectory } from '../../lib/local/drivers/machine-directory';
import { layOutMachine } from '../../lib/local/drivers/machine-layout';
import { createProcessDriver } from '../../lib/local/drivers/process';
import { localImages } from '../../lib/local/ec2/images';
import { machineProcesses } from '../fakes/local-cloud';
import { until } from './until';

let tools: string;
let directory: string;
let options: DaemonOptions;

beforeAll(async () => {
  tools = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-killed-entry-'));
  const esbuild = path.resolve(__dirname, '../../node_modules/.bin/esbuild');
  const entry = path.join(__dirname, 'daemon-entry.ts');
  execFileSync(esbuild, [entry, `--outfile=${path.join(tools, 'entry.js')}`, '--bundle', '--platform=node', '--log-level=error']);
});

afterAll(() => rm(tools, { recursive: true }));

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-killed-'));
  // Machines that can be looked into from here.
  const env = { PATH: process.env['PATH'], RAWCLOUD_LOCAL_DIR: path.join(directory, 'state'), RAWCLOUD_LOCAL_DRIVER: 'process' };
  options = { env, entry: path.join(tools, 'entry.js') };
});

afterEach(async () => {
  await localStop(options);
  expect(machineProcesses(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

/** Clients of the local cloud, which is started when it does not run. */
async function withClients<T>(use: (clients: Clients) => Promise<T>): Promise<T> {
  const { url: endpoint, region, credentials } = await ensureLocalCloud(options);
  const config = { endpoint, region, maxAttempts: 1 };
  const ec2 = new EC2Client({ ...config, credentials: { ...credentials } });
  const s3 = new S3Client({ ...config, credentials: { ...credentials }, forcePathStyle: true });
  try {
    return await use({ ec2, s3, image: localImages(region)[0]!.id });
  } finally {
    ec2.destroy();
    s3.destroy();
  }
}

interface Clients {
  readonly ec2: EC2Client;
  readonly s3: S3Client;
  readonly image: string;
}

const COUNT = 3;
const USER_DATA = Buffer.from('#!/bin/bash\necho up >>up\nsleep 1000\n').toString('base64');
const Bucket = 'mine';

async function launch({ ec2, image }: Clients, ClientToken: string): Promise<string[]> {
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      ImageId: image,
      InstanceType: 'm7i.large',
      MinCount: COUNT,
      MaxCount: COUNT,
      UserData: USER_DATA,
      ClientToken,
    }),
  );
  return Instances!.map((i) => i.InstanceId!).sort();
}

async function shown({ ec2 }: Clients): Promise<Instance[]> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
  return Reservations.flatMap((r) => r.Instances ?? []);
}

const template = ({ ec2 }: Clients, name: string): Promise<unknown> =>
  ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: name, ClientToken: name, LaunchTemplateData: { KeyName: name } }));
const put = ({ s3 }: Clients, Key: string): Promise<unknown> => s3.send(new PutObjectCommand({ Bucket, Key, Body: Key.repeat(1000) }));
const read = async ({ s3 }: Clients, Key: string): Promise<string> =>
  (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();

/** Everything at once, each writer until its call is cut off. @returns what was answered */
async function writeUntilKilled(clients: Clients, round: number, killAfter: number): Promise<Answered> {
  const answered: Answered = { launches: new Map(), templates: [], objects: [], tags: [] };
  const { pid } = await localStatus(options);
  let left = killAfter;
  const one = async (work: () => Promise<void>): Promise<boolean> => {
    const done = await work().then(
      () => true,
      () => false,
    );
    if (done && --left === 0) process.kill(pid!, 'SIGKILL');
    return done;
  };
  const writer = async (name: string, write: (key: string) => Promise<void>): Promise<void> => {
    for (let n = 0; n < 4 && (await one(() => write(`${name}-${round}-${n}`))); n++);
  };
  await Promise.all([
    writer('launch', async (key) => void answered.launches.set(key, await launch(clients, key))),
    writer('template', async (key) => (await template(clients, key), void answered.templates.push(key))),
    writer('object', async (key) => (await put(clients, key), void answered.objects.push(key))),
    writer('tag', async (key) => {
      const id = [...answered.launches.values()][0]?.[0];
      if (id === undefined) return;
      await clients.ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: key, Value: '' }] }));
      answered.tags.push([id, key]);
    }),
  ]);
  // Whatever the writers came to: this is about a local cloud that was killed.
  if (left > 0) process.kill(pid!, 'SIGKILL');
  return answered;
}

interface Answered {
  readonly launches: Map<string, string[]>;
  readonly templates: string[];
  readonly objects: string[];
  readonly tags: [id: string, key: string][];
}

async function expectKept(clients: Clients, answered: Answered): Promise<void> {
  const instances = await shown(clients);
  for (const [token, ids] of answered.launches) {
    expect(
      instances
        .filter((i) => i.ClientToken === token)
        .map((i) => i.InstanceId!)
        .sort(),
    ).toEqual(ids);
    expect(await launch(clients, token)).toEqual(ids);
  }
  const { LaunchTemplates } = await clients.ec2.send(new DescribeLaunchTemplatesCommand({}));
  expect(LaunchTemplates!.map((t) => t.LaunchTemplateName)).toEqual(expect.arrayContaining(answered.templates));
  for (const key of answered.objects) expect(await read(clients, key)).toBe(key.repeat(1000));
  for (const [id, key] of answered.tags) {
    expect(instances.find((i) => i.InstanceId === id)!.Tags!.map((t) => t.Key)).toContain(key);
  }
}

test.each([2, 5, 9])(
  'killed after %i answers in the middle of writes, it keeps what it answered; launches are there whole or not at all, and boot once',
  async (killAfter) => {
    await withClients(({ s3 }) => s3.send(new CreateBucketCommand({ Bucket })));
    const answered = await withClients((clients) => writeUntilKilled(clients, killAfter, killAfter));
    await withClients(async (clients) => {
      await expectKept(clients, answered);
      const byToken = new Map<string, number>();
      for (const { ClientToken } of await shown(clients)) byToken.set(ClientToken!, (byToken.get(ClientToken!) ?? 0) + 1);
      expect([...byToken.values()].filter((n) => n !== COUNT)).toEqual([]);
      await until('all run', async () => (await shown(clients)).every((i) => i.State?.Name === 'running'));
      const { Volumes } = await clients.ec2.send(new DescribeVolumesCommand({}));
      expect(Volumes).toHaveLength(byToken.size * COUNT);
      for (const { InstanceId } of await shown(clients)) {
        const file = path.join(directory, 'state', 'machines', InstanceId!, 'up');
        await until(`${InstanceId} has booted`, async () => (await readFile(file, 'utf8').catch(() => '')) === 'up\n');
      }
    });
  },
  120_000,
);

test('a machine whose starter was killed before it heard of it boots all the same, and is found', async () => {
  const root = path.join(directory, 'machine');
  const spec = {
    id: 'i-1',
    root,
    userData: Buffer.from(USER_DATA, 'base64'),
    imdsUrl: 'http://127.0.0.1:1',
    endpointUrl: 'http://127.0.0.1:1',
  };
  const layout = machineDirectory(root);
  await layOutMachine(spec, layout, undefined);
  const env = guestEnvironment(spec, process.env);
  const init = spawn('/bin/bash', [layout.init, 'boot'], { cwd: root, env, detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  init.stdio[3]!.destroy();
  await until('user data runs', async () => (await readFile(path.join(root, 'up'), 'utf8').catch(() => '')) === 'up\n');
  const machine = await createProcessDriver().adopt(spec);
  await machine!.powerOff(1000);
  expect(await machine!.exited).toBe('poweroff');
}, 120_000);

test('a machine that died while the local cloud was dead is told terminated, with the reason; the others are found again', async () => {
  const ids = await withClients(async (clients) => {
    const launched = await launch(clients, 'token');
    await until('all run', async () => (await shown(clients)).every((i) => i.State?.Name === 'running'));
    return launched;
  });
  const { pid } = await localStatus(options);
  process.kill(pid!, 'SIGKILL');
  const [dead, off, alive] = ids as [string, string, string];
  const machine = (id: string): string => path.join(directory, 'state', 'machines', id);
  // Everything of one machine dies; another powers itself off.
  for (const { pid: process_ } of machineProcesses(directory).filter((p) => p.command.includes(dead))) process.kill(process_, 'SIGKILL');
  execFileSync(path.join(machine(off), 'sbin', 'poweroff'), { env: { PATH: process.env['PATH'], RAWCLOUD_ROOT: machine(off) } });
  await until('it is off', () => machineProcesses(directory).every((p) => !p.command.includes(off)));
  await withClients(async (clients) => {
    await until('ends are told', async () => (await shown(clients)).filter((i) => i.State?.Name === 'running').length === 1);
    const told = new Map((await shown(clients)).map((i) => [i.InstanceId, i]));
    expect(told.get(dead)).toMatchObject({ State: { Name: 'terminated' }, StateReason: { Code: 'Server.InternalError' } });
    expect(told.get(off)).toMatchObject({ State: { Name: 'stopped' }, StateReason: { Code: 'Client.InstanceInitiatedShutdown' } });
    expect(told.get(alive)).toMatchObject({ State: { Name: 'running' } });
  });
}, 120_000);
