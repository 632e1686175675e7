import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { encodeJson, jobKeys, RawcloudError } from '../../lib/contract';
import { followInterruption, timetable } from '../../lib/agent/interruption';
import type { Metadata, Timetable } from '../../lib/agent/interruption';
import { PREFIX, spec } from '../fakes/records';
import { FakeClock } from './fake-clock';
import { TestVm } from './vm';

const vms: TestVm[] = [];

afterEach(async () => {
  for (const vm of vms.splice(0)) await vm.remove();
});

/** What a spot VM's metadata tells; `action` appears when it is set. */
class SpotMetadata implements Metadata {
  action: string | undefined;
  rebalance: string | undefined;

  notice(leftMs: number, now = Date.now()): void {
    this.action = JSON.stringify({ action: 'terminate', time: new Date(now + leftMs).toISOString() });
  }

  find(asked: string): Promise<string | undefined> {
    const known: Record<string, string | undefined> = {
      '/latest/meta-data/instance-life-cycle': 'spot',
      '/latest/meta-data/spot/instance-action': this.action,
      '/latest/meta-data/events/recommendations/rebalance': this.rebalance,
    };
    return Promise.resolve(known[asked]);
  }
}

const base = spec();
const TWICE = { ...base.limits, retries: [{ on: 'interrupted' as const, times: 1 }] };

/** A VM that EC2 takes back in four seconds, on which the script runs. */
async function underNotice(script: string, options: Partial<Parameters<typeof TestVm.start>[0]> = {}): Promise<TestVm> {
  const metadata = new SpotMetadata();
  metadata.notice(4_000);
  const vm = await TestVm.start({ argv: ['sh', '-c', script], metadata, ...options });
  vms.push(vm);
  await vm.decided;
  return vm;
}

describe('a job on a VM that EC2 takes back', () => {
  test('finds the notice in its file, is told by SIGTERM, and has its last words and files saved', async () => {
    const vm = await underNotice(`
      trap 'echo told; cat "$RAWCLOUD_INTERRUPTION_FILE"; echo saved > checkpoint; exit 0' TERM
      while :; do sleep 0.1; done`);
    expect(await vm.text()).toMatch(/^told\n\{"action":"terminate","time":".*Z"\}\n$/);
    const { exit, outputs, notices } = await vm.beat();
    expect(exit).toEqual({ code: 123, outOfMemory: false, reason: 'interrupted' });
    expect(outputs?.files).toEqual([{ path: 'checkpoint', bytes: 6, kept: true }]);
    expect(notices).toEqual([
      { level: 'warning', text: expect.stringMatching(/EC2 takes this spot VM back at \d\d:\d\d:\d\d UTC/) as string },
    ]);
    expect(await vm.has(jobKeys.done(PREFIX, 0))).toBe(false);
    expect(await vm.outcome()).toMatchObject({ outcome: 'lost', reason: 'interrupted', exitCode: 123 });
  });

  test('is killed in time to save what there is when it does not listen', async () => {
    const from = Date.now();
    const vm = await underNotice(`trap '' TERM; echo part > result; while :; do sleep 0.1; done`);
    expect((await vm.beat()).exit).toMatchObject({ reason: 'interrupted', signal: 'SIGKILL' });
    expect((await vm.beat()).outputs?.files.map((f) => f.path)).toEqual(['result']);
    expect(Date.now() - from).toBeLessThan(4_000);
  });

  test('is left open for the next VM when it may be tried again, and has an end when it may not', async () => {
    const first = await underNotice('sleep 60', { spec: { limits: TWICE } });
    expect(await first.has(jobKeys.outcome(PREFIX))).toBe(false);
    expect((await first.beat()).exit?.reason).toBe('interrupted');
    const last = await underNotice('sleep 60', { spec: { limits: TWICE }, grant: { attempt: 1 } });
    expect(await last.outcome()).toMatchObject({ reason: 'interrupted', message: expect.stringContaining('try 2, the last') as string });
  });

  test('has its own result when it ends before it is told', async () => {
    const vm = await underNotice('while [ ! -e "$RAWCLOUD_INTERRUPTION_FILE" ]; do sleep 0.02; done; exit 7');
    expect(await vm.outcome()).toMatchObject({ outcome: 'failed', exitCode: 7 });
  });
});

test('the next VM claims what the lost one had, and knows its try', async () => {
  const vm = await TestVm.start({
    argv: ['sh', '-c', 'echo $RAWCLOUD_ATTEMPT'],
    grant: { attempt: 1 },
    between: (store) => {
      void store.put(jobKeys.claim(PREFIX, 0), encodeJson({ v: 1, vm: 'the lost one', epoch: 0, nonce: 'theirs' }));
      return store;
    },
  });
  vms.push(vm);
  await vm.decided;
  expect(await vm.text()).toBe('1\n');
  expect(await vm.done()).toMatchObject({ epoch: 1 });
});

describe('the look at the metadata', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-notice-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  function follow(metadata: Metadata) {
    const clock = new FakeClock();
    const over = new AbortController();
    const seen: (string | Timetable)[] = [];
    const done = followInterruption({
      metadata,
      clock,
      file: path.join(directory, 'notice.json'),
      signal: over.signal,
      onRebalance: () => seen.push('rebalance'),
      onNotice: (_at, times) => seen.push(times),
      onTrouble: (error) => seen.push(String(error)),
    });
    return { clock, seen, stop: () => (over.abort(), done), done };
  }

  test('sees a notice within five seconds, and advice once', async () => {
    const metadata = new SpotMetadata();
    const { clock, seen, done } = follow(metadata);
    await clock.advance(60_000);
    expect(seen).toEqual([]);
    metadata.rebalance = '{}';
    await clock.advance(12_000);
    expect(seen).toEqual(['rebalance']);
    metadata.notice(120_000, clock.now());
    await clock.advance(5_000);
    await done;
    expect(seen).toHaveLength(2);
    expect(JSON.parse(await readFile(path.join(directory, 'notice.json'), 'utf8'))).toMatchObject({ action: 'terminate' });
  });

  test('is one on a VM on demand', async () => {
    let asked = 0;
    await follow({ find: async () => (asked++, 'on-demand') }).done;
    expect(asked).toBe(1);
  });

  test('goes on through failures, which are told once', async () => {
    const spot = new SpotMetadata();
    let isDown = true;
    const metadata: Metadata = {
      find: (asked) => (isDown ? Promise.reject(new RawcloudError('E_AWS', 'no answer', { retryable: true })) : spot.find(asked)),
    };
    const { clock, seen, done } = follow(metadata);
    await clock.advance(20_000);
    expect(seen).toHaveLength(1);
    isDown = false;
    spot.notice(100_000, clock.now());
    await clock.advance(5_000);
    await done;
    expect(seen).toHaveLength(2);
  });

  test('ends with the job', async () => {
    const { clock, stop } = follow(new SpotMetadata());
    await clock.advance(1_000);
    await stop();
  });
});

test.each([
  [120_000, { termAfterMs: 15_000, graceMs: 60_000 }],
  [116_000, { termAfterMs: 14_500, graceMs: 58_000 }],
  [8_000, { termAfterMs: 1_000, graceMs: 4_000 }],
  [0, { termAfterMs: 0, graceMs: 0 }],
  [-600_000, { termAfterMs: 0, graceMs: 0 }],
  [600_000, { termAfterMs: 15_000, graceMs: 60_000 }],
  [NaN, { termAfterMs: 15_000, graceMs: 60_000 }],
])('of %d ms until the end the command gets %o', (leftMs, expected) => {
  expect(timetable(leftMs)).toEqual(expected);
});
