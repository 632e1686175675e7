import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import path from 'node:path';
import { hasCode } from '../../contract';
import type { Clock } from '../../contract';
import { findExecutable } from '../executable';
import { describeSpawnFailure } from '../exit';
import type { Launcher } from '../launcher';
import { readLines, writeLine } from './line';
import type { Asked } from './line';

export interface JobEntryOptions {
  /** The script that the session document starts. */
  readonly file: string;
  readonly launcher: Launcher;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
}

/** Where the command of the job is. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** From the word that the job has ended until what was entered is killed. */
const GRACE_MS = 2_000;

/** A shell where nothing is asked for. */
const SHELL = '/bin/bash';

/**
 * The way into a job for `rawcloud exec`. Life: `open` when the command is about to start makes a script that only root reads;
 * who enters through it (`enter.ts`, started by the SSM agent) asks here what to start, and is told when the job has ended.
 * Environment and token go over loopback and stay in memory: no file holds the job's variables. `close` takes the script
 * away, tells all, and kills what did not end.
 */
export class JobEntry {
  readonly #token = randomBytes(32);
  readonly #entered = new Map<Socket, number | undefined>();
  readonly #answering = new Set<Promise<void>>();
  #server: Server | undefined;
  #count = 0;

  constructor(private readonly options: JobEntryOptions) {}

  /** A way in that cannot be made is no reason not to run the job. */
  async open(surroundings: Surroundings): Promise<void> {
    const { file, onTrouble } = this.options;
    try {
      const server = createServer((socket) => {
        const answered = this.#answer(socket, surroundings).finally(() => this.#answering.delete(answered));
        this.#answering.add(answered);
      });
      this.#server = server;
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(`${file}.new`, this.#script(port), { mode: 0o700 });
      await rename(`${file}.new`, file);
    } catch (error) {
      onTrouble(error);
    }
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    await rm(this.options.file, { force: true });
    server.close();
    for (const socket of this.#entered.keys()) writeLine(socket, { over: true });
    const enough = new AbortController();
    const late = this.options.clock.sleep(GRACE_MS, enough.signal).catch(() => undefined);
    await Promise.race([Promise.all(this.#answering), late]);
    enough.abort();
    for (const socket of this.#entered.keys()) socket.destroy();
    await Promise.all(this.#answering);
  }

  async #answer(socket: Socket, surroundings: Surroundings): Promise<void> {
    // A connection that breaks ends the reading below.
    socket.on('error', () => undefined);
    try {
      for await (const asked of readLines<Asked>(socket)) {
        if (!this.#entered.has(socket)) {
          if (!this.#knows(asked.token)) return;
          this.#entered.set(socket, undefined);
          writeLine(socket, this.#hand(asked, surroundings));
        }
        if (Number.isInteger(asked.group) && asked.group! > 1) this.#entered.set(socket, asked.group);
        if (asked.done) this.#entered.set(socket, undefined);
      }
    } finally {
      const group = this.#entered.get(socket);
      this.#entered.delete(socket);
      // Who entered is gone without a word, as when the client is: what was started does not stay behind.
      if (group !== undefined) killGroup(group);
      socket.destroy();
    }
  }

  #hand({ argv = [], term }: Asked, { env: own, cwd }: Surroundings): Parameters<typeof writeLine>[1] {
    const env = term === undefined ? own : { ...own, TERM: term };
    const [file = SHELL, ...args] = argv;
    const found = findExecutable(file, env['PATH'] ?? '', cwd);
    if (typeof found === 'string') {
      const { code } = describeSpawnFailure(found);
      return { refused: { code, message: `${file}: ${found === 'not-found' ? 'not found' : 'cannot be executed'}` } };
    }
    const { launcher } = this.options;
    return { invocation: launcher.beside({ file, args, env, cwd }, ++this.#count) };
  }

  #knows(token: unknown): boolean {
    const shown = Buffer.from(typeof token === 'string' ? token : '', 'hex');
    return shown.byteLength === this.#token.byteLength && timingSafeEqual(shown, this.#token);
  }

  /** The token is in the environment of root's process and in no arguments, which everybody may read. */
  #script(port: number): string {
    const program = [process.execPath, process.argv[1] ?? ''].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    return `#!/bin/sh\nRAWCLOUD_ENTRY=${port}:${this.#token.toString('hex')} exec ${program} exec "$1"\n`;
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}
