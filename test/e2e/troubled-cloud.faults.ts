import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { House } from './house';
import type { Ended } from './house';

let house: House;

beforeEach(async () => {
  house = await House.open();
});

afterEach(async () => {
  await house.close();
});

const ANY_NUMBER = 1_000_000;
const TALKS = ['sh', '-c', 'echo begun; until [ -e go ]; do sleep 0.05; done; echo end; exit 5'];

/** A job of five that waits in the middle until `go` lies in its tree. */
async function begun(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const running = house.start(['run', ...args, '--', ...TALKS], { env });
  await running.saw(/begun/);
  return running;
}

function expectWhole(ended: Ended): void {
  expect(ended).toMatchObject({ code: 5, stdout: Buffer.from('begun\nend\n') });
}

/** Shifts the clock of the CLI's process. */
async function withClockOff(ms: number): Promise<Record<string, string>> {
  const file = path.join(house.directory, 'skew.cjs');
  const lines = [
    `const by = ${ms}, Real = Date, now = Real.now;`,
    'Real.now = () => now() + by;',
    'globalThis.Date = class extends Real { constructor(...args) { super(...(args.length === 0 ? [now() + by] : args)); } };',
  ];
  await writeFile(file, lines.join('\n'));
  return { NODE_OPTIONS: `--require=${file}` };
}

describe('credentials', () => {
  test('that have expired are said so, with what to do, and nothing is launched', async () => {
    house.cloud.faults.arm({ operation: '*', count: ANY_NUMBER, effect: { kind: 'error', status: 403, code: 'ExpiredToken' } });
    const ended = await house.rawcloud(['run', 'true']);
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/expired/i);
    expect(ended.stderr).toMatch(/sign in again/i);
    expect(house.cloud.ec2.instances()).toEqual([]);
  });

  test('that expire while we watch leave the job as it is; attach goes on where we were', async () => {
    const running = await begun();
    house.cloud.faults.arm({
      operation: 'GetObject',
      resource: '/(log|beat)',
      count: 3,
      effect: { kind: 'error', status: 400, code: 'ExpiredToken' },
    });
    const ended = await running.ended;
    house.cloud.faults.clear();
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/expired/i);
    expect(ended.stderr).toMatch(/rawcloud attach/);
    expect(house.alive()).toHaveLength(1);
    await house.place('go');
    expectWhole(await house.rawcloud(['attach']));
  });
});

test('a region without scaffolding is named', async () => {
  const ended = await house.rawcloud(['run', '--region', 'eu-north-1', 'true']);
  expect(ended.code).not.toBe(0);
  expect(ended.stderr).toMatch(/eu-north-1/);
  expect(house.cloud.ec2.instances()).toEqual([]);
});

test.each([
  ['ten minutes ahead', 600_000],
  ['ten minutes behind', -600_000],
  ['further ahead than AWS takes', 1_500_000],
])('a clock that is %s changes nothing: times are the store’s', async (_how, ms) => {
  const running = await begun(['--max-lifetime', '5m'], await withClockOff(ms));
  const id = house.alive()[0]!;
  const deadline = Number(await house.machineFile(id, 'var/lib/rawcloud/deadline'));
  const uptime = existsSync('/proc/uptime') ? os.uptime() : Date.now() / 1000;
  expect(deadline - uptime).toBeGreaterThan(240);
  expect(deadline - uptime).toBeLessThanOrEqual(301);
  await house.place('go');
  const ended = await running.ended;
  expectWhole(ended);
  expect(ended.stderr).toMatch(/bill .* 1 min/);
  expect((await house.rawcloud(['ps', '--all'])).stdout.toString()).toMatch(/ failed 5 +[\d.]+ s /);
});

test('a slow endpoint makes a slow run, nothing else', async () => {
  house.cloud.faults.arm({ operation: 's3:*', count: 60, effect: { kind: 'delay', ms: 300 } });
  const ended = await house.rawcloud(['run', '--quiet', '--', 'sh', '-c', 'echo slow; exit 5']);
  expect(ended).toMatchObject({ code: 5, stdout: Buffer.from('slow\n') });
});

test('a bucket that is throttled again and again is waited for, by client and VM', async () => {
  const running = await begun();
  for (let storm = 0; storm < 3; storm++) {
    house.cloud.faults.arm({ operation: 's3:*', count: 15, effect: { kind: 'error', status: 503, code: 'SlowDown' } });
    house.cloud.faults.arm({ operation: 's3:*', skip: 10, count: 10, effect: { kind: 'error', status: 500, code: 'InternalError' } });
  }
  await house.place('go');
  expectWhole(await running.ended);
}, 120_000);

test('a storm of lost races and conflicts on records decides nothing twice', async () => {
  const storm = (status: number, code: string): void =>
    house.cloud.faults.arm({ operation: 'PutObject', resource: 'v1/jobs/', count: 5, effect: { kind: 'error', status, code } });
  storm(409, 'ConditionalRequestConflict');
  const running = await begun();
  storm(409, 'ConditionalRequestConflict');
  house.cloud.faults.arm({
    operation: 'PutObject',
    resource: 'control',
    count: 3,
    effect: { kind: 'error', status: 412, code: 'PreconditionFailed' },
  });
  await house.rawcloud(['extend', '3h']);
  await house.place('go');
  expectWhole(await running.ended);
  expect(house.cloud.ec2.instances()).toHaveLength(1);
});

test('two who attach and two who stop at once see one end', async () => {
  await house.rawcloud(['run', '--detach', '--', 'sh', '-c', 'echo begun; exec sleep 600']);
  const watchers = [house.start(['attach']), house.start(['attach', '--json'])];
  for (const watcher of watchers) await watcher.saw(/begun|YmVndW4K/);
  const stops = await Promise.all([house.rawcloud(['stop']), house.rawcloud(['stop'])]);
  expect(stops.map((s) => s.code)).toEqual([0, 0]);
  for (const watcher of watchers) expect((await watcher.ended).code).toBe(130);
  const [job] = await (async () => {
    const client = await house.client();
    try {
      return await client.jobs({ all: true });
    } finally {
      await client.close();
    }
  })();
  expect(job).toMatchObject({ state: 'ended' });
});

test('a laptop that sleeps while the job ends shows the rest when it wakes', async () => {
  const running = await begun();
  running.child.kill('SIGSTOP');
  await house.place('go');
  await house.allGone();
  running.child.kill('SIGCONT');
  expectWhole(await running.ended);
});

test('a grant that cannot be written leaves no VM', async () => {
  house.cloud.faults.arm({
    operation: 'PutObject',
    resource: '^v1/private/',
    count: ANY_NUMBER,
    effect: { kind: 'error', status: 403, code: 'AccessDenied' },
  });
  const ended = await house.rawcloud(['run', 'true']);
  expect(ended.code).not.toBe(0);
  expect(ended.stderr).toMatch(/AccessDenied|permission|not allowed/i);
  house.cloud.faults.clear();
  const client = await house.client();
  await client.reap();
  await client.close();
  await house.allGone();
});
