import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import type { FetchedChunks } from '../../lib/store/environments/chunk-writer';
import { WriterThreads } from '../../lib/store/environments/writer-threads';
import { sha256Of } from '../../lib/store/sha256';
import { withDirectory } from '../capture/trees';

/** A program of one line, as the agent's first. */
function writerProgram(directory: string): string {
  const outfile = path.join(directory, 'program.js');
  const from = path.join(__dirname, '../../lib/store/environments/writer-threads');
  const contents = `require(${JSON.stringify(from)}).serveAsWriter();`;
  const esbuild = path.join(path.dirname(require.resolve('esbuild/package.json')), 'bin/esbuild');
  const options = ['--bundle', '--platform=node', '--target=node20', '--log-level=error', `--outfile=${outfile}`];
  execFileSync(esbuild, options, { input: contents, cwd: __dirname });
  return outfile;
}

function fetched(name: string, content: string): FetchedChunks {
  const body = deflateSync(content);
  const bytes = Buffer.byteLength(content);
  const pieces = [{ path: name, marks: 0, at: 0, from: 0, length: bytes }];
  const chunk = {
    object: 'pack',
    offset: 100,
    length: body.byteLength,
    bytes,
    encoding: 'deflate',
    sha256: sha256Of(body),
    pieces,
  } as const;
  return { body, start: 100, chunks: [chunk] };
}

async function withThreads(use: (threads: WriterThreads, directory: string) => Promise<void>): Promise<void> {
  await withDirectory(async (scratch) => {
    const directory = path.join(scratch, 'to');
    mkdirSync(directory);
    const threads = new WriterThreads(writerProgram(scratch), directory, 2);
    try {
      await use(threads, directory);
    } finally {
      await threads.end();
    }
  });
}

test('threads write what they are sent, each its share', () =>
  withThreads(async (threads, directory) => {
    const names = Array.from({ length: 20 }, (_, n) => `d${n % 3}/file ${n} ü`);
    await Promise.all(names.map((name) => threads.write(fetched(Buffer.from(name).toString('latin1'), `content of ${name}`))));
    for (const name of names) expect(readFileSync(path.join(directory, name), 'utf8')).toBe(`content of ${name}`);
  }));

test('what is damaged is not written, and the others are', () =>
  withThreads(async (threads, directory) => {
    const good = fetched('good', 'as it was');
    const bad = fetched('bad', 'as it was');
    bad.body[5]! ^= 1;
    const [first, second] = await Promise.allSettled([threads.write(bad), threads.write(good)]);
    expect(first).toMatchObject({
      status: 'rejected',
      reason: { code: 'E_INTEGRITY', message: 'a pack of the environment does not have the hash it is stored under' },
    });
    expect(second.status).toBe('fulfilled');
    expect(readFileSync(path.join(directory, 'good'), 'utf8')).toBe('as it was');
    expect(() => readFileSync(path.join(directory, 'bad'))).toThrow('ENOENT');
  }));

test('errors of the system keep their code', () =>
  withThreads(async (threads, directory) => {
    writeFileSync(path.join(directory, 'file'), '');
    await expect(threads.write(fetched('file/below', 'x'))).rejects.toMatchObject({ code: 'E_INTEGRITY' });
    await expect(threads.write(fetched('x'.repeat(300), 'x'))).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  }));

test('a thread that ends too early fails what it was to write, also what it is sent later', () =>
  withDirectory(async (directory) => {
    const program = path.join(directory, 'program.js');
    writeFileSync(program, 'process.exit(3)');
    const threads = new WriterThreads(program, directory, 1);
    await expect(threads.write(fetched('a', 'x'))).rejects.toThrow('ended too early');
    await expect(threads.write(fetched('b', 'x'))).rejects.toThrow('ended too early');
    await threads.end();
  }));
