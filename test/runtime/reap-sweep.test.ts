import fc from 'fast-check';
import {
  bucketKeys,
  decodeJson,
  encodeJson,
  jobKeys,
  RENEW_AFTER_MS,
  SWEEP_EVERY_MS,
  SweepSchema,
  UNUSED_AFTER_MS,
} from '../../lib/contract';
import type { Clock, Store, Sweep } from '../../lib/contract';
import { isKept, keepContent, lookAtSweep, settleContent } from '../../lib/store/keep';
import type { SweepSeen } from '../../lib/store/keep';
import { findEnvironment, encodeEnvironment } from '../../lib/store/environments/manifest';
import { renewEnvironment } from '../../lib/store/environments/renew';
import { createMemoryStore } from '../../lib/store/memory';
import { sha256Of } from '../../lib/store/sha256';
import { encodeTree } from '../../lib/store/tree-codec';
import { sweep } from '../../lib/runtime/reap/sweep';
import { JOB, launch, PREFIX, spec, START } from '../fakes/records';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let time: number;
let store: Store;
let clock: Clock;
beforeEach(() => {
  time = START;
  store = createMemoryStore({ now: () => time });
  clock = { now: () => time, sleep: (ms) => Promise.resolve(void (time += ms)) };
});

const pass = (over: Store = store): ReturnType<typeof sweep> => sweep({ store: over, clock, by: 'reaper' });

/** A day after the first pass of all, with content as old as is said: each is its own text. @returns the keys */
async function withContent(ages: Readonly<Record<string, number>>): Promise<(name: string) => string> {
  const now = time;
  const directory = (name: string): ((sha256: string) => string) => (name.startsWith('agent') ? bucketKeys.agent : bucketKeys.file);
  const key = (name: string): string => directory(name)(sha256Of(Buffer.from(name)));
  for (const [name, age] of Object.entries(ages)) {
    time = now - age;
    await store.put(key(name), Buffer.from(name));
  }
  time = now - SWEEP_EVERY_MS;
  await pass();
  time = now;
  return key;
}

const isThere = async (key: string): Promise<boolean> => (await store.get(key)) !== 'absent';
const record = async (): Promise<Sweep> => {
  const found = await store.get(bucketKeys.sweep);
  if (typeof found === 'string') throw new Error('there is no record');
  return decodeJson(SweepSchema, found.body, 'record');
};

test('old content that nobody names is deleted, new content stays', async () => {
  const key = await withContent({ old: UNUSED_AFTER_MS + 1000, 'agent old': UNUSED_AFTER_MS + 1000, young: UNUSED_AFTER_MS, new: 0 });
  expect(await pass()).toEqual({ swept: { objects: 2, bytes: 12 }, unproved: [] });
  expect(await Promise.all(['old', 'agent old', 'young', 'new'].map((name) => isThere(key(name))))).toEqual([false, false, true, true]);
  expect(await record()).toEqual({ v: 1, rev: 2, by: 'reaper', keys: [], more: false });
});

test('a sweep is made once a day, and never by the first pass of all', async () => {
  await store.put(bucketKeys.file('0'.repeat(64)), Buffer.from('x'));
  time += UNUSED_AFTER_MS + 1000;
  expect((await pass()).swept.objects).toBe(0);
  time += SWEEP_EVERY_MS - 1000;
  expect((await pass()).swept.objects).toBe(0);
  time += 1000;
  expect((await pass()).swept.objects).toBe(1);
});

test('whatever an open job names stays: tree, base, packs, sources, input, agent and Node', async () => {
  const key = await withContent({
    pack: 90 * DAY,
    more: 90 * DAY,
    source: 90 * DAY,
    input: 90 * DAY,
    'agent a': 90 * DAY,
    'agent n': 90 * DAY,
  });
  const ref = (name: string): { sha256: string; bytes: number } => ({ sha256: sha256Of(Buffer.from(name)), bytes: name.length });
  const base = await encodeTree({ v: 1, entries: [], packs: [ref('pack').sha256], blobs: {} });
  const baseRef = { sha256: base.sha256, bytes: base.bytes.byteLength };
  const change = await encodeTree({ v: 1, base: baseRef, removed: [], changed: [], packs: [ref('more').sha256], blobs: {} });
  time -= 90 * DAY;
  for (const { sha256, bytes } of [base, change]) await store.put(bucketKeys.file(sha256), bytes);
  time += 90 * DAY;
  const layer = { kind: 'python', key: 'k', platform: 'linux-x86_64', recipe: {}, sources: [ref('source')], notices: [] };
  const { environment } = spec();
  const asked = spec({
    environment: { ...environment, tree: { sha256: change.sha256, bytes: change.bytes.byteLength }, layers: [layer] },
    stdin: ref('input'),
  });
  await store.put(jobKeys.spec(PREFIX), encodeJson(asked));
  await store.put(jobKeys.launch(PREFIX, 0), encodeJson(launch({ agent: ref('agent a'), node: ref('agent n') })));
  const active = { v: 1, job: JOB, prefix: PREFIX, owner: 'me', host: 'here', createdAt: asked.createdAt };
  await store.put(bucketKeys.active(JOB), encodeJson(active));

  expect(await pass()).toEqual({ swept: { objects: 0, bytes: 0 }, unproved: [] });

  await store.delete(bucketKeys.active(JOB));
  time += SWEEP_EVERY_MS;
  expect((await pass()).swept.objects).toBe(8);
  expect(await isThere(key('pack'))).toBe(false);
});

test('fails to sweep anything while the content of an open job cannot be read', async () => {
  const key = await withContent({ old: 90 * DAY });
  await store.put(jobKeys.spec(PREFIX), encodeJson(spec()));
  const active = { v: 1, job: JOB, prefix: PREFIX, owner: 'me', host: 'here', createdAt: new Date(START).toISOString() };
  await store.put(bucketKeys.active(JOB), encodeJson(active));
  const { swept, unproved } = await pass();
  expect(swept.objects).toBe(0);
  expect(unproved).toMatchObject([{ what: 'content', error: expect.stringContaining('not in the bucket') as string }]);
  expect(await isThere(key('old'))).toBe(true);
  expect((await record()).keys).toEqual([]);
});

test('fails for what cannot be deleted, and deletes the rest', async () => {
  const key = await withContent({ stuck: 90 * DAY, old: 90 * DAY });
  const refusing: Store = {
    ...store,
    delete: (one, options) => (one === key('stuck') ? Promise.reject(new Error('no')) : store.delete(one, options)),
  };
  const { swept, unproved } = await pass(refusing);
  expect(swept.objects).toBe(1);
  expect(unproved).toMatchObject([{ error: 'no' }]);
  expect(await isThere(key('old'))).toBe(false);
  // Tried again the next time.
  time += SWEEP_EVERY_MS;
  expect((await pass()).swept.objects).toBe(1);
});

test('a sweep that was killed is taken over, but not at once', async () => {
  const key = await withContent({ old: 90 * DAY });
  const killed: Store = { ...store, get: (one, options) => (one === key('old') ? new Promise(() => undefined) : store.get(one, options)) };
  void pass(killed);
  while ((await record()).keys.length === 0) await Promise.resolve();
  expect((await pass()).swept.objects).toBe(0);
  time += 10 * MINUTE;
  expect(await pass()).toEqual({ swept: { objects: 1, bytes: 3 }, unproved: [] });
  expect(await isThere(key('old'))).toBe(false);
});

test('a sweep that was put to sleep deletes nothing when it wakes', async () => {
  const key = await withContent({ old: 90 * DAY });
  const sleepy: Store = {
    ...store,
    get: async (one, options) => {
      const found = await store.get(one, options);
      if (one === key('old')) time += 60 * MINUTE;
      return found;
    },
  };
  expect(await pass(sleepy)).toMatchObject({ swept: { objects: 0 }, unproved: [{ error: expect.stringContaining('longer') as string }] });
  expect(await isThere(key('old'))).toBe(true);
});

test('a look at old content makes it new, and a look at other content does not', async () => {
  const key = await withContent({ old: RENEW_AFTER_MS, young: RENEW_AFTER_MS - 1000 });
  const modified = async (name: string): Promise<number> => {
    const found = await store.get(key(name));
    return typeof found === 'string' ? NaN : time - found.modified;
  };
  expect(await Promise.all([isKept(store, key('old')), isKept(store, key('young')), isKept(store, key('none'))])).toEqual([
    true,
    true,
    false,
  ]);
  expect(await Promise.all([modified('old'), modified('young')])).toEqual([0, RENEW_AFTER_MS - 1000]);
});

test('content that was there and cannot be made new is sent again', async () => {
  const key = await withContent({ huge: 90 * DAY });
  const unwilling: Store = { ...store, renew: () => Promise.resolve(false) };
  expect(await keepContent(unwilling, key('huge'), Buffer.from('huge'))).toBe(true);
  expect(await keepContent(unwilling, key('huge'), Buffer.from('huge'))).toBe(false);
});

test('fails for whoever needs content that a reaper began to delete and never ended', async () => {
  const key = await withContent({ old: 90 * DAY });
  await store.put(bucketKeys.sweep, encodeJson({ v: 1, rev: 9, by: 'reaper', keys: [key('old')], more: false }));
  await expect(settleContent({ store, clock }, { rev: 9, keys: [] }, new Set([key('old')]))).rejects.toMatchObject({
    code: 'E_RECORD',
    retryable: true,
  });
  // Others do not wait.
  const before = time;
  expect(await settleContent({ store, clock }, { rev: 9, keys: [] }, new Set([key('other')]))).toEqual([]);
  expect(time).toBe(before);
});

test('whatever comes in between, content that a client has named is there', async () => {
  const ages = fc.constantFrom(0, RENEW_AFTER_MS - 1000, RENEW_AFTER_MS, 40 * DAY, UNUSED_AFTER_MS + 1000, 90 * DAY, undefined);
  const content = fc.record({ age: ages, wanted: fc.boolean(), sends: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(content, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 2 }),
      async (s, drawn, passes) => {
        time = START;
        store = createMemoryStore({ now: () => time });
        const names = drawn.map((_, n) => `content ${n}`);
        const ofAge = drawn.flatMap(({ age }, n) => (age === undefined ? [] : [[names[n]!, age] as const]));
        const key = await withContent(Object.fromEntries(ofAge));
        const turn = (what: string): Promise<string> => s.schedule(Promise.resolve(what), what);
        const slow = turnByTurn(store, turn);
        const still: Clock = { now: () => time, sleep: async () => void (await turn('sleep')) };
        const client = async (): Promise<void> => {
          const wanted = drawn.flatMap(({ wanted: is, sends }, n) => (is ? [{ name: names[n]!, sends }] : []));
          const keys = new Set(wanted.map(({ name }) => key(name)));
          let before: SweepSeen;
          do {
            before = await lookAtSweep(slow);
            for (const { name, sends } of wanted) {
              if (sends || !(await isKept(slow, key(name)))) await keepContent(slow, key(name), Buffer.from(name));
            }
          } while ((await settleContent({ store: slow, clock: still }, before, keys)).length > 0);
        };
        const reapers = Array.from({ length: passes }, () => sweep({ store: slow, clock: still, by: 'reaper' }));
        await s.waitFor(Promise.all([client(), ...reapers]));
        for (const [n, { wanted }] of drawn.entries())
          if (wanted) expect([names[n], await isThere(key(names[n]!))]).toEqual([names[n], true]);
      },
    ),
    { numRuns: 300 },
  );
});

test('an environment that is used at least once a month stays whole, and one that nobody uses goes', async () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 31 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(gaps, fc.integer({ min: 0, max: 13 }), async (days, packAge) => {
      time = START;
      store = createMemoryStore({ now: () => time });
      const key = 'a'.repeat(64);
      const pack = `${key}/${'b'.repeat(64)}`;
      const environment = { v: 1 as const, kind: 'python', directory: '/d', packs: [{ name: pack, bytes: 1 }], parts: [] };
      await pass();
      await store.put(bucketKeys.environmentPack(pack), Buffer.from('x'));
      // A pack of an earlier environment was looked at before the manifest named it.
      time += packAge * DAY;
      await store.put(bucketKeys.environmentManifest(key), await encodeEnvironment(environment));
      for (const gap of days) {
        for (const end = time + gap * DAY; time < end; time += DAY) await pass();
        const found = await findEnvironment(store, key);
        expect([found?.environment, await isThere(bucketKeys.environmentPack(pack))]).toEqual([environment, true]);
        if (found!.ageMs < RENEW_AFTER_MS) continue;
        expect(await renewEnvironment(store, key, environment)).toBe(true);
      }
      for (let day = 0; day < 62 + 14; day++, time += DAY) await pass();
      const left: string[] = [];
      for await (const entry of store.list(bucketKeys.environments)) left.push(entry.key);
      expect(left).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

/** A store whose every request waits for its turn, and whose every answer does. */
function turnByTurn(inner: Store, turn: (what: string) => Promise<string>): Store {
  const through = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    await turn(what);
    const answer = await call();
    await turn(`answer of ${what}`);
    return answer;
  };
  return {
    ...inner,
    get: (key, options) => through(`get ${key}`, () => inner.get(key, options)),
    put: (key, body, options) => through(`put ${key}`, () => inner.put(key, body, options)),
    delete: (key, options) => through(`delete ${key}`, () => inner.delete(key, options)),
    renew: (key, options) => through(`renew ${key}`, () => inner.renew(key, options)),
    async *list(prefix, options) {
      await turn(`list ${prefix}`);
      yield* inner.list(prefix, options);
    },
  };
}
