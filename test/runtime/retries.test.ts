import fc from 'fast-check';
import { decodeJson, GrantSchema, bucketKeys, jobKeys, LaunchSchema, OutcomeSchema, vmUserId } from '../../lib/contract';
import type { Launch, Outcome } from '../../lib/contract';
import { Driver } from '../../lib/runtime/drive/driver';
import { updateControl } from '../../lib/runtime/control';
import { inAnyOrder } from '../fakes/any-order';
import { ROLE_ID } from '../fakes/records';
import { driveToEnd, PREFIX, World } from '../fakes/world';
import type { Fate } from '../fakes/world';

async function outcomeOf(world: World): Promise<Outcome> {
  const found = await world.store.get(jobKeys.outcome(PREFIX));
  if (typeof found === 'string') throw new Error('no outcome');
  return decodeJson(OutcomeSchema, found.body, 'outcome');
}

async function launchOf(world: World, n: number): Promise<Launch> {
  const found = await world.store.get(jobKeys.launch(PREFIX, n));
  if (typeof found === 'string') throw new Error(`no launch ${n}`);
  return decodeJson(LaunchSchema, found.body, 'launch');
}

function worldOf(retries: number, fates: readonly Fate[]): World {
  const world = new World();
  world.retries = retries;
  world.fates = fates;
  return world;
}

async function live(world: World): Promise<Outcome> {
  await world.client(world.deps('client'));
  await driveToEnd(world, world.deps('client'));
  expect(world.alive()).toEqual([]);
  return outcomeOf(world);
}

describe('a job whose VM is lost', () => {
  test.each(['interrupted', 'vanished', 'silent'] as const)('(%s) is done by a new VM when it may be tried again', async (fate) => {
    const world = worldOf(1, [fate]);
    expect(await live(world)).toMatchObject({ outcome: 'ok', exitCode: 0 });
    expect(world.launches).toBe(2);
    expect(await launchOf(world, 1)).toMatchObject({ attempt: 1, reason: expect.stringMatching(/VM i-0/) as string });
  });

  test.each([
    ['interrupted', 'interrupted', /EC2 took the spot VM i-\d+ back/],
    ['vanished', 'vm-lost', /went away while the job was on it/],
    ['silent', 'vm-lost', /has not been heard of/],
  ] as const)('(%s) is lost when nobody may try again, with the option that would', async (fate, reason, message) => {
    const world = worldOf(0, [fate]);
    const outcome = await live(world);
    expect(outcome).toMatchObject({ outcome: 'lost', reason, exitCode: 123, remedy: expect.stringContaining('--retries N') as string });
    expect(outcome.message).toMatch(message);
    expect(world.launches).toBe(1);
  });

  test('takes another pool than the one that was taken back, and comes back to it last', async () => {
    const world = worldOf(1, ['interrupted']);
    await live(world);
    const zones = async (n: number): Promise<unknown[]> =>
      [(await launchOf(world, n)).offer, ...(await launchOf(world, n)).rest].map((o) => o.zone);
    expect(await zones(0)).toEqual(['us-east-1a', 'us-east-1b']);
    expect(await zones(1)).toEqual(['us-east-1b', 'us-east-1a']);
  });

  test('hands the new VM its try, so that it may claim what the lost one had', async () => {
    const world = worldOf(1, ['vanished']);
    await world.client(world.deps('client'));
    const grants: number[] = [];
    while (grants.length < 2) {
      await new Driver(world.deps('client'), PREFIX).step(true);
      for (const id of world.instances.keys()) {
        const found = await world.store.get(bucketKeys.grant(vmUserId(ROLE_ID, id)));
        if (typeof found !== 'string') grants.push(decodeJson(GrantSchema, found.body, 'grant').attempt ?? -1);
      }
      await world.tick();
      await world.tick();
    }
    expect(grants).toEqual([0, 1]);
  });

  test('is stopped, not tried again, when a stop was asked for', async () => {
    const world = worldOf(3, ['vanished']);
    await world.client(world.deps('client'));
    await updateControl(world.store, PREFIX, (c, now) => ({ ...c, stop: { at: now, by: 'me' } }));
    await driveToEnd(world, world.deps('client'));
    expect(await outcomeOf(world)).toMatchObject({ outcome: 'stopped', exitCode: 130 });
    expect(world.launches).toBe(1);
  });

  test('never has more VMs than tries, and two at once only while the old one is being ended, whoever drives', async () => {
    const fate = fc.constantFrom<Fate>('interrupted', 'vanished', 'silent');
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat({ max: 3 }), fc.array(fate, { maxLength: 4 }), async (s, retries, fates) => {
        const world = worldOf(retries, fates);
        const deps = (by: string) => world.deps(by, { store: inAnyOrder(s, world.store), compute: inAnyOrder(s, world.compute) });
        await world.client(world.deps('client'));
        for (let i = 0; i < 60 && (await new Driver(world.deps('look'), PREFIX).look(true)).state !== 'ended'; i++) {
          const steps = ['client', 'reaper'].map((by) => new Driver(deps(by), PREFIX).step(true));
          await s.waitFor(Promise.all(steps));
          expect(world.alive().length).toBeLessThanOrEqual(1);
          await world.tick(30_000);
        }
        const isDone = fates.length <= retries;
        expect(world.launches).toBe(Math.min(fates.length, retries) + 1);
        expect(await outcomeOf(world)).toMatchObject({ outcome: isDone ? 'ok' : 'lost' });
        expect(world.alive()).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
