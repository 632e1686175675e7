import { createCipheriv } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { bucketKeys } from '../../lib/contract';
import type { BuiltPart, Environment, Store } from '../../lib/contract';
import { findEnvironment } from '../../lib/store/environments/manifest';
import { restoreParts } from '../../lib/store/environments/restore';
import { takeSnapshot } from '../../lib/store/environments/snapshot';
import { storeEnvironment } from '../../lib/store/environments/store';
import { createMemoryStore } from '../../lib/store/memory';
import { sha256Of } from '../../lib/store/sha256';
import { withDirectory } from '../capture/trees';
import { write } from '../capture/package-fixtures';
import { readAll } from './trees';

const KEY = 'a'.repeat(64);
const newStore = (): Store => createMemoryStore({ now: () => 0 });
const everything = (): boolean => true;

interface Kept {
  readonly store: Store;
  readonly directory: string;
  readonly parts?: readonly BuiltPart[];
  readonly base?: Environment;
  readonly key?: string;
}

async function keep({ store, directory, parts = [], base, key = KEY }: Kept): Promise<{ environment: Environment; sentBytes: number }> {
  const snapshot = takeSnapshot(directory, everything);
  return storeEnvironment({ store, key, kind: 'python', snapshot, parts, ...(base ? { base } : {}) });
}

async function restore(store: Store, directory: string, key = KEY): Promise<void> {
  const found = await findEnvironment(store, key);
  const environment = found!.environment!;
  await restoreParts({ store, environment, parts: environment.parts, directory });
}

/** Incompressible, and the same for the same seed. */
const noise = (bytes: number, seed = 1): Buffer =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(bytes));

/** Short enough to be compared and shown. */
const hashes = (directory: string): Record<string, string> =>
  Object.fromEntries(Object.entries(readAll(directory)).map(([name, text]) => [name, sha256Of(Buffer.from(text))]));

test('files of any length, exec bits, links and empty directories come back as they were', () =>
  withDirectory(async (directory) => {
    const [from, to] = [path.join(directory, 'from'), path.join(directory, 'to')];
    write(from, { 'a/text': 'one', 'a/empty': '', 'a/ü \u2603': 'named', 'b/script': '#!/bin/sh\n' });
    chmodSync(path.join(from, 'b/script'), 0o755);
    // Over several chunks, and several packs.
    writeFileSync(path.join(from, 'large'), noise(9 * 2 ** 20));
    writeFileSync(path.join(from, 'larger'), Buffer.concat([noise(5 * 2 ** 20, 2), Buffer.alloc(14 * 2 ** 20), noise(3, 3)]));
    mkdirSync(path.join(from, 'none/at/all'), { recursive: true });
    symlinkSync('../a/text', path.join(from, 'b/link'));
    const store = newStore();
    await keep({ store, directory: from });
    await restore(store, to);
    expect(hashes(to)).toEqual(hashes(from));
    expect(statSync(path.join(to, 'b/script')).mode & 0o777).toBe(0o755);
  }));

test('texts and links that name the directory of the build name that of the VM, wherever they were cut', () =>
  withDirectory(async (directory) => {
    const [from, to] = [path.join(directory, 'from'), path.join(directory, 'somewhere', 'else')];
    const texts = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`text${n}`, `${'x'.repeat(700_000)}#!${from}/bin/python\n`]));
    write(from, { ...texts, binary: `\0${from}` });
    symlinkSync(path.join(from, 'text0'), path.join(from, 'inside'));
    symlinkSync(`${from}er`, path.join(from, 'outside'));
    const store = newStore();
    await keep({ store, directory: from });
    await restore(store, to);
    for (const name of Object.keys(texts)) expect(readFileSync(path.join(to, name), 'utf8')).toBe(texts[name]!.replace(from, to));
    expect(readFileSync(path.join(to, 'binary'), 'utf8')).toBe(`\0${from}`);
    expect([readlinkSync(path.join(to, 'inside')), readlinkSync(path.join(to, 'outside'))]).toEqual([path.join(to, 'text0'), `${from}er`]);
  }));

test('whatever the files, they come back', async () => {
  const name = fc.stringMatching(/^[a-z]{1,3}$/);
  const size = fc.oneof(fc.nat(3000), fc.constantFrom(0, 2 ** 20, 2 ** 20 + 1, 4 * 2 ** 20));
  const file = fc.record({ at: fc.tuple(name, name), size, seed: fc.nat(5) });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(file, { selector: ({ at }) => at.join('/'), minLength: 1, maxLength: 6 }), async (files) =>
      withDirectory(async (directory) => {
        const [from, to] = [path.join(directory, 'from'), path.join(directory, 'to')];
        const parts = new Map<string, string[]>();
        for (const { at, size: bytes, seed } of files) {
          mkdirSync(path.join(from, at[0]), { recursive: true });
          writeFileSync(path.join(from, ...at), noise(bytes, seed));
          parts.set(at[0], [...(parts.get(at[0]) ?? []), at.join('/')]);
        }
        const store = newStore();
        await keep({ store, directory: from, parts: [...parts].slice(1).map(([of, paths]) => ({ name: of, ids: [of], paths })) });
        await restore(store, to);
        expect(hashes(to)).toEqual(hashes(from));
      }),
    ),
    { numRuns: 15 },
  );
});

test('fails, and leaves no manifest, when a file is no longer what it was', () =>
  withDirectory(async (directory) => {
    write(directory, { a: 'one', b: 'two' });
    const snapshot = takeSnapshot(directory, everything);
    writeFileSync(path.join(directory, 'b'), 'too');
    const store = newStore();
    const stored = storeEnvironment({ store, key: KEY, kind: 'python', snapshot, parts: [] });
    await expect(stored).rejects.toMatchObject({ code: 'E_FILE_CHANGED', message: expect.stringContaining('b was changed') as string });
    expect(await findEnvironment(store, KEY)).toBeUndefined();
  }));

test('the first manifest stands, and another one says that it was lost', () =>
  withDirectory(async (directory) => {
    write(directory, { a: 'one' });
    const store = newStore();
    const snapshot = takeSnapshot(directory, everything);
    const options = { store, key: KEY, kind: 'python', snapshot, parts: [] };
    expect((await storeEnvironment(options)).manifest).toBe('stored');
    expect((await storeEnvironment(options)).manifest).toBe('lost');
    const { etag } = (await findEnvironment(store, KEY))!;
    expect((await storeEnvironment({ ...options, over: etag })).manifest).toBe('stored');
  }));

describe('with an earlier environment', () => {
  const part = (name: string): BuiltPart => ({ name, version: '1', ids: [name], paths: [`${name}/file`] });
  const fill = (directory: string, names: readonly string[]): void => {
    for (const [seed, name] of names.entries()) {
      mkdirSync(path.join(directory, name), { recursive: true });
      writeFileSync(path.join(directory, name, 'file'), noise(300_000, seed + name.charCodeAt(0)));
    }
  };

  test('what is the same is not sent again, by its id or by its content', () =>
    withDirectory(async (directory) => {
      const store = newStore();
      fill(directory, ['a', 'b', 'c']);
      const { environment: base, sentBytes: first } = await keep({ store, directory, parts: ['a', 'b', 'c'].map(part) });
      fill(directory, ['d']);
      const byId = await keep({ store, directory, key: 'b'.repeat(64), base, parts: ['a', 'b', 'c', 'd'].map(part) });
      expect(byId.sentBytes).toBeLessThan(first / 2.5);
      expect(byId.environment.packs.map(({ name }) => name.slice(0, 2))).toEqual(['aa', 'bb']);
      const unnamed = ['a', 'b', 'c', 'd'].map((name) => ({ ...part(name), ids: [] }));
      const byContent = await keep({ store, directory, key: 'c'.repeat(64), base, parts: unnamed });
      expect(byContent.sentBytes).toBeLessThan(first / 2.5);
      await restore(store, path.join(directory, 'to'), 'c'.repeat(64));
      expect(readFileSync(path.join(directory, 'to/a/file')).equals(readFileSync(path.join(directory, 'a/file')))).toBe(true);
    }));

  test('all is packed anew when less than half of the old packs is needed, or one of them is gone', () =>
    withDirectory(async (directory) => {
      const store = newStore();
      const names = ['a', 'b', 'c'];
      fill(directory, names);
      const { environment: base } = await keep({ store, directory, parts: names.map(part) });
      await withDirectory(async (smaller) => {
        fill(smaller, ['a']);
        const { environment } = await keep({
          store,
          directory: smaller,
          key: 'b'.repeat(64),
          base: { ...base, directory: smaller },
          parts: [part('a')],
        });
        expect(environment.packs.map(({ name }) => name.slice(0, 2))).toEqual(['bb']);
      });
      await store.delete(bucketKeys.environmentPack(base.packs[0]!.name));
      const { environment } = await keep({ store, directory, key: 'c'.repeat(64), base, parts: names.map(part) });
      expect(environment.packs.map(({ name }) => name.slice(0, 2))).toEqual(['cc']);
    }));
});
