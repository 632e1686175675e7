import { open } from 'node:fs/promises';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { hasCode, RawcloudError } from '../../contract';

/** What QEMU says on its control socket, one JSON value a line. Source: QEMU Machine Protocol specification. */
const LineSchema = v.object({
  /** Its greeting. */
  QMP: v.optional(v.unknown()),
  /** The answer to a command. */
  return: v.optional(v.unknown()),
  error: v.optional(v.object({ class: v.string(), desc: v.string() })),
});

const ANSWERS_WITHIN_MS = 30_000;

/** Nobody ever listened, does any more, or died while we spoke: with words of ours unread, or before we had said them. */
const NOBODY_THERE = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'] as const;

/** Commands of QEMU that stand for what a host does to a VM: none takes arguments. */
export type QmpCommand = 'system_powerdown' | 'system_reset';

/**
 * Gives one command to the QEMU that listens on a Unix socket.
 * @returns false when nobody listens: that VM is off
 * @throws E_LOCAL_CLOUD when QEMU refuses the command, or says nothing for 30 s
 */
export async function qmp(socketFile: string, command: QmpCommand): Promise<boolean> {
  // The address of a Unix socket has room for 107 bytes; through a directory that is open it is short, wherever it lies.
  const directory = await open(path.dirname(socketFile)).catch(() => undefined);
  if (!directory) return false;
  try {
    const socket = createConnection(`/proc/self/fd/${directory.fd}/${path.basename(socketFile)}`);
    socket.setTimeout(ANSWERS_WITHIN_MS, () => socket.destroy(new Error(`no answer within ${ANSWERS_WITHIN_MS / 1000} s`)));
    return await converse(socket, command).finally(() => socket.destroy());
  } finally {
    await directory.close();
  }
}

/** Greeting, capabilities, command: events that come in between say nothing to us. */
function converse(socket: Socket, command: QmpCommand): Promise<boolean> {
  const todo = ['qmp_capabilities', command];
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new RawcloudError('E_LOCAL_CLOUD', `QEMU does not carry out ${command}: ${why}`));
    // QEMU may be gone before it has answered: then the VM is off, which is what counts.
    socket.once('error', (error) => (hasCode(error, ...NOBODY_THERE) ? resolve(false) : fail(error.message)));
    socket.once('close', () => resolve(false));
    const lines = createInterface({ input: socket });
    // It passes on the socket's, which is heard above.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const said = v.parse(LineSchema, JSON.parse(line));
      if (said.error) return fail(said.error.desc);
      if (said.QMP === undefined && said.return === undefined) return;
      const next = todo.shift();
      if (next === undefined) resolve(true);
      else socket.write(`${JSON.stringify({ execute: next })}\n`);
    });
  });
}
