import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createMemoryStore } from '../../lib/store/memory';
import { ReaderThread } from '../../lib/store/reading/thread';
import { sha256Of } from '../../lib/store/sha256';
import { syncTree } from '../../lib/runtime/sync/sync';
import type { Synced } from '../../lib/runtime/sync/sync';
import { withDirectory } from '../capture/trees';

const PROGRAM = path.join(__dirname, '../../dist/bin/read-files.js');
const MIB = 2 ** 20;

interface Named {
  readonly file: string | Buffer;
  readonly bytes: number;
}

async function withThread(use: (thread: ReaderThread) => Promise<void>, program = PROGRAM): Promise<void> {
  const thread = new ReaderThread(program);
  try {
    await use(thread);
  } finally {
    await thread.end();
  }
}

/** What is read of each file, in order; content as its text. */
async function readAll(thread: ReaderThread, files: readonly Named[]): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const batch of thread.read(files, { locate: ({ file }) => file, nameOf: ({ file }) => file.toString('latin1') }))
    for (const { read } of batch) {
      if (read.kind === 'read') expect(read.sha256).toBe(sha256Of(read.bytes));
      found.push(read.kind === 'read' ? Buffer.from(read.bytes).toString('latin1') : read.kind);
    }
  return found;
}

test('files come in the order given, whatever they are, each as it would be read without a thread', () =>
  withDirectory(async (directory) => {
    const at = (name: string): string => path.join(directory, name);
    const contents = { empty: '', ü: 'Unicode', long: 'l'.repeat(1.5 * MIB), most: 'm'.repeat(MIB), last: 'z' };
    for (const [name, content] of Object.entries(contents)) writeFileSync(at(name), content, 'latin1');
    const bytes = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])]);
    writeFileSync(bytes, 'no text');
    writeFileSync(at('large'), Buffer.alloc(5 * MIB));
    mkdirSync(at('directory'));
    symlinkSync('last', at('link'));
    execFileSync('mkfifo', [at('pipe')]);
    const named = (name: string, length = 0): Named => ({ file: at(name), bytes: length });
    const files = [
      named('empty'),
      { file: bytes, bytes: 7 },
      named('gone', 3),
      named('ü', 7),
      named('long', 1.5 * MIB),
      named('directory'),
      named('most', MIB),
      named('most', MIB),
      named('link', 1),
      // They were shorter when they were last looked at.
      named('most', 1),
      named('large', 10),
      named('pipe'),
      named('last', 1),
    ];
    const { empty, long, most, last } = contents;
    const all = [empty, 'no text', 'gone', 'Unicode', long, 'gone', most, most, 'gone', most, 'large', 'gone', last];
    await withThread(async (thread) => expect(await readAll(thread, files)).toEqual(all));
  }));

test('more files than are read ahead come all, once', () =>
  withDirectory(async (directory) => {
    const names = Array.from({ length: 3000 }, (_, n) => `file ${n}`);
    for (const name of names) writeFileSync(path.join(directory, name), name);
    const files = names.map((name) => ({ file: path.join(directory, name), bytes: name.length }));
    await withThread(async (thread) => expect(await readAll(thread, files)).toEqual(names));
  }));

// As files of the kernel are: empty by what is said of them, and with content.
test('fails on a file that is never what it is said to be, by its name', () =>
  withThread(async (thread) => {
    const message = '/proc/version changed each time it was read (4 times)';
    await expect(readAll(thread, [{ file: '/proc/version', bytes: 0 }])).rejects.toMatchObject({ code: 'E_FILE_CHANGED', message });
  }));

test('a thread that cannot start costs nothing but time', () =>
  withDirectory(async (directory) => {
    const file = path.join(directory, 'a');
    writeFileSync(file, 'one');
    const files = [{ file, bytes: 3 }];
    await withThread(
      async (thread) => {
        expect(await readAll(thread, files)).toEqual(['one']);
        expect(await readAll(thread, files)).toEqual(['one']);
      },
      path.join(directory, 'no-program.js'),
    );
  }));

describe('a large tree', () => {
  const sync = (root: string, base: string, readerProgram?: string): Promise<Synced> =>
    syncTree({
      store: createMemoryStore({ now: () => 1e12 }),
      root,
      home: base,
      env: {},
      cacheFile: path.join(base, `known-${readerProgram !== undefined}`),
      now: () => 1e12,
      ...(readerProgram === undefined ? {} : { readerProgram }),
    });

  test('is stored as the same objects with a thread and without', () =>
    withDirectory(async (base) => {
      const root = path.join(base, 'root');
      for (let n = 0; n < 2500; n++) {
        const directory = path.join(root, `d${n % 50}`);
        mkdirSync(directory, { recursive: true });
        writeFileSync(path.join(directory, `f${n}`), n % 5 === 0 ? 'the same' : `content ${n} `.repeat(n % 100));
        if (n % 7 === 0) chmodSync(path.join(directory, `f${n}`), 0o755);
      }
      writeFileSync(path.join(root, 'large'), Buffer.alloc(5 * MIB, 7));
      symlinkSync('large', path.join(root, 'link'));
      const there = await sync(root, base, PROGRAM);
      expect(there).toEqual(await sync(root, base));
      expect(there.files).toBe(2501);
    }));
});
