import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { ensureLocalCloud, localReset, localStart, localStatus, localStop } from '../../lib/local/daemon';
import type { DaemonOptions } from '../../lib/local/daemon';
import { localImages } from '../../lib/local/ec2/images';
import { lineOf, machineProcesses } from '../fakes/local-cloud';
import { namespaces } from './namespaces';

let tools: string;
let directory: string;
let options: DaemonOptions;

beforeAll(async () => {
  tools = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-daemon-entry-'));
  const esbuild = path.resolve(__dirname, '../../node_modules/.bin/esbuild');
  const entry = path.join(__dirname, 'daemon-entry.ts');
  execFileSync(esbuild, [entry, `--outfile=${path.join(tools, 'entry.js')}`, '--bundle', '--platform=node', '--log-level=error']);
});

afterAll(() => rm(tools, { recursive: true }));

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-daemon-'));
  options = {
    env: { PATH: process.env['PATH'], RAWCLOUD_LOCAL_DIR: path.join(directory, 'state'), RAWCLOUD_LOCAL_DRIVER: 'process' },
    entry: path.join(tools, 'entry.js'),
  };
});

afterEach(async () => {
  await localStop(options);
  expect(machineProcesses(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

async function launchSleeper(): Promise<string> {
  const { url: endpoint, region, credentials, stateDir } = await ensureLocalCloud(options);
  const ec2 = new EC2Client({ endpoint, region, credentials, maxAttempts: 1 });
  const UserData = Buffer.from('#!/bin/bash\necho up >up\nsleep 1000\n').toString('base64');
  const { Instances } = await ec2.send(
    new RunInstancesCommand({ ImageId: localImages(region)[0]!.id, InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1, UserData }),
  );
  ec2.destroy();
  const id = Instances![0]!.InstanceId!;
  await lineOf(path.join(stateDir, 'machines', id, 'up'), stateDir);
  return id;
}

test('start, status, stop: state stays', async () => {
  expect(await localStatus(options)).toEqual({ running: false, directory: path.join(directory, 'state') });
  const started = await localStart(options);
  expect(started).toMatchObject({
    running: true,
    started: true,
    vms: 0,
    endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
  });
  expect(started.notices[0]!.text).toContain('as your own user');
  expect((await localStart(options)).started).toBe(false);
  const file = path.join(directory, 'state', 'cloud.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await localStop(options)).toEqual({ stopped: true, machines: [] });
  expect(existsSync(file)).toBe(false);
  expect((await localStatus(options)).running).toBe(false);
});

test('two who start at once get the same local cloud', async () => {
  const [a, b] = await Promise.all([ensureLocalCloud(options), ensureLocalCloud(options)]);
  expect(a.url).toBe(b.url);
  expect([a, b].filter((c) => c.notices.length > 0)).toHaveLength(1);
});

test('a local cloud that was killed is started again with its port, its keys and its machines', async () => {
  const before = await localStart(options);
  const connection = await ensureLocalCloud(options);
  const id = await launchSleeper();
  process.kill(before.pid!, 'SIGKILL');
  const after = await localStart(options);
  expect(after.pid).not.toBe(before.pid);
  expect(after.endpoint).toBe(before.endpoint);
  expect((await ensureLocalCloud(options)).credentials).toEqual(connection.credentials);
  expect(after.machines).toMatchObject([{ id, state: 'running', on: true }]);
  expect(await localStop(options)).toEqual({ stopped: true, machines: [id] });
  expect(machineProcesses(directory)).toEqual([]);
});

test('reset ends machines even when the local cloud is dead, and deletes its directory', async () => {
  const { pid } = await localStart(options);
  await launchSleeper();
  process.kill(pid!, 'SIGKILL');
  await localReset(options);
  expect(existsSync(path.join(directory, 'state'))).toBe(false);
  expect(machineProcesses(directory)).toEqual([]);
});

test('fails to reset or use a directory that it did not make', async () => {
  await mkdir(path.join(directory, 'state'));
  await writeFile(path.join(directory, 'state', 'thesis.txt'), 'ten years of work');
  await expect(localReset(options)).rejects.toMatchObject({ code: 'E_LOCAL_CLOUD' });
  await expect(localStart(options)).rejects.toMatchObject({ code: 'E_LOCAL_CLOUD' });
  expect(await readFile(path.join(directory, 'state', 'thesis.txt'), 'utf8')).toBe('ten years of work');
});

namespaces.describe('with namespaces', () => {
  const choose = (driver: string): DaemonOptions => ({ ...options, env: { ...options.env, RAWCLOUD_LOCAL_DRIVER: driver } });

  test('auto comes to them, and says so', async () => {
    options = choose('auto');
    const { driver, notices } = await localStart(options);
    expect(driver).toBe('namespace');
    expect(notices[0]!.text).toContain('out of reach of your files');
  });

  test('a local cloud that was killed and is started again for processes keeps the machines that it had', async () => {
    const { pid } = await localStart(choose('namespace'));
    const id = await launchSleeper();
    process.kill(pid!, 'SIGKILL');
    const after = await localStart(options);
    expect(after).toMatchObject({ driver: 'process', machines: [{ id, state: 'running', on: true }] });
    expect(await localStop(options)).toEqual({ stopped: true, machines: [id] });
    expect(machineProcesses(directory)).toEqual([]);
  });
});

test('fails to start with a driver that there is not, or another than the one that runs', async () => {
  await expect(localStart({ ...options, driver: 'hyperv' })).rejects.toMatchObject({ code: 'E_USAGE' });
  expect((await localStart({ ...options, driver: 'process' })).driver).toBe('process');
  await expect(localStart({ ...options, driver: 'namespace' })).rejects.toMatchObject({ code: 'E_USAGE' });
});

test('fails to start with the end of the log when the process ends at once', async () => {
  await writeFile(path.join(tools, 'broken.js'), 'console.error("no such luck"); process.exit(3)');
  await chmod(path.join(tools, 'broken.js'), 0o755);
  await expect(localStart({ ...options, entry: path.join(tools, 'broken.js') })).rejects.toThrow(/ended at once.*no such luck/s);
});
