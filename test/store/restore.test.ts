import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { bucketKeys } from '../../lib/contract';
import type { Ref, Store, Tree, TreeEntry } from '../../lib/contract';
import { ownObject } from '../../lib/store/blob-upload';
import { createMemoryStore } from '../../lib/store/memory';
import { fetchRef } from '../../lib/store/ref';
import { restoreTree } from '../../lib/store/restore';
import { sha256Of } from '../../lib/store/sha256';
import { encodeTree } from '../../lib/store/tree-codec';
import { withDirectory } from '../capture/trees';
import { readAll, storeBlobs } from './trees';

const newStore = (): Store => createMemoryStore({ now: () => 0 });

async function put(store: Store, tree: Tree): Promise<Ref> {
  const { bytes, sha256 } = await encodeTree(tree);
  await store.put(bucketKeys.file(sha256), bytes);
  return { sha256, bytes: bytes.byteLength };
}

/** A tree of small files in one pack. */
async function treeOf(store: Store, files: Readonly<Record<string, string>>, others: TreeEntry[] = []): Promise<Tree> {
  const blobs = [...new Set(Object.values(files))]
    .filter((text) => text !== '')
    .map((text) => ({ sha256: sha256Of(Buffer.from(text)), bytes: Buffer.from(text) }));
  const stored = await storeBlobs(blobs, { store, keyOf: bucketKeys.file });
  const places = stored.flatMap(({ blobs: packed }, pack) =>
    packed.map(({ sha256, offset, length, encoding }) => [sha256, { pack, offset, length, encoding }] as const),
  );
  const entries = Object.entries(files).map(([name, text]): TreeEntry => ({
    type: 'file',
    path: name,
    executable: false,
    bytes: Buffer.byteLength(text),
    sha256: sha256Of(Buffer.from(text)),
  }));
  return { v: 1, entries: [...entries, ...others], packs: stored.map(({ object }) => object), blobs: Object.fromEntries(places) };
}

test('writes files, the same content at several paths, links and empty directories', () =>
  withDirectory(async (directory) => {
    const store = newStore();
    const tree = await treeOf(store, { 'a/b/c': 'one', d: 'one', e: '', 'f.txt': 'say it again '.repeat(99) }, [
      { type: 'directory', path: 'out/empty' },
      { type: 'link', path: 'l', target: 'a/b/c' },
    ]);
    const seen: number[] = [];
    await restoreTree({
      store,
      ref: await put(store, tree),
      directory: path.join(directory, 'new'),
      onProgress: ({ done }) => seen.push(done),
    });
    expect(readAll(path.join(directory, 'new'))).toEqual({
      'a/b/c': 'file one',
      d: 'file one',
      e: 'file ',
      'f.txt': `file ${'say it again '.repeat(99)}`,
      'out/empty': 'empty directory',
      l: 'link a/b/c',
    });
    expect(seen).toEqual([4]);
  }));

test('fetches large files piece by piece', () =>
  withDirectory(async (directory) => {
    const store = newStore();
    const bytes = randomBytes(19 * 2 ** 20 + 7);
    const sha256 = sha256Of(bytes);
    await store.put(bucketKeys.file(sha256), bytes);
    const { offset, length, encoding } = ownObject(sha256, bytes.byteLength);
    const file = { type: 'file' as const, executable: true, bytes: bytes.byteLength, sha256 };
    const tree: Tree = {
      v: 1,
      entries: [
        { ...file, path: 'big' },
        { ...file, path: 'copy', executable: false },
      ],
      packs: [sha256],
      blobs: { [sha256]: { pack: 0, offset, length, encoding } },
    };
    await restoreTree({ store, ref: await put(store, tree), directory });
    expect(sha256Of(readFileSync(path.join(directory, 'big')))).toBe(sha256);
    expect(sha256Of(readFileSync(path.join(directory, 'copy')))).toBe(sha256);
    expect(store.requests.get).toBe(1 + 3);
  }));

test('asks once for blobs that lie together', () =>
  withDirectory(async (directory) => {
    const store = newStore();
    const tree = await treeOf(store, Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, `content ${index}`])));
    await restoreTree({ store, ref: await put(store, tree), directory });
    expect(store.requests.get).toBe(2);
  }));

describe('what is damaged', () => {
  test('fails on a pack in which one byte has changed, naming the file', () =>
    withDirectory(async (directory) => {
      const store = newStore();
      const tree = await treeOf(store, { 'dir/x': 'content of x' });
      const key = bucketKeys.file(tree.packs[0]!);
      const pack = await store.get(key);
      if (typeof pack === 'string') throw new Error(pack);
      const body = Buffer.from(pack.body);
      body[0]! ^= 1;
      await store.put(key, body);
      await expect(restoreTree({ store, ref: await put(store, tree), directory })).rejects.toMatchObject({
        code: 'E_INTEGRITY',
        message: expect.stringMatching(/dir\/x/),
      });
      expect(existsSync(path.join(directory, 'dir/x'))).toBe(false);
    }));

  test('fails when a pack is gone, naming the file', () =>
    withDirectory(async (directory) => {
      const store = newStore();
      const tree = await treeOf(store, { x: 'content of x' });
      await store.delete(bucketKeys.file(tree.packs[0]!));
      await expect(restoreTree({ store, ref: await put(store, tree), directory })).rejects.toMatchObject({
        code: 'E_INTEGRITY',
        message: expect.stringMatching(/x is not in the bucket/),
      });
    }));

  test('fails on a manifest that is not what its hash says', () =>
    withDirectory(async (directory) => {
      const store = newStore();
      const ref = await put(store, await treeOf(store, { x: 'y' }));
      await store.put(bucketKeys.file(ref.sha256), Buffer.from('other'));
      await expect(restoreTree({ store, ref, directory })).rejects.toMatchObject({ code: 'E_INTEGRITY' });
      await expect(fetchRef(store, { sha256: '0'.repeat(64), bytes: 1 })).rejects.toMatchObject({ code: 'E_INTEGRITY' });
    }));

  test('fails when an entry’s content lies nowhere', () =>
    withDirectory(async (directory) => {
      const store = newStore();
      const tree = await treeOf(store, { x: 'y' });
      await expect(restoreTree({ store, ref: await put(store, { ...tree, blobs: {} }), directory })).rejects.toMatchObject({
        code: 'E_INTEGRITY',
      });
    }));
});

describe('what leads out of the directory', () => {
  const refused = async (entries: TreeEntry[], why: RegExp): Promise<void> =>
    withDirectory(async (base) => {
      const store = newStore();
      const directory = path.join(base, 'in');
      const tree = await treeOf(store, { 'ok.txt': 'ok' });
      const file = tree.entries[0]!;
      const ref = await put(store, { ...tree, entries: entries.map((entry) => (entry.type === 'file' ? { ...file, ...entry } : entry)) });
      await expect(restoreTree({ store, ref, directory })).rejects.toMatchObject({
        code: 'E_INTEGRITY',
        message: expect.stringMatching(why),
      });
      expect(existsSync(path.join(base, 'x'))).toBe(false);
      expect(existsSync(directory)).toBe(false);
    });
  const sha256 = sha256Of(Buffer.from('ok'));
  const file = (name: string): TreeEntry => ({ type: 'file', path: name, executable: false, bytes: 2, sha256 });
  const link = (name: string, target: string): TreeEntry => ({ type: 'link', path: name, target });

  test.each(['../x', 'a/../../x', '/x', '', '.', 'a//x', 'a/.', 'x\0', '..'])('fails on the path %j', (name) =>
    refused([file(name)], /leads out of it/),
  );
  test('fails on a raw path that is no bytes', () => refused([{ ...file('\u2026'), raw: true }], /leads out of it/));
  test('fails on a path behind a link of the manifest', () => refused([link('a', '..'), file('a/x')], /behind the link a/));
  test('fails on a path behind a file of the manifest', () => refused([file('a'), file('a/x')], /behind the file a/));
  test('fails on a path that is named twice', () => refused([link('a', '../x'), file('a')], /named twice/));
  test('fails on a link without a target', () => refused([link('a', '')], /link to nothing/));

  test.each([
    ['a directory on the way', 'a/x'],
    ['the file', 'a'],
  ])('fails when a link that was there takes the place of %s', (_what, name) =>
    withDirectory(async (base) => {
      const store = newStore();
      const directory = path.join(base, 'in');
      mkdirSync(directory);
      mkdirSync(path.join(base, 'elsewhere'));
      symlinkSync(name === 'a' ? '../x' : '../elsewhere', path.join(directory, 'a'));
      const ref = await put(store, await treeOf(store, { [name]: 'ok' }));
      await expect(restoreTree({ store, ref, directory })).rejects.toMatchObject({
        code: 'E_INTEGRITY',
        message: expect.stringMatching(/something else is there/),
      });
      expect(readAll(path.join(base, 'elsewhere'))).toEqual({});
      expect(existsSync(path.join(base, 'x'))).toBe(false);
    }),
  );
});
