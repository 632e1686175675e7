import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { bucketKeys } from '../../lib/contract';
import type { Ref, Store } from '../../lib/contract';
import { createMemoryStore } from '../../lib/store/memory';
import { fetchRef } from '../../lib/store/ref';
import { restoreTree } from '../../lib/store/restore';
import { decodeTree, encodeTree } from '../../lib/store/tree-codec';
import { syncTree } from '../../lib/runtime/sync/sync';
import type { Synced, SyncOptions } from '../../lib/runtime/sync/sync';
import { withDirectory, writeTree } from '../capture/trees';
import { readAll } from '../store/trees';

/** Later than any file of a test was written: its times are settled. */
const LATER_MS = Date.now() + 3_600_000;

interface Place {
  readonly base: string;
  readonly root: string;
  readonly store: Store;
  readonly sync: (options?: Partial<SyncOptions>) => Promise<Synced>;
  readonly isChange: (tree: Ref) => Promise<boolean>;
  readonly restore: (synced: Synced) => Promise<Record<string, string>>;
}

/** A tree of 200 files unless told otherwise, synchronized once. */
const inPlace =
  (body: (place: Place) => Promise<void>, files = 200) =>
  () =>
    withDirectory(async (base) => {
      const root = path.join(base, 'root');
      const store = createMemoryStore({ now: () => LATER_MS });
      const common = { store, root, home: base, env: {}, now: () => LATER_MS };
      const caches = { cacheFile: path.join(base, 'cache', 'b.jsonl'), treeCacheDirectory: path.join(base, 'cache', 'trees') };
      const sync: Place['sync'] = (options = {}) => syncTree({ ...common, ...caches, ...options });
      const isChange: Place['isChange'] = async (tree) => 'base' in (await decodeTree(await fetchRef(store, tree)));
      const restore: Place['restore'] = async (synced) => {
        const directory = path.join(base, `restored-${readdirSync(base).length}`);
        await restoreTree({ store, ref: synced.tree, directory });
        return readAll(directory);
      };
      mkdirSync(root);
      writeTree(root, Object.fromEntries(Array.from({ length: files }, (_, at) => [`d${at % 7}/f${at}`, `content ${at}`])));
      await sync();
      await body({ base, root, store, sync, isChange, restore });
    });

test(
  'one changed file sends itself and a few hundred bytes, in few requests',
  inPlace(async ({ root, store, sync, isChange, restore }) => {
    const content = randomBytes(5000);
    writeFileSync(path.join(root, 'd1/f1'), content);
    let sent = 0;
    const before = store.requests.put + store.requests.get;
    const counting: Store = { ...store, put: (key, body, options) => ((sent += body.byteLength), store.put(key, body, options)) };
    const synced = await sync({ store: counting });
    expect(store.requests.put + store.requests.get - before).toBeLessThanOrEqual(5);
    expect(sent).toBeLessThan(5000 + 600);
    expect(await isChange(synced.tree)).toBe(true);
    expect((await restore(synced))['d1/f1']).toBe(`file ${content.toString('latin1')}`);
  }),
);

test(
  'an unchanged tree keeps its manifest, whatever was changed before',
  inPlace(async ({ root, sync }) => {
    writeTree(root, { 'd1/f1': 'new' });
    const changed = await sync();
    const again = await sync();
    expect(again).toMatchObject({ tree: changed.tree, uploadedObjects: 0, newBytes: 0 });
  }),
);

test(
  'a large change is a manifest of its own',
  inPlace(async ({ root, sync, isChange, restore }) => {
    for (let at = 0; at < 100; at++) writeTree(root, { [`d${at % 7}/f${at}`]: `other ${at}` });
    const synced = await sync();
    expect(await isChange(synced.tree)).toBe(false);
    expect(await restore(synced)).toEqual(readAll(root));
  }),
);

const edit = fc.record({
  kind: fc.constantFrom('write', 'write', 'remove', 'link', 'directory', 'executable'),
  at: fc.nat(50),
});

test('what is restored is the tree, after any edits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(edit, { maxLength: 6 }), { minLength: 1, maxLength: 4 }), (rounds) =>
      inPlace(async ({ root, sync, restore }) => {
        for (const [round, edits] of rounds.entries()) {
          for (const { kind, at } of edits) apply(root, kind, `d${at % 7}/f${at}`, `${round} ${at}`);
          expect(await restore(await sync())).toEqual(readAll(root));
        }
      }, 40)(),
    ),
    { numRuns: 15 },
  );
});

function apply(root: string, kind: string, name: string, content: string): void {
  rmSync(path.join(root, name), { recursive: true, force: true });
  if (kind === 'write') writeTree(root, { [name]: content });
  if (kind === 'link') writeTree(root, { [name]: { link: content } });
  if (kind === 'directory') writeTree(root, { [`${name}/inner`]: content });
  if (kind === 'executable') writeTree(root, { [name]: { executable: content } });
}

test(
  'a base that has gone from the bucket is not built on',
  inPlace(async ({ root, store, sync, restore }) => {
    for await (const { key } of store.list('')) await store.delete(key);
    writeTree(root, { 'd1/f1': 'new' });
    expect(await restore(await sync())).toEqual(readAll(root));
  }),
);

test(
  'a pack of the base that went is noticed after 24 hours, and its content sent anew',
  inPlace(async ({ root, store, sync, restore }) => {
    const first = await sync();
    writeTree(root, { 'd1/f1': 'newer, so that another object is looked for' });
    await sync();
    await store.delete(bucketKeys.file(first.objects[0]!));
    const repaired = await sync({ now: () => LATER_MS + 25 * 3_600_000 });
    expect(await restore(repaired)).toEqual(readAll(root));
  }),
);

test(
  'fails when a manifest changes one that is itself a change',
  inPlace(async ({ base, root, store, sync }) => {
    writeTree(root, { 'd1/f1': 'new' });
    const { tree } = await sync();
    const { bytes, sha256 } = await encodeTree({ v: 1, base: tree, removed: [], changed: [], packs: [], blobs: {} });
    await store.put(bucketKeys.file(sha256), bytes);
    const ref = { sha256, bytes: bytes.byteLength };
    await expect(restoreTree({ store, ref, directory: path.join(base, 'x') })).rejects.toMatchObject({ code: 'E_INTEGRITY' });
  }),
);

test(
  'an upload whose client was killed before it heard of its arrival is not sent again',
  inPlace(async ({ root, store, sync }) => {
    // Random, so that packs are full; each arrives, and the client never knows.
    for (let index = 0; index < 12; index++) writeFileSync(path.join(root, `f${index}`), randomBytes(3 * 2 ** 20));
    const deaf: Store = {
      ...store,
      put: async (...call) => {
        await store.put(...call);
        throw new Error('killed');
      },
    };
    await expect(sync({ store: deaf })).rejects.toThrow('killed');
    const arrived: string[] = [];
    for await (const { key, bytes } of store.list('')) if (bytes > 2 ** 20) arrived.push(key);
    expect(arrived.length).toBeGreaterThan(0);
    let packsSent = 0;
    const counting: Store = { ...store, put: (...call) => ((packsSent += call[1].byteLength > 2 ** 20 ? 1 : 0), store.put(...call)) };
    const { newBytes } = await sync({ store: counting });
    expect(newBytes).toBe(12 * 3 * 2 ** 20 - arrived.length * 6 * 3 * 2 ** 20);
    expect(packsSent).toBe(2 - arrived.length);
  }),
);
