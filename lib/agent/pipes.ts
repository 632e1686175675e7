import { execFile } from 'node:child_process';
import { close, constants, open } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const openFd = promisify(open);
const closeFd = promisify(close);

/** A pipe to a child: what it writes to `fd` comes out of `output`. */
export interface Pipe {
  readonly fd: number;
  readonly output: Readable;
}

/**
 * Real pipes for stdout and stderr. Node's own are sockets, and a program that opens /dev/stdout or /dev/stderr, as
 * shell scripts do, fails on a socket.
 */
export async function makePipes(directory: string, names: readonly string[]): Promise<Pipe[]> {
  const files = names.map((name) => path.join(directory, `.pipe-${name}`));
  await removeAll(files);
  await promisify(execFile)('mkfifo', ['-m', '600', ...files]);
  try {
    const pipes: Pipe[] = [];
    for (const file of files) {
      // Reading end first and without blocking: opening the other end then finds a reader.
      const reading = await openFd(file, constants.O_RDONLY | constants.O_NONBLOCK);
      const fd = await openFd(file, constants.O_WRONLY);
      pipes.push({ fd, output: new Socket({ fd: reading, readable: true, writable: false }) });
    }
    return pipes;
  } finally {
    await removeAll(files);
  }
}

/** Our copies of the writing ends: as long as we hold them, the output never ends. */
export async function closeWritingEnds(pipes: readonly Pipe[]): Promise<void> {
  for (const { fd } of pipes) await closeFd(fd);
}

async function removeAll(files: readonly string[]): Promise<void> {
  for (const file of files) await rm(file, { force: true });
}
