import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { hasCode, RawcloudError } from '../../../contract';
import type { BuildIo } from '../../../contract';
import { findProgram } from '../programs';
import { bunzip2 } from './bzip2';
import { zipMembers } from './zip';

/** Node has zstd from 22.15 on. VMs run a Node of ours; in the local cloud it is the developer's. */
const { createZstdDecompress }: { readonly gzip: unknown; readonly createZstdDecompress?: () => zlib.Gunzip } = zlib;

/** Puts what a package's archive holds into a directory. @throws E_INTEGRITY, E_ENVIRONMENT */
export async function unpackArchive(file: string, directory: string, io: BuildIo): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (file.endsWith('.tar.bz2')) {
    const bzip2 = findProgram('bzip2', io);
    const input = createReadStream(file);
    // The program is ten times as quick.
    if (bzip2) return through([bzip2, '-dc'], input, directory, io);
    input.destroy();
    return untar(Readable.from(bunzip2(await readFile(file))), directory, io);
  }
  const members = await zipMembers(file);
  const tars = members.filter(({ name }) => /^(info|pkg)-.*\.tar\.zst$/.test(name));
  if (tars.length < 2) throw new RawcloudError('E_INTEGRITY', 'it is no archive of conda: info and content are not both in it');
  for (const { start, end } of tars) await unzstd(createReadStream(file, { start, end: end - 1 }), directory, io);
}

async function unzstd(input: Readable, directory: string, io: BuildIo): Promise<void> {
  if (createZstdDecompress) return untar(input, directory, io, createZstdDecompress());
  const program = findProgram('zstd', io);
  if (program) return through([program, '-dcq'], input, directory, io);
  input.destroy();
  throw new RawcloudError(
    'E_ENVIRONMENT',
    `packages in the .conda format take zstd, which neither Node ${process.versions.node} nor the machine has`,
    {
      remedy: 'Use Node 22.15 or later, or install zstd.',
    },
  );
}

/** `input` goes through a program that decompresses. */
async function through([program, ...args]: readonly [string, ...string[]], input: Readable, directory: string, io: BuildIo): Promise<void> {
  const child = spawn(program, args, { env: io.env, signal: io.signal, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  const [fed, written] = await Promise.allSettled([pipeline(input, child.stdin), untar(child.stdout, directory, io)]);
  const [code] = (await ended) as [number | null];
  io.signal.throwIfAborted();
  if (code !== 0) throw new RawcloudError('E_INTEGRITY', `it cannot be decompressed: ${program} exited with ${code}`);
  for (const result of [written, fed]) if (result.status === 'rejected') throw result.reason;
}

/** By the VM's tar: it knows every dialect, and lets nothing out of the directory. */
async function untar(input: Readable, directory: string, io: BuildIo, inflate?: zlib.Gunzip): Promise<void> {
  // Without being told, tar ends with the archive, and not with what is read from a pipe: then whoever writes into it fails.
  const args = ['-xf', '-', '-C', directory, '--no-same-owner', '--ignore-zeros'];
  const child = spawn('tar', args, { env: io.env, signal: io.signal, stdio: ['pipe', 'ignore', 'pipe'] });
  const said: Buffer[] = [];
  child.stderr.on('data', (bytes: Buffer) => void said.push(bytes));
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  ended.catch(() => undefined);
  const fed = await Promise.allSettled([inflate ? pipeline(input, inflate, child.stdin) : pipeline(input, child.stdin)]);
  const code = await ended;
  io.signal.throwIfAborted();
  const cause: unknown = fed[0].status === 'rejected' ? fed[0].reason : undefined;
  // It may be gone before the end that it has read is told of.
  if (code === 0 && (cause === undefined || hasCode(cause, 'ERR_STREAM_PREMATURE_CLOSE', 'EPIPE'))) return;
  const why = Buffer.concat(said).toString().trim().split('\n')[0];
  throw new RawcloudError(
    'E_INTEGRITY',
    `it cannot be unpacked: ${why || (cause instanceof Error ? cause.message : `tar exited with ${code}`)}`,
    {
      cause,
    },
  );
}
