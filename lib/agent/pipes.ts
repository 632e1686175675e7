import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** A pipe to a child: what it writes to `fd` comes out of `output`. */
export interface Pipe {
  readonly fd: number;
  readonly output: Readable;
}

/**
 * Real pipes for stdout and stderr. Node's own are sockets, and a program that opens /dev/stdout or /dev/stderr, as
 * shell scripts do, fails on a socket. Their names are gone before anybody else could open them; their mode is that of
 * what the command, under another user, may open again.
 */
export async function makePipes(directory: string): Promise<readonly [stdout: Pipe, stderr: Pipe]> {
  const files = [path.join(directory, `.${randomUUID()}`), path.join(directory, `.${randomUUID()}`)] as const;
  await promisify(execFile)('mkfifo', ['-m', '666', ...files]);
  try {
    return [openPipe(files[0]), openPipe(files[1])];
  } finally {
    for (const file of files) await rm(file, { force: true });
  }
}

/** Reading end first and without blocking: opening the other end then finds a reader. */
function openPipe(file: string): Pipe {
  const reading = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(file, constants.O_WRONLY);
  return { fd, output: new Socket({ fd: reading, readable: true, writable: false }) };
}

/** Our copies of the writing ends: as long as we hold them, the output never ends. */
export function closeWritingEnds(pipes: readonly Pipe[]): void {
  for (const { fd } of pipes) closeSync(fd);
}
