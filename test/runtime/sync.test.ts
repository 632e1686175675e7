import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { bucketKeys, mapBounded, RENEW_AFTER_MS } from '../../lib/contract';
import type { EventData, Store } from '../../lib/contract';
import { createMemoryStore } from '../../lib/store/memory';
import { fetchRef } from '../../lib/store/ref';
import { restoreTree } from '../../lib/store/restore';
import { measureTree, syncTree, uploadContent, uploadStream } from '../../lib/runtime/sync/sync';
import type { Synced, SyncOptions } from '../../lib/runtime/sync/sync';
import { withDirectory, writeTree } from '../capture/trees';
import { readAll, tree, writeAll } from '../store/trees';

const HOUR_MS = 3_600_000;

interface Place {
  readonly base: string;
  readonly root: string;
  readonly cacheFile: string;
  readonly store: Store;
  clockMs: number;
  readonly sync: (options?: Partial<SyncOptions>) => Promise<Synced>;
  readonly restore: (synced: Synced) => Promise<Record<string, string>>;
}

/** Sends nothing and looks at nothing but what a test lets it. */
const inPlace = (body: (place: Place) => Promise<void>) => () =>
  withDirectory(async (base) => {
    const place: Place = {
      base,
      root: path.join(base, 'root'),
      cacheFile: path.join(base, 'cache', 'bucket.jsonl'),
      store: createMemoryStore({ now: () => place.clockMs }),
      clockMs: 1e12,
      sync: (options = {}) =>
        syncTree({
          store: place.store,
          root: place.root,
          home: base,
          env: {},
          cacheFile: place.cacheFile,
          now: () => place.clockMs,
          ...options,
        }),
      restore: async (synced) => {
        const directory = path.join(base, `restored-${readdirSync(base).length}`);
        await restoreTree({ store: place.store, ref: synced.tree, directory });
        return readAll(directory);
      },
    };
    mkdirSync(place.root);
    await body(place);
  });

/** Of a tree whose content lies in one pack. */
const packOf = ({ objects, tree: manifest }: Synced): string => objects.find((object) => object !== manifest.sha256)!;

const sent = ({ uploadedObjects, newBytes }: Synced) => ({ uploadedObjects, newBytes });

test('what is restored is what was synchronized, whatever the tree', async () => {
  await fc.assert(
    fc.asyncProperty(tree, (things) =>
      inPlace(async ({ root, sync, restore }) => {
        writeAll(root, things);
        expect(await restore(await sync())).toEqual(readAll(root));
      })(),
    ),
    { numRuns: 100 },
  );
});

test(
  'the second time nothing is sent',
  inPlace(async ({ root, store, sync }) => {
    writeTree(root, { a: 'one', 'b/c': 'two', d: 'two', e: '' });
    expect(sent(await sync())).toEqual({ uploadedObjects: 2, newBytes: 6 });
    const puts = store.requests.put;
    const again = await sync();
    expect(sent(again)).toEqual({ uploadedObjects: 0, newBytes: 0 });
    expect(store.requests.put).toBe(puts);
    expect(again).toMatchObject({ files: 4, totalBytes: 9 });
  }),
);

test(
  'of a changed tree only what changed is sent',
  inPlace(async ({ root, sync, restore }) => {
    writeTree(root, { a: 'one', b: 'two' });
    await sync();
    writeTree(root, { b: 'three' });
    const second = await sync();
    expect(sent(second)).toEqual({ uploadedObjects: 2, newBytes: 5 });
    expect(await restore(second)).toEqual({ a: 'file one', b: 'file three' });
  }),
);

test(
  'a lost cache costs no upload: the bucket tells what it holds',
  inPlace(async ({ root, cacheFile, sync, restore }) => {
    writeTree(root, { a: 'one', b: 'two' });
    writeFileSync(path.join(root, 'large'), randomBytes(5 * 2 ** 20));
    await sync();
    rmSync(cacheFile);
    const again = await sync();
    expect(sent(again)).toEqual({ uploadedObjects: 0, newBytes: 0 });
    expect(Object.keys(await restore(again))).toEqual(['a', 'b', 'large']);
  }),
);

test(
  'an index longer than the first look at a pack is read whole',
  inPlace(async ({ root, cacheFile, sync }) => {
    for (let index = 0; index < 900; index++) writeFileSync(path.join(root, `f${index}`), `content ${index}`);
    await sync();
    rmSync(cacheFile);
    expect(sent(await sync())).toEqual({ uploadedObjects: 0, newBytes: 0 });
  }),
);

test(
  'large files are objects of their own, and not sent when another client has sent them',
  inPlace(async ({ base, root, store, sync }) => {
    const bytes = randomBytes(5 * 2 ** 20);
    writeFileSync(path.join(root, 'large'), bytes);
    writeTree(root, { small: 'x' });
    const other = { cacheFile: path.join(base, 'other.jsonl') };
    await sync({ ...other, root: writeOther(base) });
    const first = await sync();
    expect(first.uploadedObjects).toBe(3);
    const { sha256 } = await uploadContent(store, bytes);
    expect(first.objects).toContain(sha256);
    expect(sent(await sync(other))).toMatchObject({ uploadedObjects: 0 });
  }),
);

function writeOther(base: string): string {
  writeTree(base, { 'other/unrelated': 'y' });
  return path.join(base, 'other');
}

describe('the cache', () => {
  test.each([
    ['with the cache', false],
    ['by a client that is new', true],
  ])('content that the reaper might soon take for unused is made new, %s', (_, isNew) =>
    inPlace(async (place) => {
      const { root, store, sync } = place;
      writeTree(root, { a: 'one' });
      const first = await sync();
      const ages = (): Promise<number[]> =>
        mapBounded(first.objects, 8, async (object) => {
          const found = await store.get(bucketKeys.file(object));
          return typeof found === 'string' ? NaN : place.clockMs - found.modified;
        });
      if (isNew) rmSync(place.cacheFile);
      place.clockMs += RENEW_AFTER_MS - 1000;
      expect(sent(await sync())).toEqual({ uploadedObjects: 0, newBytes: 0 });
      expect(await ages()).toEqual([RENEW_AFTER_MS - 1000, RENEW_AFTER_MS - 1000]);
      if (isNew) rmSync(place.cacheFile);
      place.clockMs += 25 * HOUR_MS;
      expect(sent(await sync())).toEqual({ uploadedObjects: 0, newBytes: 0 });
      expect(await ages()).toEqual([0, 0]);
    })(),
  );

  test(
    'is believed for 24 hours, then what it says is looked for again',
    inPlace(async (place) => {
      const { root, store, sync, restore } = place;
      writeTree(root, { a: 'one' });
      const first = await sync();
      // Something newer, so that the first pack is not the one that is looked for each time.
      place.clockMs += 1000;
      writeTree(root, { b: 'two' });
      await sync();
      await store.delete(bucketKeys.file(packOf(first)));
      place.clockMs += 23 * HOUR_MS;
      expect(sent(await sync())).toMatchObject({ newBytes: 0 });
      place.clockMs += 2 * HOUR_MS;
      const repaired = await sync();
      expect(sent(repaired)).toMatchObject({ newBytes: 3 });
      expect(await restore(repaired)).toEqual({ a: 'file one', b: 'file two' });
    }),
  );

  test(
    'is dropped when the bucket was emptied',
    inPlace(async ({ root, store, sync, restore }) => {
      writeTree(root, { a: 'one' });
      await sync();
      for await (const { key } of store.list('')) await store.delete(key);
      const again = await sync();
      expect(sent(again)).toEqual({ uploadedObjects: 2, newBytes: 3 });
      expect(await restore(again)).toEqual({ a: 'file one' });
    }),
  );

  test(
    'survives torn and foreign lines',
    inPlace(async ({ root, cacheFile, sync }) => {
      writeTree(root, { a: 'one' });
      await sync();
      appendFileSync(cacheFile, '{"object":"ab\nnull\n[]\n{"object":"x","at":1,"blobs":[[1]]}\n{"obj');
      writeTree(root, { b: 'two' });
      expect(sent(await sync())).toEqual({ uploadedObjects: 2, newBytes: 3 });
      expect(sent(await sync())).toEqual({ uploadedObjects: 0, newBytes: 0 });
    }),
  );

  test(
    'serves clients side by side',
    inPlace(async ({ base, root, sync }) => {
      const others = [1, 2, 3, 4].map((index) => {
        writeTree(base, Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`r${index}/f${at}`, `${index} ${at}`])));
        return path.join(base, `r${index}`);
      });
      writeTree(root, { a: 'one' });
      await sync();
      await Promise.all(others.map((other) => sync({ root: other })));
      for (const other of others) expect(sent(await sync({ root: other }))).toEqual({ uploadedObjects: 0, newBytes: 0 });
    }),
  );

  test(
    'is written anew when most of it is stale',
    inPlace(async ({ root, cacheFile, sync }) => {
      writeTree(root, { a: 'one' });
      await sync();
      const line = readFileSync(cacheFile, 'utf8')
        .split('\n')
        .find((text) => text !== '')!;
      appendFileSync(cacheFile, `${line}\n`.repeat(1200));
      expect(sent(await sync())).toEqual({ uploadedObjects: 0, newBytes: 0 });
      expect(readFileSync(cacheFile, 'utf8').split('\n').length).toBeLessThan(10);
      expect(readdirSync(path.dirname(cacheFile))).toEqual([path.basename(cacheFile)]);
    }),
  );
});

describe('a large tree', () => {
  const files = { 'data/raw/big': 'x'.repeat(900), 'data/raw/small': 'y', other: 'z'.repeat(200) };

  test(
    'is asked about by where its bytes are, and travels on a yes',
    inPlace(async ({ root, sync }) => {
      writeTree(root, files);
      const asked: unknown[] = [];
      const confirm = async (size: unknown): Promise<boolean> => asked.push(size) > 0;
      expect(sent(await sync({ limitBytes: 1000, confirm }))).toMatchObject({ newBytes: 1101 });
      expect(asked).toEqual([
        {
          files: 3,
          bytes: 1101,
          largest: [
            { path: 'data/raw/big', bytes: 900 },
            { path: 'other', bytes: 200 },
          ],
        },
      ]);
    }),
  );

  test(
    'is not asked about when little of it is new',
    inPlace(async ({ root, sync }) => {
      writeTree(root, files);
      await sync();
      writeTree(root, { other: 'new' });
      expect(sent(await sync({ limitBytes: 1000 }))).toMatchObject({ newBytes: 3 });
    }),
  );

  test.each([
    ['nobody can be asked', {}],
    ['the answer is no', { confirm: async () => false }],
  ])('fails when %s, and nothing is sent', (_when, options) =>
    inPlace(async ({ root, store, sync }) => {
      writeTree(root, files);
      await expect(sync({ limitBytes: 1000, ...options })).rejects.toMatchObject({
        code: 'E_TREE_TOO_LARGE',
        message: expect.stringMatching(/1\.1 KiB in 3 files.*data\/raw\/big \(900 B\), other \(200 B\)/),
        data: { size: { files: 3, bytes: 1101 } },
      });
      const found: string[] = [];
      for await (const { key } of store.list('')) found.push(key);
      expect(found).toEqual([]);
    })(),
  );
});

describe('a file that changes', () => {
  /** A store that lets a test act when something is sent. */
  const acting = (store: Store, act: () => void): Store => ({ ...store, put: (...call) => (act(), store.put(...call)) });

  test(
    'between hash and upload is read anew, and hash and content agree',
    inPlace(async ({ base, root, store, sync, restore }) => {
      const large = path.join(root, 'large');
      writeFileSync(large, randomBytes(5 * 2 ** 20));
      writeTree(root, { small: 'x' });
      writeOther(base);
      await sync({ root: path.join(base, 'other') });
      let changes = 0;
      const synced = await sync({
        store: acting(store, () => {
          if (changes++ === 0) writeFileSync(large, `${'n'.repeat(5 * 2 ** 20)}!`);
        }),
      });
      expect((await restore(synced))['large']).toBe(`file ${'n'.repeat(5 * 2 ** 20)}!`);
    }),
  );

  test(
    'fails when it never rests, naming it',
    inPlace(async ({ root, store, sync }) => {
      const large = path.join(root, 'large');
      writeTree(root, { large: 'x'.repeat(5 * 2 ** 20) });
      let change = 0;
      const restless: Store = {
        ...store,
        get: (key, options) => {
          // It is looked for when it was hashed, and read again when it is not there.
          writeFileSync(large, `${change++}${'y'.repeat(5 * 2 ** 20)}`);
          return store.get(key, options);
        },
      };
      await expect(sync({ store: restless })).rejects.toMatchObject({
        code: 'E_FILE_CHANGED',
        message: expect.stringMatching(/^large changed/),
      });
    }),
  );
});

test(
  'a file of several parts travels part by part, and of a changed one only the parts that are new',
  inPlace(async ({ root, sync, restore }) => {
    const content = randomBytes(20 * 2 ** 20 + 5);
    writeFileSync(path.join(root, 'large'), content);
    const first = await sync();
    expect(first).toMatchObject({ uploadedObjects: 3 + 1, totalBytes: content.byteLength });
    expect(await restore(first)).toEqual({ large: `file ${content.toString('latin1')}` });
    content[9 * 2 ** 20]! ^= 1;
    writeFileSync(path.join(root, 'large'), content);
    const second = await sync();
    expect(second.uploadedObjects).toBe(1 + 1);
    expect(await restore(second)).toEqual({ large: `file ${content.toString('latin1')}` });
    expect((await sync()).tree).toEqual(second.tree);
  }),
);

test(
  'an upload that was broken off in the middle of a large file goes on there, also without a memory of it',
  inPlace(async ({ root, cacheFile, store, sync, restore }) => {
    const content = randomBytes(12 * 8 * 2 ** 20);
    writeFileSync(path.join(root, 'large'), content);
    let puts = 0;
    const failing: Store = {
      ...store,
      put: async (...call) => (puts++ >= 6 ? Promise.reject(new Error('line cut')) : store.put(...call)),
    };
    await expect(sync({ store: failing })).rejects.toThrow('line cut');
    const sent: number[] = [];
    const cut: Store = {
      ...store,
      put: async (key, body, options) => {
        sent.push(body.byteLength);
        return sent.length > 2 ? Promise.reject(new Error('line cut')) : store.put(key, body, options);
      },
    };
    await expect(sync({ store: cut })).rejects.toThrow('line cut');
    rmSync(cacheFile);
    const rest = await sync();
    expect(rest.uploadedObjects).toBe(12 - 6 - 2 + 1);
    expect((await restore(rest))['large'] === `file ${content.toString('latin1')}`).toBe(true);
  }),
);

test(
  'an upload that was broken off goes on where it was',
  inPlace(async ({ root, store, sync }) => {
    for (let index = 0; index < 12; index++) writeFileSync(path.join(root, `f${index}`), randomBytes(3 * 2 ** 20));
    let puts = 0;
    const failing: Store = {
      ...store,
      put: async (...call) => (puts++ === 1 ? Promise.reject(new Error('line cut')) : store.put(...call)),
    };
    await expect(sync({ store: failing })).rejects.toThrow('line cut');
    const rest = await sync();
    expect(rest.newBytes).toBe(6 * 3 * 2 ** 20);
  }),
);

test(
  'progress goes through the phases, with totals',
  inPlace(async ({ root, sync }) => {
    writeTree(root, { a: 'one', b: 'two' });
    const seen: EventData['sync.progress'][] = [];
    await sync({ onProgress: (progress) => seen.push(progress) });
    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual(['walk', 'hash', 'upload', 'done']);
    expect(seen.at(-1)).toEqual({ phase: 'done', files: 2, bytes: 6, newBytes: 6, totalNewBytes: 6 });
  }),
);

test(
  'fails with the signal’s reason when aborted, and records nothing',
  inPlace(async ({ root, cacheFile, sync }) => {
    writeTree(root, { a: 'one' });
    await expect(sync({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(existsSync(cacheFile)).toBe(false);
  }),
);

test(
  'measuring tells size and notices, and writes nothing',
  inPlace(async ({ base, root }) => {
    writeTree(root, { 'd/x': '12345', y: '1', out: { link: '/nowhere' } });
    const measured = await measureTree({ root, home: base, env: {} });
    expect(measured.size).toEqual({
      files: 2,
      bytes: 6,
      largest: [
        { path: 'd/x', bytes: 5 },
        { path: 'y', bytes: 1 },
      ],
    });
    expect(measured.notices).toHaveLength(1);
    expect(readdirSync(base)).toEqual(['root']);
  }),
);

describe('content that is no file', () => {
  test(
    'is stored under its hash, of any length',
    inPlace(async ({ base, store }) => {
      async function* chunks() {
        yield Buffer.from('one ');
        yield Buffer.from('two');
      }
      const ref = await uploadStream(store, chunks(), path.join(base, 'spool'));
      expect(ref).toEqual(await uploadContent(store, Buffer.from('one two')));
      expect(Buffer.from(await fetchRef(store, ref)).toString()).toBe('one two');
      expect(readdirSync(path.join(base, 'spool'))).toEqual([]);
    }),
  );

  test(
    'fails at once when aborted while nothing comes',
    inPlace(async ({ base, store }) => {
      const abort = new AbortController();
      async function* silence() {
        queueMicrotask(() => abort.abort(new Error('enough')));
        await new Promise<void>(() => undefined);
        yield Buffer.from('never');
      }
      await expect(uploadStream(store, silence(), path.join(base, 'spool'), { signal: abort.signal })).rejects.toThrow('enough');
      expect(readdirSync(path.join(base, 'spool'))).toEqual([]);
    }),
  );
});
