import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { bucketKeys, encodeJson, environmentId, environmentMark } from '../../lib/contract';
import type { EnvironmentUse, Store } from '../../lib/contract';
import { deleteEnvironments, keptEnvironments } from '../../lib/runtime/environment/kept';
import { createMemoryStore } from '../../lib/store/memory';
import { scratch } from '../capture/package-fixtures';

const OWNER = 'arn:aws:iam::123456789012:user/developer';
const SECRET = 'ab'.repeat(32);
const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
const PACK = 'd'.repeat(64);

let now: number;
let store: Store;
let deps: Parameters<typeof keptEnvironments>[0];

beforeEach(async () => {
  now = Date.parse('2026-11-01T12:00:00Z');
  store = createMemoryStore({ now: () => now });
  const home = scratch();
  const cwd = path.join(home, 'project');
  mkdirSync(cwd);
  deps = { store, owner: OWNER, cwd, home };
  await store.put(bucketKeys.environmentSecret(OWNER), encodeJson({ v: 1, secret: SECRET }));
});

async function keep(key: string, change: Partial<EnvironmentUse> | 'no use' = {}): Promise<void> {
  await store.put(bucketKeys.environmentPack(`${key}/${PACK}`), Buffer.alloc(100));
  await store.put(bucketKeys.environmentLease(key), Buffer.from('{}'));
  await store.put(bucketKeys.environmentManifest(key), Buffer.alloc(10));
  if (change === 'no use') return;
  const use: EnvironmentUse = {
    v: 1,
    kind: 'python',
    platform: 'linux-x86_64',
    packages: 2,
    bytes: 500,
    storedBytes: 100,
    builtAt: now - 1_000,
    owner: environmentMark(SECRET, 'owner'),
    projects: [environmentMark(SECRET, 'project', deps.cwd)],
    packsOf: [],
    ...change,
  };
  await store.put(bucketKeys.environmentUse(key), encodeJson(use));
}

const keys = async (key: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const entry of store.list(`${bucketKeys.environments}${key}/`)) found.push(path.basename(entry.key));
  return found;
};

test('tells of each environment what its VMs have noted, the one that was used last first', async () => {
  await keep(A, { owner: 'another', kind: 'node' });
  now += 1_000;
  await keep(B);
  await keep(C, 'no use');
  const [first, second, third] = await keptEnvironments(deps);
  const common = { storedBytes: 110, usedAt: now };
  expect([first, second]).toEqual(
    expect.arrayContaining([
      {
        ...common,
        id: environmentId(B),
        kind: 'python',
        platform: 'linux-x86_64',
        packages: 2,
        bytes: 500,
        builtAt: now - 1_000,
        isYours: true,
        isHere: true,
      },
      { ...common, id: environmentId(C), builtAt: now, isYours: false, isHere: false },
    ]),
  );
  expect(third).toMatchObject({ id: environmentId(A), kind: 'node', isYours: false, isHere: false });
  expect(await keptEnvironments({ ...deps, cwd: scratch() })).toContainEqual(
    expect.objectContaining({ id: environmentId(B), isYours: true, isHere: false }),
  );
});

test('shows nothing of what is only half there, and nothing as yours where you have none', async () => {
  await keep(A);
  await store.delete(bucketKeys.environmentManifest(A));
  expect(await keptEnvironments(deps)).toEqual([]);
  await keep(B);
  expect(await keptEnvironments({ ...deps, owner: 'arn:aws:iam::123456789012:user/new' })).toMatchObject([{ isYours: false }]);
});

test('deletes manifests before anything else of any of them, and leaves leases to who holds them', async () => {
  await keep(A);
  await keep(B);
  await keep(C);
  const deleted: string[] = [];
  const watched: Pick<Store, 'list' | 'get' | 'delete'> = {
    list: (...asked) => store.list(...asked),
    get: (...asked) => store.get(...asked),
    delete: (key) => (deleted.push(key), store.delete(key)),
  };
  const done = await deleteEnvironments({ ...deps, store: watched }, [environmentId(A), environmentId(B).slice(0, 6)]);
  expect(deleted.slice(0, 2).every((key) => key.endsWith('/manifest'))).toBe(true);
  expect(done).toMatchObject({ objects: 6, keptForOthers: [] });
  expect(done.environments.map(({ id }) => id).sort()).toEqual([environmentId(A), environmentId(B)].sort());
  expect([await keys(A), await keys(B)]).toEqual([['lease'], ['lease']]);
  expect(await keys(C)).toHaveLength(4);
});

test('keeps packs that another environment names, until that goes too', async () => {
  await keep(A);
  await keep(B, { packsOf: [environmentId(A)] });
  expect(await deleteEnvironments(deps, [environmentId(A)])).toMatchObject({ keptForOthers: [environmentId(A)], objects: 2 });
  expect((await keptEnvironments(deps)).map(({ id }) => id)).toEqual([environmentId(B)]);
  expect(await keys(A)).toContain(PACK);
  expect(await deleteEnvironments(deps, [environmentId(B)])).toMatchObject({ keptForOthers: [], objects: 4 });
  expect(await keys(A)).not.toContain(PACK);
});

test('fails on what is no environment, or fits several, and deletes nothing', async () => {
  await keep(A);
  await keep(B);
  await expect(deleteEnvironments(deps, [environmentId(A), 'zz'])).rejects.toThrow("'zz' is no environment: nothing was deleted");
  expect(await keptEnvironments(deps)).toHaveLength(2);
});
