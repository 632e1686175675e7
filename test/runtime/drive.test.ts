import fc from 'fast-check';
import { bucketKeys, decodeJson, EndSchema, jobKeys, OutcomeSchema } from '../../lib/contract';
import type { End, Outcome } from '../../lib/contract';
import { updateControl } from '../../lib/runtime/control';
import { Driver } from '../../lib/runtime/drive/driver';
import { ABANDONED_MS } from '../../lib/runtime/advance/advance';
import { inAnyOrder } from '../fakes/any-order';
import { Crash, crashing, driveToEnd, JOB, PREFIX, START, World } from '../fakes/world';

async function outcomeOf(world: World): Promise<Outcome> {
  const found = await world.store.get(jobKeys.outcome(PREFIX));
  if (typeof found === 'string') throw new Error('no outcome');
  return decodeJson(OutcomeSchema, found.body, 'outcome');
}

async function endOf(world: World): Promise<End> {
  const found = await world.store.get(jobKeys.end(PREFIX));
  if (typeof found === 'string') throw new Error('no end');
  return decodeJson(EndSchema, found.body, 'end');
}

/** What must hold whatever happened. */
async function expectClean(world: World): Promise<void> {
  expect(world.alive()).toEqual([]);
  expect(world.launches).toBeLessThanOrEqual(1);
  const left = (await world.keys()).filter(
    (key) => key.startsWith('v1/private/') || key.startsWith('v1/sealed/') || key.startsWith('v1/active/'),
  );
  expect(left).toEqual([]);
}

/** How many calls a client makes until the VM is launched and granted. */
async function callsOfAClient(): Promise<number> {
  const world = new World();
  const counted = crashing(world.deps('client'), Number.MAX_SAFE_INTEGER, 'before');
  await world.client(counted);
  return counted.calls();
}

describe('a job with drivers', () => {
  test('comes to its end, with its own exit code and a bill', async () => {
    const world = new World();
    world.exitCode = 7;
    await world.client(world.deps('client'));
    await driveToEnd(world, world.deps('client'));
    expect(await outcomeOf(world)).toMatchObject({ outcome: 'failed', exitCode: 7 });
    expect((await endOf(world)).bill.usd).toBeGreaterThan(0);
    await expectClean(world);
  });

  test('comes to a recorded end when its client dies at any call, before or after it, and never has two VMs', async () => {
    const calls = await callsOfAClient();
    expect(calls).toBeGreaterThan(10);
    for (let at = 1; at <= calls; at++) {
      for (const when of ['before', 'after'] as const) {
        const world = new World();
        await expect(world.client(crashing(world.deps('client'), at, when))).rejects.toThrow(Crash);
        const recorded = (await world.store.get(bucketKeys.active(JOB))) !== 'absent';
        if (!recorded) {
          expect(await world.keys()).toEqual([]);
          continue;
        }
        await driveToEnd(world, world.deps('reaper'));
        await expectClean(world);
        expect(['ok', 'refused']).toContain((await outcomeOf(world)).outcome);
        if (world.launches === 1) expect(await outcomeOf(world)).toMatchObject({ outcome: 'ok', exitCode: 0 });
      }
    }
  });

  test('is done once by drivers that act at the same time, in whatever order their calls are served', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 50_000 }), async (s, refusals, lagMs) => {
        const world = new World();
        world.refusals = refusals;
        world.lagMs = lagMs;
        const deps = (by: string) => world.deps(by, { store: inAnyOrder(s, world.store), compute: inAnyOrder(s, world.compute) });
        await world.client(world.deps('client')).catch(() => undefined);
        for (let i = 0; i < 12; i++) {
          const steps = ['client', 'reaper', 'lambda'].map((by) => new Driver(deps(by), PREFIX).step(true));
          await s.waitFor(Promise.all(steps));
          await world.tick(30_000);
        }
        expect((await endOf(world)).vms.length).toBeLessThanOrEqual(1);
        await expectClean(world);
      }),
      { numRuns: 25 },
    );
  });

  test('goes on to the next offer when the first has no capacity, and records why', async () => {
    const world = new World();
    world.refusals = 1;
    await world.client(world.deps('client'));
    await driveToEnd(world, world.deps('client'));
    expect([...world.instances.values()].map((i) => i.zone)).toEqual(['us-east-1b']);
    await expectClean(world);
  });

  test('is refused with what was tried when no offer has capacity', async () => {
    const world = new World();
    world.refusals = 2;
    await world.client(world.deps('client'));
    await driveToEnd(world, world.deps('client'));
    expect(await outcomeOf(world)).toMatchObject({
      outcome: 'refused',
      reason: 'capacity',
      exitCode: 120,
      message: expect.stringContaining('us-east-1b') as string,
    });
    expect(world.launches).toBe(0);
  });

  test('is lost, and its VM ended, when the agent never speaks', async () => {
    const world = new World();
    world.agents = false;
    await world.client(world.deps('client'));
    await driveToEnd(world, world.deps('reaper'));
    expect(await outcomeOf(world)).toMatchObject({ outcome: 'lost', reason: 'boot-failed', exitCode: 121 });
    await expectClean(world);
  });

  test('is stopped before a VM does anything when the word comes early, without waiting for the agent', async () => {
    const world = new World();
    world.agents = false;
    await world.client(world.deps('client'));
    await updateControl(world.store, PREFIX, (c, now) => ({ ...c, stop: { at: now, by: 'me' } }));
    await driveToEnd(world, world.deps('client'), 60_000);
    expect(await outcomeOf(world)).toMatchObject({ outcome: 'stopped', exitCode: 130 });
    await expectClean(world);
  });

  test('whose client died between record and launch, and which is then stopped, launches nothing', async () => {
    const world = new World();
    const calls = await callsOfAClient();
    let at = 1;
    // The last crash before RunInstances was called.
    for (; at <= calls; at++) {
      const probe = new World();
      await probe.client(crashing(probe.deps('client'), at, 'before')).catch(() => undefined);
      if (probe.launches > 0) break;
    }
    await world.client(crashing(world.deps('client'), at - 1, 'before')).catch(() => undefined);
    await updateControl(world.store, PREFIX, (c, now) => ({ ...c, stop: { at: now, by: 'me' } }));
    await driveToEnd(world, world.deps('reaper'));
    expect(await outcomeOf(world)).toMatchObject({ outcome: 'stopped' });
    expect(world.launches).toBe(0);
    await expectClean(world);
  });

  test('that was never more than an active marker is refused as abandoned', async () => {
    const world = new World();
    await world.client(crashing(world.deps('client'), 1, 'after')).catch(() => undefined);
    await driveToEnd(world, world.deps('reaper'));
    expect(await outcomeOf(world)).toMatchObject({ outcome: 'refused', reason: 'abandoned' });
    expect(world.time - START).toBeGreaterThanOrEqual(ABANDONED_MS);
    await expectClean(world);
  });
});
