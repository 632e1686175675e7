import * as v from 'valibot';
import { bucketKeys, JobEndedSchema, LeftoversFoundSchema, TAGS, TEMPLATE_TAG } from '../../lib/contract';
import { Driver } from '../../lib/runtime/drive/driver';
import type { ReapReport } from '../../lib/runtime';
import type { ReapDeps } from '../../lib/runtime/reap/deps';
import { reap } from '../../lib/runtime/reap/pass';
import { driveToEnd, JOB, PREFIX, START, World } from '../fakes/world';

let world: World;
let deps: ReapDeps;
beforeEach(() => {
  world = new World();
  world.source = { kind: 'schedule', id: 'nightly-1', tick: '2026-11-01T12:00:00Z' };
  deps = world.reaper();
});

const isOpen = async (): Promise<boolean> => (await world.store.get(bucketKeys.active(JOB))) !== 'absent';

/** Passes of the reaper until the job's marker is gone. */
async function passes(): Promise<ReapReport[]> {
  const reports: ReapReport[] = [];
  for (let i = 0; i < 50 && (await isOpen()); i++) {
    reports.push(await reap(deps));
    await world.tick();
  }
  expect(await isOpen()).toBe(false);
  return reports;
}

describe('the end of a deployed job', () => {
  test('is told by the reaper, once the agent has decided it and the VM is gone: what, why, for how much', async () => {
    world.exitCode = 3;
    await world.client(world.deps('launch function'));
    await passes();
    expect(world.told).toEqual([{ detailType: 'Job Ended', detail: expect.anything() as unknown }]);
    expect(v.parse(JobEndedSchema, world.told[0]!.detail)).toEqual(world.told[0]!.detail);
    expect(world.told[0]!.detail).toMatchObject({
      scaffold: 'default',
      job: JOB,
      id: 'nightly-1',
      kind: 'schedule',
      tick: '2026-11-01T12:00:00Z',
      outcome: 'failed',
      exitCode: 3,
      createdAt: new Date(START).toISOString(),
      bill: { estimated: false },
    });
    await reap(deps);
    expect(world.told).toHaveLength(1);
  });

  test('is told when no VM could be had', async () => {
    world.refusals = 99;
    await world.client(world.deps('launch function'));
    expect((await passes()).flatMap(({ failed }) => failed)).toEqual([JOB]);
    expect(world.told).toMatchObject([{ detailType: 'Job Ended', detail: { outcome: 'refused', exitCode: 120 } }]);
  });

  test('is told by the reaper too when a client has brought the job to its end: until then it stays among the open ones', async () => {
    await world.client(world.deps('launch function'));
    await driveToEnd(world, world.deps('client'));
    expect(world.told).toEqual([]);
    expect(await isOpen()).toBe(true);
    expect(await reap(deps)).toMatchObject({ ended: [JOB], failed: [], unproved: [] });
    expect(world.told).toHaveLength(1);
    expect(await isOpen()).toBe(false);
  });

  test('is told by a later pass when the bus does not take it: the pass fails, and says why', async () => {
    await world.client(world.deps('launch function'));
    await driveToEnd(world, world.deps('client'));
    world.deaf = 2;
    const { unproved } = await reap(deps);
    expect(unproved.map(({ what }) => what)).toEqual([`job ${JOB}`, 'event of the findings']);
    expect(await isOpen()).toBe(true);
    expect(await reap(deps)).toMatchObject({ unproved: [] });
    expect(world.told).toMatchObject([{ detailType: 'Job Ended', detail: { job: JOB } }]);
  });

  test('is told by two passes at once once at least, and by a pass that died after telling again', async () => {
    await world.client(world.deps('launch function'));
    await driveToEnd(world, world.deps('client'));
    const dies = { ...world.store, delete: () => Promise.reject(new Error('dead')) };
    await new Driver({ ...deps, store: dies }, PREFIX).step(true).catch(() => undefined);
    await Promise.all([reap(deps), reap(deps)]);
    const jobs = world.told.flatMap(({ detailType, detail }) => (detailType === 'Job Ended' ? [detail.job] : []));
    expect(jobs.length).toBeGreaterThanOrEqual(1);
    expect(new Set(jobs)).toEqual(new Set([JOB]));
    expect(await isOpen()).toBe(false);
  });

  test('names no secret: the variables of the job are not in it', async () => {
    await world.client(world.deps('launch function'));
    await passes();
    expect(JSON.stringify(world.told)).not.toMatch(/TOKEN|secret|0123456789abcdef/);
  });
});

test('the end of a job that somebody ran by hand is told to nobody, and leaves no marker', async () => {
  world.source = { kind: 'cli' };
  await world.client(world.deps('client'));
  await driveToEnd(world, world.deps('client'));
  expect(await isOpen()).toBe(false);
  await reap(deps);
  expect(world.told).toEqual([]);
});

describe('what the reaper finds', () => {
  const leave = (count: number): void => {
    for (let n = 0; n < count; n++) {
      const tags = { [TAGS.scaffold]: 'default', [TAGS.job]: 'jover', [TEMPLATE_TAG]: 'lt-1' };
      const facts = { state: 'running', vmType: 'm6a.large', zone: 'us-east-1a', launchedAt: START, tags, shownAt: 0 } as const;
      world.instances.set(`i-${n}`, { id: `i-${n}`, ...facts });
    }
  };

  test('is told pass by pass: marked, then removed; a pass that finds nothing new tells nothing', async () => {
    leave(1);
    await reap(deps);
    await reap(deps);
    world.time += 120_000;
    await reap(deps);
    await reap(deps);
    expect(world.told).toMatchObject([
      { detailType: 'Leftovers Found', detail: { scaffold: 'default', counts: { marked: 1, removed: 0 }, marked: [{ id: 'i-0' }] } },
      { detailType: 'Leftovers Found', detail: { counts: { marked: 0, removed: 1 }, removed: [{ id: 'i-0', why: 'no-open-job' }] } },
    ]);
    for (const { detail } of world.told) expect(v.parse(LeftoversFoundSchema, detail)).toEqual(detail);
  });

  test('fits into an event however much it is: all are counted, the first are named', async () => {
    leave(5_000);
    await reap(deps);
    const [event] = world.told;
    expect(event).toMatchObject({ detail: { counts: { marked: 5_000 } } });
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(64 * 1024);
  });
});
