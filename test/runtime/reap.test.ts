import fc from 'fast-check';
import { bucketKeys, decodeJson, encodeJson, FindingsSchema, MarksSchema, RawcloudError, TAGS, TEMPLATE_TAG } from '../../lib/contract';
import type { Findings, Instance, Mark, Remains, Thing } from '../../lib/contract';
import type { ReapDeps } from '../../lib/runtime/reap/deps';
import { reap } from '../../lib/runtime/reap/pass';
import { JOB, START } from '../fakes/records';
import { INTERVALS, World } from '../fakes/world';

const MINUTE = 60_000;
const NOTHING = { objects: 0, bytes: 0 };

let world: World;
let deps: ReapDeps;
beforeEach(() => {
  world = new World();
  deps = world.reaper(['lt-nightly']);
});

/** A VM of our making whose job is not open. */
function leftover(id: string, tags: Record<string, string> = {}): Instance {
  const made: Instance = {
    id,
    state: 'running',
    vmType: 'm6a.large',
    zone: 'us-east-1a',
    launchedAt: START,
    tags: { [TAGS.scaffold]: 'default', [TAGS.job]: 'jover', [TEMPLATE_TAG]: 'lt-nightly', ...tags },
  };
  world.instances.set(id, { ...made, shownAt: 0 });
  return made;
}

const alive = (): string[] => world.alive().map(({ id }) => id);
const ids = (leftovers: readonly { id: string }[]): string[] => leftovers.map(({ id }) => id);

async function marks(): Promise<readonly Mark[]> {
  const found = await world.store.get(bucketKeys.reaperMarks);
  return typeof found === 'string' ? [] : decodeJson(MarksSchema, found.body, 'marks').marks;
}

async function findings(): Promise<Findings[]> {
  const all: Findings[] = [];
  for (const key of await world.keys('v1/reaper/findings/')) {
    const found = await world.store.get(key);
    if (typeof found !== 'string') all.push(decodeJson(FindingsSchema, found.body, 'findings'));
  }
  return all;
}

test('a leftover VM is marked in one pass and ended in a later one, and both are on record', async () => {
  leftover('i-left');
  const vm = { kind: 'vm', id: 'i-left', why: 'no-open-job', job: 'jover' };
  expect(await reap(deps)).toEqual({
    jobs: 0,
    ended: [],
    failed: [],
    started: [],
    marked: [vm],
    removed: [],
    cleared: [],
    waiting: 1,
    swept: NOTHING,
    unproved: [],
  });
  world.time += MINUTE - 1;
  expect(await reap(deps)).toMatchObject({ marked: [], removed: [], waiting: 1 });
  expect(alive()).toEqual(['i-left']);
  world.time += 1;
  expect(await reap(deps)).toMatchObject({ marked: [], removed: [vm], waiting: 0 });
  expect(alive()).toEqual([]);
  world.time += 5 * MINUTE;
  expect(await reap(deps)).toEqual({
    jobs: 0,
    ended: [],
    failed: [],
    started: [],
    marked: [],
    removed: [],
    cleared: [],
    waiting: 0,
    swept: NOTHING,
    unproved: [],
  });
  expect(await marks()).toEqual([]);
  // The newest first.
  expect((await findings()).map(({ marked, removed }) => [ids(marked), ids(removed)])).toEqual([
    [[], ['i-left']],
    [['i-left'], []],
  ]);
});

test('somebody else’s VM with a forged tag is said once and never touched', async () => {
  leftover('i-theirs', { [TEMPLATE_TAG]: 'lt-theirs' });
  leftover('i-tagged');
  world.instances.set('i-tagged', { ...world.instances.get('i-tagged')!, tags: { [TAGS.scaffold]: 'default', [TAGS.job]: 'jover' } });
  const first = await reap(deps);
  expect(first.marked.map(({ id, why }) => [id, why])).toEqual([
    ['i-theirs', 'foreign'],
    ['i-tagged', 'foreign'],
  ]);
  for (let pass = 0; pass < 5; pass++) {
    world.time += 60 * MINUTE;
    expect(await reap(deps)).toMatchObject({ marked: [], removed: [], waiting: 0, unproved: [] });
  }
  expect(alive()).toEqual(['i-theirs', 'i-tagged']);
});

test('a tag of an open job on somebody else’s VM does not end it with the job', async () => {
  await world.client(deps);
  leftover('i-theirs', { [TAGS.job]: JOB, [TEMPLATE_TAG]: 'lt-theirs' });
  // No agent of this world's runs on it.
  world.instances.set('i-theirs', { ...world.instances.get('i-theirs')!, state: 'stopped' });
  for (let pass = 0; pass < 30; pass++) {
    await world.tick(10_000);
    await reap(deps);
  }
  expect(await world.keys(bucketKeys.actives)).toEqual([]);
  expect(alive()).toEqual(['i-theirs']);
});

test('what comes back to life before the last look is left alone', async () => {
  leftover('i-left');
  await reap(deps);
  world.time += 5 * MINUTE;
  let looks = 0;
  const describe: ReapDeps['compute']['describe'] = async (...args) => {
    // Its job is recorded between the first and the last look.
    if (++looks === 2) await world.store.put(bucketKeys.active('jover'), encodeJson({ v: 1, job: 'jover', prefix: `v1/jobs/jover-${'0'.repeat(32)}/`, createdAt: new Date(START).toISOString(), owner: 'me' })); // prettier-ignore
    return world.compute.describe(...args);
  };
  await expect(reap({ ...deps, compute: { ...world.compute, describe } })).resolves.toMatchObject({ removed: [] });
  expect(looks).toBe(2);
  expect(alive()).toEqual(['i-left']);
});

test('volumes and interfaces of a VM that is gone go, what is in use and what nobody can tell stays', async () => {
  const tags = (job: string) => ({ [TAGS.scaffold]: 'default', [TAGS.job]: job });
  const put = (thing: Thing): void => void world.left.set(thing.id, thing);
  await world.store.put(bucketKeys.index(START, 'me', 'jover'), encodeJson({}));
  put({ kind: 'volume', id: 'vol-left', tags: tags('jover'), inUse: false, createdAt: START + 1 });
  put({ kind: 'volume', id: 'vol-used', tags: tags('jover'), inUse: true, createdAt: START + 1 });
  put({ kind: 'volume', id: 'vol-data', tags: tags('jofnobody'), inUse: false, createdAt: START + 1 });
  put({ kind: 'interface', id: 'eni-left', tags: tags('jover'), inUse: false });
  put({ kind: 'template', id: 'lt-nightly', tags: {}, inUse: false });
  put({ kind: 'group', id: 'sg-1', tags: {}, inUse: false });
  await reap(deps);
  world.time += 16 * MINUTE;
  expect(ids((await reap(deps)).removed)).toEqual(['vol-left', 'eni-left']);
  expect([...world.left.keys()]).toEqual(['vol-used', 'vol-data', 'lt-nightly', 'sg-1']);
});

test('what cannot be ended stays marked, stops nothing else and is told each time', async () => {
  ['i-1', 'i-2'].forEach((id) => leftover(id));
  await world.store.put(bucketKeys.index(START, 'me', 'jover'), encodeJson({}));
  world.left.set('vol-1', { kind: 'volume', id: 'vol-1', tags: { [TAGS.job]: 'jover' }, inUse: false });
  const failing = {
    ...deps,
    compute: { ...world.compute, terminate: () => Promise.reject(new RawcloudError('E_THROTTLED', 'slow down')) },
  };
  await reap(failing);
  for (let pass = 0; pass < 2; pass++) {
    world.time += 20 * MINUTE;
    const { removed, unproved } = await reap(failing);
    expect(ids(removed)).toEqual(pass === 0 ? ['vol-1'] : []);
    expect(unproved).toEqual(['i-1', 'i-2'].map((id) => ({ what: `vm ${id}`, error: 'slow down' })));
  }
  expect(ids((await reap(deps)).removed)).toEqual(['i-1', 'i-2']);
});

test('a kind that cannot be listed keeps its marks, and does not stop the others', async () => {
  leftover('i-1');
  await world.store.put(bucketKeys.index(START, 'me', 'jover'), encodeJson({}));
  world.left.set('vol-1', { kind: 'volume', id: 'vol-1', tags: { [TAGS.job]: 'jover' }, inUse: false });
  await reap(deps);
  const list: Remains['list'] = (kind, ...rest) =>
    kind === 'volume' ? Promise.reject(new RawcloudError('E_PERMISSION', 'not allowed')) : world.remains.list(kind, ...rest);
  world.time += 20 * MINUTE;
  const { removed, unproved } = await reap({ ...deps, remains: { ...world.remains, list } });
  expect(ids(removed)).toEqual(['i-1']);
  expect(unproved).toEqual([{ what: 'volumes', error: 'not allowed' }]);
  expect(ids((await reap(deps)).removed)).toEqual(['vol-1']);
});

test('fails, and ends nothing, when VMs or open jobs cannot be listed', async () => {
  leftover('i-1');
  await reap(deps);
  world.time += 20 * MINUTE;
  const broken = { ...world.compute, describe: () => Promise.reject(new RawcloudError('E_THROTTLED', 'slow down')) };
  await expect(reap({ ...deps, compute: broken })).rejects.toThrow('slow down');
  async function* list(): AsyncGenerator<never> {
    yield* [];
    throw new RawcloudError('E_AWS', 'out of order');
  }
  await expect(reap({ ...deps, store: { ...world.store, list } })).rejects.toThrow('out of order');
  expect(alive()).toEqual(['i-1']);
});

test('a wrong clock of the reaper changes nothing: time is the store’s', async () => {
  leftover('i-1');
  const wrong = { ...deps, clock: { ...world.clock, now: () => world.time + 400 * 86_400_000 } };
  await reap(wrong);
  expect(await reap(wrong)).toMatchObject({ removed: [], waiting: 1 });
});

test('whatever the reaper’s clock says, hours off or jumping, it ends the same at the same time, and nothing that works or is not ours', async () => {
  const HOUR = 60 * MINUTE;
  const clock = fc.integer({ min: -30 * 24 * HOUR, max: 30 * 24 * HOUR });
  const pass = fc.record({ later: fc.oneof(fc.nat(90_000), fc.nat(20 * MINUTE)), off: clock });
  await fc.assert(
    fc.asyncProperty(fc.array(pass, { minLength: 2, maxLength: 6 }), async (passes) => {
      const live = async (isOff: boolean): Promise<unknown[]> => {
        world = new World();
        world.agents = false;
        const right: ReapDeps = {
          ...deps,
          ...world.deps('reaper'),
          remains: world.remains,
          otherRegions: world.otherRegions,
          bus: world.bus,
        };
        await world.client(right);
        await world.tick();
        const [works] = alive();
        leftover('i-left');
        leftover('i-theirs', { [TEMPLATE_TAG]: 'lt-theirs' });
        const told: unknown[] = [];
        for (const { later, off } of passes) {
          world.time += later;
          const wrong = { ...right, clock: { ...world.clock, now: () => world.time + off } };
          const { marked, removed, unproved } = await reap(isOff ? wrong : right);
          expect(ids(removed)).not.toContain('i-theirs');
          expect(unproved).toEqual([]);
          told.push([ids(marked), ids(removed), alive()]);
        }
        // Its agent never speaks: it is ended when a driver may call the boot failed, and not before.
        if (world.time < START + INTERVALS.bootMs) expect(alive()).toContain(works);
        return told;
      };
      expect(await live(true)).toEqual(await live(false));
    }),
    { numRuns: 40 },
  );
});

test('throttled throughout, passes fail and end nothing, marks stay, and the first that is not throttled goes on from there', async () => {
  leftover('i-left');
  await reap(deps);
  const before = await marks();
  const slowDown = (): Promise<never> => Promise.reject(new RawcloudError('E_THROTTLED', 'slow down'));
  const compute = { ...world.compute, describe: slowDown, terminate: slowDown };
  const throttled = { ...deps, compute, remains: { list: slowDown, remove: slowDown }, otherRegions: { list: slowDown, tagged: slowDown } };
  for (let pass = 0; pass < 12; pass++) {
    world.time += 10 * MINUTE;
    await expect(reap(throttled)).rejects.toThrow('slow down');
  }
  expect([alive(), await marks()]).toEqual([['i-left'], before]);
  // Now VMs can be seen and ended, and all else still cannot.
  const { removed, unproved } = await reap({ ...throttled, compute: world.compute });
  expect(ids(removed)).toEqual(['i-left']);
  expect(unproved.map(({ what }) => what)).toEqual(['volumes', 'interfaces', 'templates', 'groups', 'regions']);
});

test('passes at the same time end a leftover once or twice, and one of them says that its marks are lost', async () => {
  leftover('i-1');
  await reap(deps);
  world.time += 5 * MINUTE;
  leftover('i-2');
  const both = await Promise.all([reap(deps), reap({ ...deps, by: 'another' })]);
  expect(alive()).toEqual(['i-2']);
  expect(both.flatMap(({ unproved }) => unproved.map(({ what }) => what))).toEqual(['marks']);
  expect(ids(await marks())).toContain('i-2');
});

test('thousands of jobs that run well cost EC2 one question', async () => {
  let asked = 0;
  const counted = {
    ...world.compute,
    describe: (...args: Parameters<typeof world.compute.describe>) => (asked++, world.compute.describe(...args)),
  };
  await world.client(deps);
  await world.tick();
  world.agents = false;
  await reap(deps);
  asked = 0;
  expect(await reap({ ...deps, compute: counted })).toMatchObject({ jobs: 1, ended: [], unproved: [] });
  expect(asked).toBe(1);
});

test('a job that nobody watches is brought to its end', async () => {
  await world.client(deps);
  for (let pass = 0; pass < 20 && (await world.keys(bucketKeys.actives)).length > 0; pass++) {
    await world.tick(MINUTE);
    expect((await reap(deps)).unproved).toEqual([]);
  }
  expect(await world.keys(bucketKeys.actives)).toEqual([]);
  expect(alive()).toEqual([]);
  expect(await findings()).toEqual([]);
});

test('marks that a newer version wrote are not touched', async () => {
  await world.store.put(bucketKeys.reaperMarks, Buffer.from(JSON.stringify({ v: 2, marks: 'otherwise' })));
  leftover('i-1');
  await expect(reap(deps)).rejects.toMatchObject({ code: 'E_NEWER' });
  expect(alive()).toEqual(['i-1']);
});
