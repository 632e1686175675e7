import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createMemoryStore } from '../../lib/store/memory';
import { restoreTree } from '../../lib/store/restore';
import { syncTree } from '../../lib/runtime/sync/sync';
import type { Synced, SyncOptions } from '../../lib/runtime/sync/sync';
import { withDirectory, writeTree } from '../capture/trees';
import { readAll } from '../store/trees';

/** Later than any file of a test was written: its times are settled. */
const LATER_MS = Date.now() + 3_600_000;

interface Place {
  readonly base: string;
  readonly root: string;
  readonly trees: string;
  /** How many bytes were read for their hash. */
  readonly sync: (options?: Partial<SyncOptions>) => Promise<Synced & { readonly hashed: number }>;
  readonly restore: (synced: Synced) => Promise<Record<string, string>>;
}

const inPlace = (body: (place: Place) => Promise<void>) => () =>
  withDirectory(async (base) => {
    const root = path.join(base, 'root');
    const trees = path.join(base, 'cache', 'trees');
    const store = createMemoryStore({ now: () => LATER_MS });
    mkdirSync(root);
    const sync: Place['sync'] = async (options = {}) => {
      let hashed = 0;
      const common = { store, root, home: base, env: {}, cacheFile: path.join(base, 'cache', 'b.jsonl'), treeCacheDirectory: trees };
      const onProgress: SyncOptions['onProgress'] = ({ bytes }) => (hashed = bytes);
      return { ...(await syncTree({ ...common, now: () => LATER_MS, onProgress, ...options })), hashed };
    };
    const restore: Place['restore'] = async (synced) => {
      const directory = path.join(base, `restored-${readdirSync(base).length}`);
      await restoreTree({ store, ref: synced.tree, directory });
      return readAll(directory);
    };
    await body({ base, root, trees, sync, restore });
  });

test(
  'files that look the same are not read again',
  inPlace(async ({ root, sync }) => {
    writeTree(root, { a: 'one', 'b/c': 'three', d: { executable: 'x' }, e: '', l: { link: 'a' } });
    expect((await sync()).hashed).toBe(9);
    const again = await sync();
    expect(again).toMatchObject({ hashed: 0, uploadedObjects: 0, newBytes: 0, files: 4, totalBytes: 9 });
  }),
);

test(
  'only what changed is read, and the tree is as it is now',
  inPlace(async ({ root, sync, restore }) => {
    writeTree(root, { a: 'one', b: 'two', c: 'gone soon', d: 'stays' });
    await sync();
    writeTree(root, { b: 'TWO', e: 'new' });
    rmSync(path.join(root, 'c'));
    const synced = await sync();
    expect(synced.hashed).toBe(6);
    expect(await restore(synced)).toEqual({ a: 'file one', b: 'file TWO', d: 'file stays', e: 'file new' });
  }),
);

test(
  'a change that keeps size and modification time is seen by the time of change',
  inPlace(async ({ root, sync, restore }) => {
    const file = path.join(root, 'a');
    writeTree(root, { a: 'one' });
    const before = statSync(file);
    await sync();
    writeFileSync(file, 'two');
    utimesSync(file, before.atime, before.mtime);
    expect(await restore(await sync())).toEqual({ a: 'file two' });
  }),
);

test(
  'a file that took another’s place is seen by its inode',
  inPlace(async ({ root, sync, restore }) => {
    writeTree(root, { a: 'one', b: 'two' });
    await sync();
    renameSync(path.join(root, 'b'), path.join(root, 'a'));
    expect(await restore(await sync())).toEqual({ a: 'file two' });
  }),
);

test(
  'an exec bit that changed travels',
  inPlace(async ({ root, sync, restore }) => {
    writeTree(root, { a: 'one' });
    await sync();
    chmodSync(path.join(root, 'a'), 0o755);
    expect(await restore(await sync())).toEqual({ a: 'executable one' });
  }),
);

test(
  'a file written just before it was hashed is hashed again, and then no more',
  inPlace(async ({ root, sync }) => {
    writeTree(root, { a: 'one' });
    const { ctimeMs } = statSync(path.join(root, 'a'));
    const at = (ms: number) => ({ now: () => ctimeMs + ms });
    expect((await sync(at(1))).hashed).toBe(3);
    expect((await sync(at(10_000))).hashed).toBe(3);
    expect((await sync(at(20_000))).hashed).toBe(0);
  }),
);

test(
  'a clock behind that of the files trusts none of them',
  inPlace(async ({ root, sync }) => {
    writeTree(root, { a: 'one' });
    const past = { now: () => 1e12 };
    await sync(past);
    expect((await sync(past)).hashed).toBe(3);
  }),
);

describe('what is remembered', () => {
  const damages: [string, (file: string) => void][] = [
    ['is cut off', (file) => writeFileSync(file, readFileSync(file).subarray(0, 200))],
    ['is empty', (file) => writeFileSync(file, '')],
    ['is something else', (file) => writeFileSync(file, 'x'.repeat(5000))],
    ['has one bit wrong', (file) => writeFileSync(file, flipped(readFileSync(file)))],
    ['is of another version', (file) => writeFileSync(file, Buffer.from(readFileSync(file)).fill('9', 14, 15))],
    ['is a directory', (file) => (rmSync(file), mkdirSync(file))],
  ];
  test.each(damages)('is not used when it %s', (_what, damage) =>
    inPlace(async ({ root, trees, sync, restore }) => {
      writeTree(root, { a: 'one', b: 'two' });
      await sync();
      damage(path.join(trees, readdirSync(trees)[0]!));
      const again = await sync();
      expect(again.hashed).toBe(6);
      expect(await restore(again)).toEqual({ a: 'file one', b: 'file two' });
    })(),
  );

  test(
    'belongs to one directory',
    inPlace(async ({ base, root, trees, sync }) => {
      writeTree(root, { a: 'one' });
      writeTree(base, { 'other/a': 'one' });
      await sync();
      const other = await sync({ root: path.join(base, 'other') });
      expect(other.hashed).toBe(3);
      const [one, two] = readdirSync(trees).map((name) => path.join(trees, name));
      renameSync(one!, `${two}.x`);
      renameSync(two!, one!);
      renameSync(`${two}.x`, two!);
      expect((await sync()).hashed).toBe(3);
    }),
  );

  test(
    'is written whole by clients side by side, and leaves nothing else behind',
    inPlace(async ({ root, trees, sync }) => {
      writeTree(root, Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`f${at}`, `content ${at}`])));
      await Promise.all([sync(), sync(), sync(), sync()]);
      expect(readdirSync(trees)).toHaveLength(1);
      expect((await sync()).hashed).toBe(0);
    }),
  );

  test(
    'fails to be kept with a warning only',
    inPlace(async ({ base, root, sync }) => {
      writeTree(root, { a: 'one' });
      writeFileSync(path.join(base, 'in-the-way'), '');
      const synced = await sync({ treeCacheDirectory: path.join(base, 'in-the-way') });
      expect(synced.notices).toEqual([{ level: 'warning', text: expect.stringContaining('cannot be remembered') }]);
    }),
  );
});

function flipped(bytes: Buffer): Buffer {
  bytes[bytes.length >> 1]! ^= 1;
  return bytes;
}
