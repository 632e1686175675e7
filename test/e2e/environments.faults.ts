import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { python3, pythonTest } from '../capture/package-fixtures';
import { PythonProject } from './python-project';
import { SmallDisk } from './small-disk';

let project: PythonProject;
const command = ['run', '--', 'python', '-c', 'import one, two; print(one.VERSION, two.VERSION)'];

beforeEach(async () => {
  project = await PythonProject.open();
});

afterEach(() => project.close());

describe('an environment whose making is broken off', () => {
  pythonTest('by a killed agent while it is built, is built anew by the next VM, from nothing', async () => {
    project.wheels.hold();
    const running = project.start(command);
    while (project.installed().length === 0) await wait(50);
    project.house.killAgents();
    expect((await running.ended).code).toBe(123);
    project.wheels.letGo();
    const next = await project.rawcloud(command);
    expect(next).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
    expect(next.stderr).not.toContain('restored from cache');
    expect(project.installed()).toEqual(['one==1.0', 'one==1.0', 'two==1.0']);
    expect((await project.rawcloud(command)).stderr).toContain('environment restored from cache (2 packages,');
    await project.house.allGone();
  });

  pythonTest('by a bucket that fails while it is kept, is whole for the next VM or not there', async () => {
    project.house.cloud.faults.arm({
      operation: 'PutObject',
      resource: 'v1/environments/',
      count: 1000,
      effect: { kind: 'error', status: 403, code: 'AccessDenied' },
    });
    expect(await project.rawcloud(command)).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
    project.house.cloud.faults.clear();
    const next = await project.rawcloud(command);
    expect(next).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
    expect(next.stderr).not.toContain('restored from cache');
    expect(project.installed()).toHaveLength(4);
    expect((await project.rawcloud(command)).stderr).toContain('environment restored from cache (2 packages,');
    await project.house.allGone();
  });
});

describe('an environment that is kept', () => {
  pythonTest('and was damaged is said to be, built anew and replaced', async () => {
    const { house } = project;
    expect(await project.rawcloud(command)).toMatchObject({ code: 0 });
    await house.allGone();
    await house.inBucket(async (store) => {
      const keys: string[] = [];
      for await (const { key } of store.list('v1/environments/')) if (/\/[0-9a-f]{64}$/.test(key)) keys.push(key);
      expect(keys.length).toBeGreaterThan(0);
      for (const key of keys) {
        const found = await store.get(key);
        if (typeof found === 'string') throw new Error(`${key} is not there`);
        const body = Buffer.from(found.body);
        body[100]! ^= 1;
        await store.put(key, body);
      }
    });
    const next = await project.rawcloud(command);
    expect(next).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
    expect(next.stderr).toMatch(/the cached environment cannot be used \(a pack of the environment .*\): it is built anew/);
    expect(project.installed()).toHaveLength(4);
    expect((await project.rawcloud(command)).stderr).toContain('environment restored from cache (2 packages,');
    await house.allGone();
  });
});

const MEBIBYTE = 2 ** 20;
/** Who may mount a disk. */
const asRoot = (name: string, run: () => Promise<void>): void =>
  process.getuid?.() === 0 ? pythonTest(name, run) : test.skip(`${name} (needs root)`, run);

describe('a disk that somebody else fills while an environment is restored', () => {
  asRoot('fails the job with sizes and what to do, and the cache stays whole', async () => {
    const { house, wheels } = project;
    // With so much in it threads write. One request of the restore comes through at once, the others are late.
    wheels.add('one', '1.0', { 'one/noise.txt': randomBytes(20 * MEBIBYTE).toString('hex') });
    expect(await project.rawcloud(command)).toMatchObject({ code: 0 });
    await house.allGone();
    const kept = await environments();
    const machines = path.join(house.cloud.stateDir, 'machines');
    const disk = SmallDisk.mount(machines, 512);
    try {
      const resource = 'v1/environments/.*/[0-9a-f]{64}$';
      house.cloud.faults.arm({ operation: 'GetObject', resource, skip: 1, count: 100, effect: { kind: 'delay', ms: 4000 } });
      const running = project.start(['run', '--name', 'full', ...command.slice(1)]);
      const site = path.join('var/lib/rawcloud/job/layers/python/venv/lib', `python${python3!.minor}`, 'site-packages');
      let isOver = false;
      void running.ended.finally(() => (isOver = true));
      while (!isOver && !house.alive().some((id) => existsSync(path.join(machines, id, site, 'one/noise.txt')))) await wait(20);
      disk.fill(2 * MEBIBYTE);
      const ended = await running.ended;
      expect(ended).toMatchObject({ code: 119, stdout: Buffer.from('') });
      const message =
        /the VM's disk became full while the environment was restored: it takes 40\.0 MiB, and [\d.]+ (B|KiB|MiB) were left when something else had taken the room/;
      expect(ended.stderr).toMatch(message);
      expect(ended.stderr).toContain('→ Give the VM more disk (--disk).');
      expect((await house.rawcloud(['logs', '--environment', 'full'])).stdout.toString()).toMatch(message);
      await house.allGone();
    } finally {
      disk.unmount();
    }
    house.cloud.faults.clear();
    expect(await environments()).toEqual(kept);
    const next = await project.rawcloud(command);
    expect(next).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
    expect(next.stderr).toContain('environment restored from cache (2 packages,');
    await house.allGone();
  });
});

/** What is kept of them, by name and hash. */
async function environments(): Promise<string[]> {
  const files = (await project.house.everything()).filter(({ name }) => /v1\/environments\/.*\/(manifest|[0-9a-f]{64})$/.test(name));
  return files.map(({ name, content }) => `${name} ${createHash('sha256').update(content).digest('hex')}`).sort();
}
