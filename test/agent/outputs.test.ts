import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { collectOutputs, snapshotTree } from '../../lib/agent/outputs';
import type { CollectOptions, Outputs } from '../../lib/agent/outputs';
import { jobKeys } from '../../lib/contract';
import type { Clock, Notice, Store, Tree } from '../../lib/contract';
import { downloadOutputs } from '../../lib/runtime/download';
import { createMemoryStore } from '../../lib/store/memory';
import { PART_BYTES } from '../../lib/store/packs';
import type { TransferProgress } from '../../lib/runtime/api';
import { sha256Of } from '../../lib/store/sha256';
import { encodeTree } from '../../lib/store/tree-codec';
import { withDirectory, writeTree } from '../capture/trees';
import type { Thing } from '../capture/trees';
import { readAll } from '../store/trees';

const STILL: Clock = { now: () => 0, sleep: async () => undefined };

const where = { prefix: 'v1/jobs/j1-secret/', vm: 'AROA:i-1' };

interface Place {
  /** Where the job runs, and where its files are brought. */
  readonly directory: string;
  readonly home: string;
  readonly store: Store;
  readonly notices: Notice[];
  /** Runs a job between a tree with these files and what is collected. */
  readonly collect: (
    before: Record<string, Thing>,
    job: (directory: string) => void,
    options?: Partial<CollectOptions>,
  ) => Promise<Outputs>;
  readonly download: (outputs: Outputs, options?: { overwrite?: boolean }) => ReturnType<typeof downloadOutputs>;
}

const inPlace = (body: (place: Place) => Promise<void>) => () =>
  withDirectory(async (base) => {
    const directory = path.join(base, 'vm');
    const home = path.join(base, 'home');
    mkdirSync(directory);
    const store = createMemoryStore({ now: () => 0 });
    const notices: Notice[] = [];
    await body({
      directory,
      home,
      store,
      notices,
      collect: async (before, job, options) => {
        writeTree(directory, before);
        const snapshot = await snapshotTree(directory);
        job(directory);
        return collectOutputs({
          store,
          directory,
          tree: treeOf(before),
          snapshot,
          ...where,
          clock: STILL,
          onNotice: (notice) => notices.push(notice),
          ...options,
        });
      },
      download: (outputs, options) => downloadOutputs({ store, ...where, tree: outputs.tree!, directory: home, ...options }),
    });
  });

function treeOf(files: Readonly<Record<string, Thing>>): Tree {
  const entries = Object.entries(files).flatMap(([name, text]) =>
    typeof text === 'string'
      ? [{ type: 'file' as const, path: name, executable: false, bytes: Buffer.byteLength(text), sha256: sha256Of(Buffer.from(text)) }]
      : [],
  );
  return { v: 1, entries, packs: [], blobs: {} };
}

test(
  'new and changed files come home, the others are left alone',
  inPlace(async ({ collect, download, home }) => {
    const outputs = await collect({ same: 'same', changed: 'old', gone: 'x' }, (directory) => {
      writeTree(directory, {
        changed: 'new!',
        'out/a.txt': 'made',
        'out/run': { executable: 'sh' },
        empty: '',
        'out/latest': { link: 'a.txt' },
      });
    });
    expect(outputs.omitted).toBe(0);
    expect(outputs.files).toEqual([
      { path: 'changed', bytes: 4, kept: true },
      { path: 'empty', bytes: 0, kept: true },
      { path: 'out/a.txt', bytes: 4, kept: true },
      { path: 'out/latest', bytes: 0, kept: true },
      { path: 'out/run', bytes: 2, kept: true },
    ]);
    expect(await download(outputs)).toEqual(outputs.files);
    expect(readAll(home)).toEqual({
      changed: 'file new!',
      empty: 'file ',
      'out/a.txt': 'file made',
      'out/latest': 'link a.txt',
      'out/run': 'executable sh',
    });
  }),
);

test(
  'what was only touched, or written with the same content, is no output',
  inPlace(async ({ collect }) => {
    const outputs = await collect({ touched: 'x', rewritten: 'y' }, (directory) => {
      utimesSync(path.join(directory, 'touched'), 1, 1);
      writeFileSync(path.join(directory, 'rewritten'), 'y');
    });
    expect(outputs).toEqual({ files: [], omitted: 0 });
  }),
);

test(
  'a change that sets the old times again is seen',
  inPlace(async ({ collect }) => {
    const outputs = await collect({ a: 'one' }, (directory) => {
      writeFileSync(path.join(directory, 'a'), 'two');
      utimesSync(path.join(directory, 'a'), 1, 1);
    });
    expect(outputs.files).toEqual([{ path: 'a', bytes: 3, kept: true }]);
  }),
);

test(
  'what lay there before the command is no output though it is not of the tree',
  inPlace(async ({ directory, store }) => {
    writeTree(directory, { 'pkg.egg-info/x': 'built' });
    const snapshot = await snapshotTree(directory);
    expect(await collectOutputs({ store, directory, tree: treeOf({}), snapshot, ...where, clock: STILL })).toEqual({
      files: [],
      omitted: 0,
    });
  }),
);

test(
  'environments, packages, caches and git are no outputs',
  inPlace(async ({ collect }) => {
    const outputs = await collect({}, (directory) =>
      writeTree(directory, { 'v/pyvenv.cfg': '', 'v/x': '', 'node_modules/x': '', 'd/__pycache__/x': '', '.git/x': '', 'd/y': '1' }),
    );
    expect(outputs.files.map((file) => file.path)).toEqual(['d/y']);
  }),
);

test(
  'the smallest are kept first; what is not kept is named',
  inPlace(async ({ collect, notices, download, home }) => {
    const outputs = await collect(
      {},
      (directory) => writeTree(directory, { big: 'x'.repeat(2000), a: 'x'.repeat(300), b: 'y'.repeat(600) }),
      { maxBytes: 1000 },
    );
    expect(outputs.files).toEqual([
      { path: 'a', bytes: 300, kept: true },
      { path: 'b', bytes: 600, kept: true },
      { path: 'big', bytes: 2000, kept: false },
    ]);
    expect(notices).toEqual([{ level: 'warning', text: expect.stringMatching(/^not kept.*big \(2\.0 KiB\)/) }]);
    await download(outputs);
    expect(readdirSync(home)).toEqual(['a', 'b']);
  }),
);

test(
  'what is to be kept whole is kept in any size beside the others, and what has arrived of it is told on the way',
  inPlace(async ({ collect, notices, download, home }) => {
    const partly: Outputs[] = [];
    const content = randomBytes(17 * 2 ** 20);
    const outputs = await collect(
      { 'kept/old': 'old' },
      (directory) => {
        writeTree(directory, { 'kept/a': 'x'.repeat(2000), 'kept/b/c': 'y', 'kept.txt': 'z'.repeat(2000), one: 'z'.repeat(900) });
        writeFileSync(path.join(directory, 'big'), content);
        symlinkSync('/etc', path.join(directory, 'kept/out'));
      },
      { maxBytes: 1000, whole: ['kept', 'big', 'nothing'], onPartly: (told) => partly.push(told) },
    );
    expect(outputs.files.filter(({ kept }) => kept).map((file) => file.path)).toEqual(['big', 'kept/a', 'kept/b/c', 'one']);
    expect(notices).toEqual([
      { level: 'warning', text: expect.stringMatching(/^not kept: kept\.txt \(2\.0 KiB\), kept\/out .*--keep PATH/) },
    ]);
    expect(partly.map(({ files }) => files.filter(({ kept }) => kept).map((file) => file.path))).toEqual([['one']]);
    await download(outputs);
    const { big, ...others } = readAll(home);
    expect(big === `file ${content.toString('latin1')}`).toBe(true);
    expect(Object.keys(others)).toEqual(['kept/a', 'kept/b/c', 'one']);
  }),
);

test(
  'of many files a thousand are listed, and all are kept',
  inPlace(async ({ collect, download, home }) => {
    const outputs = await collect({}, (directory) => {
      for (let index = 0; index < 1100; index++) writeFileSync(path.join(directory, `f${index}`), `${index}`);
    });
    expect(outputs.files).toHaveLength(1000);
    expect(outputs.omitted).toBe(100);
    await download(outputs);
    expect(readdirSync(home)).toHaveLength(1100);
  }),
);

test(
  'large files come home, too',
  inPlace(async ({ collect, download, home }) => {
    const bytes = randomBytes(9 * 2 ** 20);
    const outputs = await collect({}, (directory) => writeFileSync(path.join(directory, 'large'), bytes));
    await download(outputs);
    expect(sha256Of(readFileSync(path.join(home, 'large')))).toBe(sha256Of(bytes));
  }),
);

test(
  'links that lead out of the tree are not kept',
  inPlace(async ({ collect }) => {
    const outputs = await collect({}, (directory) => symlinkSync('/etc/passwd', path.join(directory, 'l')));
    expect(outputs).toEqual({ files: [{ path: 'l', bytes: 0, kept: false }], omitted: 0 });
  }),
);

const asUser = process.getuid?.() === 0 ? test.skip : test;
asUser(
  'what cannot be read is told, and costs nothing else',
  inPlace(async ({ collect, notices }) => {
    const outputs = await collect({}, (directory) => {
      writeTree(directory, { 'locked/x': '1', y: '2' });
      chmodSync(path.join(directory, 'locked'), 0);
    });
    expect(outputs.files).toEqual([{ path: 'y', bytes: 1, kept: true }]);
    expect(notices[0]?.text).toMatch(/locked cannot be read/);
  }),
);

test(
  'fails when the store does',
  inPlace(async ({ store, collect }) => {
    const full: Store = { ...store, put: () => Promise.reject(new Error('no more space')) };
    await expect(collect({}, (directory) => writeTree(directory, { a: '1' }), { store: full })).rejects.toThrow('no more space');
  }),
);

describe('download', () => {
  const make = (collect: Place['collect']): Promise<Outputs> =>
    collect({}, (directory) => writeTree(directory, { a: 'theirs', 'd/b': 'same', c: 'new' }));

  test(
    'leaves alone what is there and the same',
    inPlace(async ({ collect, download, home }) => {
      writeTree(home, { 'd/b': 'same', mine: 'mine' });
      utimesSync(path.join(home, 'd/b'), 1, 1);
      await download(await make(collect));
      expect(readAll(home)).toEqual({ a: 'file theirs', 'd/b': 'file same', c: 'file new', mine: 'file mine' });
    }),
  );

  test(
    'fails when files differ, listing them, and writes nothing',
    inPlace(async ({ collect, download, home }) => {
      writeTree(home, { a: 'mine' });
      await expect(download(await make(collect))).rejects.toMatchObject({
        code: 'E_USAGE',
        message: expect.stringMatching(/differ.*: a$/),
        remedy: expect.stringMatching(/--overwrite/),
      });
      expect(readAll(home)).toEqual({ a: 'file mine' });
    }),
  );

  test(
    'replaces them when told to',
    inPlace(async ({ collect, download, home }) => {
      writeTree(home, { a: 'mine' });
      await download(await make(collect), { overwrite: true });
      expect(readAll(home)).toMatchObject({ a: 'file theirs' });
    }),
  );

  test(
    'fails where a directory is in the way, even when told to replace',
    inPlace(async ({ collect, download, home }) => {
      writeTree(home, { 'a/x': 'mine' });
      await expect(download(await make(collect), { overwrite: true })).rejects.toMatchObject({
        code: 'E_USAGE',
        remedy: expect.stringMatching(/Directories/),
      });
    }),
  );

  test(
    'fails where a link would lead elsewhere',
    inPlace(async ({ collect, download, home }) => {
      mkdirSync(`${home}-elsewhere`);
      mkdirSync(home);
      symlinkSync(`${home}-elsewhere`, path.join(home, 'd'));
      await expect(download(await make(collect), { overwrite: true })).rejects.toMatchObject({
        code: 'E_USAGE',
        message: expect.stringMatching(/below d/),
      });
      expect(readdirSync(`${home}-elsewhere`)).toEqual([]);
    }),
  );

  test.each([
    [[{ type: 'link' as const, path: 'l', target: '../x' }], /leads out/],
    [[{ type: 'directory' as const, path: '../x' }], /leads out/],
  ])('fails on a forged manifest (%#)', (entries, why) =>
    inPlace(async ({ store, home, download }) => {
      const { bytes, sha256 } = await encodeTree({ v: 1, entries, packs: [], blobs: {} });
      await store.put(jobKeys.out(where.prefix, where.vm, sha256), bytes);
      const tree = { sha256, bytes: bytes.byteLength };
      await expect(download({ files: [], omitted: 0, tree })).rejects.toMatchObject({
        code: 'E_INTEGRITY',
        message: expect.stringMatching(why),
      });
      expect(existsSync(home)).toBe(false);
    })(),
  );

  test(
    'that was broken off goes on where it was, also within a file, and mends what is damaged there',
    inPlace(async ({ collect, home, store }) => {
      const content = randomBytes(4 * PART_BYTES + 1);
      const outputs = await collect(
        {},
        (directory) => {
          writeTree(directory, { small: 'x', 'd/run': { executable: 'sh' } });
          writeFileSync(path.join(directory, 'd/large'), content);
        },
        { whole: [''] },
      );
      const got: string[] = [];
      const counting = (most: number): Store => ({
        ...store,
        get: async (key, options) => (got.push(key) > most ? Promise.reject(new Error('line cut')) : store.get(key, options)),
      });
      const progress: TransferProgress[] = [];
      const download = (most: number): Promise<unknown> =>
        downloadOutputs({
          store: counting(most),
          ...where,
          tree: outputs.tree!,
          directory: home,
          onProgress: (one) => void progress.push(one),
        });
      await expect(download(5)).rejects.toThrow('line cut');
      const [staging] = readdirSync(home);
      expect(readdirSync(home)).toEqual([expect.stringMatching(/^\.rawcloud-download-/)]);
      const partial = path.join(home, staging!, 'd/large');
      const bytes = readFileSync(partial);
      bytes[0]! ^= 1;
      writeFileSync(partial, bytes);
      got.length = 0;
      await download(Infinity);
      // What was there is soon looked through, and counts: the small files are whole.
      expect(progress.at(-1)).toEqual({ bytes: content.byteLength, totalBytes: content.byteLength });
      expect(progress[0]).toEqual({ bytes: 0, totalBytes: content.byteLength + 3 });
      // The manifest, the first part, which is damaged, and the two that had not come.
      expect(got).toHaveLength(1 + 1 + 2);
      const { 'd/large': large, ...others } = readAll(home);
      expect(large === `file ${content.toString('latin1')}`).toBe(true);
      expect(others).toEqual({ small: 'file x', 'd/run': 'executable sh' });
    }),
  );

  test(
    'fails before anything is written when there is no room for it',
    inPlace(async ({ store, home, download }) => {
      const file = { type: 'file' as const, path: 'huge', executable: false, bytes: 2 ** 52, sha256: sha256Of(Buffer.from('huge')) };
      const { bytes, sha256 } = await encodeTree({ v: 1, entries: [file], packs: [], blobs: {} });
      await store.put(jobKeys.out(where.prefix, where.vm, sha256), bytes);
      await expect(download({ files: [], omitted: 0, tree: { sha256, bytes: bytes.byteLength } })).rejects.toMatchObject({
        code: 'E_USAGE',
        message: expect.stringMatching(/no room for the job's files.*are to be written.*are free/),
      });
      expect(readdirSync(home)).toEqual([]);
    }),
  );

  test(
    'fails when the files are not in the bucket any more, and says so',
    inPlace(async ({ collect, download, store }) => {
      const outputs = await make(collect);
      for await (const { key } of store.list(where.prefix)) await store.delete(key);
      await expect(download(outputs)).rejects.toMatchObject({
        code: 'E_INTEGRITY',
        message: expect.stringMatching(/not in the bucket any more/),
        remedy: expect.stringMatching(/lifecycle rule/),
      });
    }),
  );

  test(
    'fails on a damaged pack, and leaves what was there',
    inPlace(async ({ collect, download, home, store }) => {
      const outputs = await make(collect);
      for await (const { key } of store.list(where.prefix)) {
        if (!key.endsWith(outputs.tree!.sha256)) await store.put(key, Buffer.alloc(500));
      }
      writeTree(home, { a: 'mine' });
      await expect(download(outputs, { overwrite: true })).rejects.toMatchObject({ code: 'E_INTEGRITY' });
      expect(readAll(home)).toEqual({ a: 'file mine' });
    }),
  );
});
