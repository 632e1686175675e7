import { RawcloudError } from '../../lib/contract';
import type { Clock, RawcloudEvent, Store } from '../../lib/contract';
import { Driver } from '../../lib/runtime/drive/driver';
import { DEFAULT_PACE } from '../../lib/runtime/observe/pace';
import { watch } from '../../lib/runtime/observe/watch';
import { PREFIX, START, World } from '../fakes/world';

/** A world whose VMs go on while the watcher sleeps. */
function ticking(world: World): Clock {
  return { now: () => world.time, sleep: (ms) => world.tick(ms) };
}

/** Throws from every call between two times. */
function troubled(world: World, store: Store, from: number, to: number, error: () => Error): Store {
  return new Proxy(store, {
    get(object, name, receiver): unknown {
      const member: unknown = Reflect.get(object, name, receiver);
      if (typeof member !== 'function' || name === 'list') return member;
      return async (...args: unknown[]): Promise<unknown> => {
        if (world.time >= from && world.time < to) throw error();
        return Reflect.apply(member, object, args) as unknown;
      };
    },
  });
}

const throttled = (): Error => new RawcloudError('E_THROTTLED', 'the bucket is throttled', { retryable: true });

async function watched(world: World, store: Store = world.store, clock = ticking(world)): Promise<RawcloudEvent[]> {
  const deps = { ...world.deps('client', { store }), clock };
  const events: RawcloudEvent[] = [];
  for await (const event of watch(new Driver(deps, PREFIX), deps, { pace: DEFAULT_PACE })) events.push(event);
  return events;
}

test('a bucket that throttles for a minute is waited for, and said so once', async () => {
  const world = new World();
  world.exitCode = 7;
  await world.client(world.deps('client'));
  const events = await watched(world, troubled(world, world.store, START, START + 60_000, throttled));
  expect(world.time - START).toBeGreaterThanOrEqual(60_000);
  expect(events.filter((e) => e.type === 'notice')).toHaveLength(1);
  expect(events.find((e) => e.type === 'job.outcome')?.data).toMatchObject({ outcome: 'failed', exitCode: 7 });
  expect(world.launches).toBe(1);
});

test('fails when it throttles for longer than anybody would wait, and leaves the job to others', async () => {
  const world = new World();
  await world.client(world.deps('client'));
  await expect(watched(world, troubled(world, world.store, START, START + 3_600_000, throttled))).rejects.toThrow(/throttled/);
  expect(world.time - START).toBeGreaterThan(5 * 60_000);
  expect(world.time - START).toBeLessThan(10 * 60_000);
});

test('a laptop that slept for an hour finds the job ended, by what others have recorded', async () => {
  const world = new World();
  world.exitCode = 3;
  await world.client(world.deps('client'));
  let slept = false;
  const clock: Clock = {
    now: () => world.time,
    sleep: async (ms) => {
      await world.tick(ms);
      if (slept) return;
      slept = true;
      for (let minute = 0; minute < 60; minute++) {
        await world.tick(60_000);
        await new Driver(world.deps('reaper'), PREFIX).step(true);
      }
    },
  };
  const events = await watched(world, world.store, clock);
  expect(events.find((e) => e.type === 'job.outcome')?.data).toMatchObject({ exitCode: 3 });
  const bill = events.find((e) => e.type === 'bill');
  expect(bill?.data).toMatchObject({ estimated: false });
  expect(events.at(-1)).toBe(bill);
});
