import { bucketKeys, decodeJson, FindingsSchema, MarksSchema, RawcloudError, TAGS } from '../../lib/contract';
import type { Elsewhere, Instance, Leftover, Thing } from '../../lib/contract';
import type { ReapDeps } from '../../lib/runtime/reap/deps';
import { reap } from '../../lib/runtime/reap/pass';
import { START } from '../fakes/records';
import { World } from '../fakes/world';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let world: World;
let deps: ReapDeps;
beforeEach(() => {
  world = new World();
  for (const region of ['eu-west-1', 'eu-north-1', 'us-west-2']) world.elsewhere.set(region, []);
  deps = world.reaper();
});

const tags = { [TAGS.scaffold]: 'default', [TAGS.job]: 'jgone' };
const thing = (kind: Thing['kind'], id: string, over: Partial<Thing> = {}): Thing => ({ kind, id, tags, inUse: false, ...over });
const told = (kind: Thing['kind'], id: string, region: string): Leftover => ({ kind, id, why: 'elsewhere', region, job: 'jgone' });

async function known(): Promise<Elsewhere | undefined> {
  const found = await world.store.get(bucketKeys.reaperMarks);
  return typeof found === 'string' ? undefined : decodeJson(MarksSchema, found.body, 'marks').elsewhere;
}

test('what carries the tag elsewhere is said once, on record and on the bus, and touched by no pass however late', async () => {
  world.elsewhere.set('eu-west-1', [thing('vm', 'i-1'), thing('volume', 'vol-its', { inUse: true }), thing('template', 'lt-1')]);
  world.elsewhere.set('us-west-2', [thing('volume', 'vol-1'), thing('interface', 'eni-1')]);
  const found = [told('vm', 'i-1', 'eu-west-1'), told('volume', 'vol-1', 'us-west-2'), told('interface', 'eni-1', 'us-west-2')];
  expect(await reap(deps)).toMatchObject({ marked: found, removed: [], waiting: 0, unproved: [] });
  expect(world.told).toMatchObject([{ detailType: 'Leftovers Found', detail: { counts: { marked: 3, removed: 0 }, marked: found } }]);
  const [key] = await world.keys('v1/reaper/findings/');
  const record = await world.store.get(key!);
  expect(typeof record === 'string' ? undefined : decodeJson(FindingsSchema, record.body, 'findings').marked).toEqual(found);
  for (let pass = 0; pass < 5; pass++) {
    world.time += 20 * HOUR;
    expect(await reap(deps)).toMatchObject({ marked: [], removed: [], cleared: [], waiting: 0, unproved: [] });
  }
  expect(world.told).toHaveLength(1);
});

test('what is new is said, and what came back after it was gone', async () => {
  const pass = async (there: Thing[]): Promise<readonly Leftover[]> => {
    world.elsewhere.set('eu-west-1', there);
    world.time += HOUR;
    return (await reap(deps)).marked;
  };
  expect(await pass([thing('vm', 'i-1')])).toEqual([told('vm', 'i-1', 'eu-west-1')]);
  expect(await pass([thing('vm', 'i-1'), thing('vm', 'i-2')])).toEqual([told('vm', 'i-2', 'eu-west-1')]);
  expect(await pass([thing('vm', 'i-2')])).toEqual([]);
  expect(await pass([thing('vm', 'i-1'), thing('vm', 'i-2')])).toEqual([told('vm', 'i-1', 'eu-west-1')]);
});

test('other regions are asked once an hour, by the pass that writes the marks anyway', async () => {
  let writes = 0;
  const put: typeof world.store.put = (key, ...rest) => {
    if (key === bucketKeys.reaperMarks) writes += 1;
    return world.store.put(key, ...rest);
  };
  const counted = { ...deps, store: { ...world.store, put } };
  await reap(counted);
  [writes, world.asked.length] = [0, 0];
  for (let pass = 0; pass < 36; pass++) {
    world.time += 5 * MINUTE;
    await reap(counted);
  }
  expect(world.asked).toHaveLength(3 * 3);
  expect(writes).toBe(3);
});

test('a region that cannot be asked is unproved, stops no other, and is asked again by the next pass, alone', async () => {
  world.elsewhere.set('eu-north-1', [thing('vm', 'i-2')]);
  await reap(deps);
  world.elsewhere.set('eu-west-1', [thing('vm', 'i-1')]);
  world.elsewhere.set('eu-north-1', new RawcloudError('E_PERMISSION', 'a service control policy says no'));
  world.time += HOUR;
  const closed = { what: 'region eu-north-1', error: 'a service control policy says no' };
  expect(await reap(deps)).toMatchObject({ marked: [told('vm', 'i-1', 'eu-west-1')], unproved: [closed] });
  world.asked.length = 0;
  for (let pass = 0; pass < 2; pass++) {
    world.time += 5 * MINUTE;
    expect(await reap(deps)).toMatchObject({ marked: [], unproved: [closed] });
  }
  expect(world.asked).toEqual(['eu-north-1', 'eu-north-1']);
  // What was known of it stood meanwhile.
  world.elsewhere.set('eu-north-1', [thing('vm', 'i-2'), thing('vm', 'i-3')]);
  expect(await reap(deps)).toMatchObject({ marked: [told('vm', 'i-3', 'eu-north-1')], unproved: [] });
  expect((await known())!.found.map(({ id }) => id).sort()).toEqual(['i-1', 'i-2', 'i-3']);
});

test('leftovers here are ended though no region can be named or asked, and the pass says so until one can', async () => {
  const vm: Instance = { id: 'i-left', state: 'running', vmType: 'm6a.large', zone: 'us-east-1a', launchedAt: START, tags: {} };
  world.instances.set('i-left', { ...vm, tags: { ...tags, 'aws:ec2launchtemplate:id': 'lt-1' }, shownAt: 0 });
  const mute = { ...deps, otherRegions: { ...world.otherRegions, list: () => Promise.reject(new Error('throttled')) } };
  const failed = [{ what: 'regions', error: 'throttled' }];
  expect(await reap(mute)).toMatchObject({ marked: [{ id: 'i-left' }], unproved: failed });
  world.time += 2 * MINUTE;
  expect(await reap(mute)).toMatchObject({ removed: [{ id: 'i-left' }], unproved: failed });
  expect(world.alive()).toEqual([]);
  expect(await reap(deps)).toMatchObject({ unproved: [] });
});

test('only the regions that the scaffolding names are asked, where it names some, and what was found in others is forgotten', async () => {
  world.elsewhere.set('eu-west-1', [thing('vm', 'i-1')]);
  world.elsewhere.set('us-west-2', [thing('vm', 'i-2')]);
  await reap(deps);
  world.asked.length = 0;
  world.time += HOUR;
  await reap({ ...deps, scaffold: { ...deps.scaffold, watchedRegions: ['us-west-2'] } });
  expect(world.asked).toEqual(['us-west-2']);
  expect((await known())!.found.map(({ id }) => id)).toEqual(['i-2']);
  world.time += HOUR;
  await reap({ ...deps, scaffold: { ...deps.scaffold, watchedRegions: [] } });
  expect(world.asked).toEqual(['us-west-2']);
});
