import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Clock, Exit } from '../contract';
import { describeExit, describeSpawnFailure } from './exit';
import type { EndReason } from './exit';
import type { Invocation, Launcher } from './launcher';
import { closeWritingEnds, makePipes } from './pipes';

export interface CommandOptions extends Invocation {
  readonly launcher: Launcher;
  readonly clock: Clock;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  readonly timeoutMs?: number;
  /** File with what the command reads; else the null device. */
  readonly stdin?: string;
  /** Directory for what the command does not see. */
  readonly scratch: string;
  /** Takes output; what it returns is waited for before more is read. */
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => Promise<void>;
  readonly onStarted: () => void;
  readonly oomKills: () => Promise<number>;
}

type Stdio = ['ignore' | number, number, number];
type Exited = Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;

/** Daemons that hold the pipes after the command has ended get this long to let go. */
const DRAIN_MS = 2_000;

/**
 * Runs one command in a process group of its own. Life: start, output until the command ends and its pipes close (or
 * two seconds later), everything it left behind killed, exit described.
 */
export class Command {
  #child: ChildProcess | undefined;
  #ended: EndReason | undefined;
  #over = new AbortController();

  constructor(private readonly options: CommandOptions) {}

  /** Ends the command: SIGTERM to its group, SIGKILL after the grace. */
  end(reason: EndReason): void {
    if (this.#ended !== undefined || this.#over.signal.aborted) return;
    this.#ended = reason;
    this.#signal('SIGTERM');
    void this.#later(this.options.graceMs, () => this.#signal('SIGKILL'));
  }

  async run(): Promise<Exit> {
    const { scratch, oomKills } = this.options;
    const before = await oomKills();
    const pipes = await makePipes(scratch, ['stdout', 'stderr']);
    const [stdout, stderr] = pipes.map((pipe) => pipe.output) as [Readable, Readable];
    const stdin = this.options.stdin === undefined ? 'ignore' : openSync(this.options.stdin, 'r');
    const reading = Promise.all([this.#read('stdout', stdout), this.#read('stderr', stderr)]);
    try {
      const started = await this.#start([stdin, pipes[0]!.fd, pipes[1]!.fd]);
      await closeWritingEnds(pipes);
      if ('failure' in started) return started.failure;
      this.options.onStarted();
      if (this.options.timeoutMs !== undefined) void this.#later(this.options.timeoutMs, () => this.end('timeout'));
      const { code, signal } = await started.exited;
      await this.#drain(reading, [stdout, stderr]);
      return describeExit({ code, signal, ended: this.#ended, memoryRanOut: (await oomKills()) > before });
    } finally {
      this.#over.abort();
      if (typeof stdin === 'number') closeSync(stdin);
      stdout.destroy();
      stderr.destroy();
      await reading;
    }
  }

  async #start(stdio: Stdio): Promise<{ readonly exited: Exited } | { readonly failure: Exit }> {
    try {
      return await this.#spawn(this.options, stdio);
    } catch (error) {
      const failure = error as NodeJS.ErrnoException;
      if (failure.code !== 'ENOEXEC') return { failure: describeSpawnFailure(failure) };
      // A script without #!, which a shell would run itself.
      return this.#spawn({ ...this.options, file: '/bin/sh', args: [this.options.file, ...this.options.args] }, stdio);
    }
  }

  /** Resolves once the program runs; rejects when it cannot be started. */
  #spawn(command: Invocation, stdio: Stdio): Promise<{ readonly exited: Exited }> {
    const { file, args, env, cwd } = this.options.launcher.wrap(command);
    return new Promise((resolve, reject) => {
      const child = spawn(file, args, { cwd, env, stdio, detached: true });
      this.#child = child;
      const exited: Exited = new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })));
      child.once('error', reject);
      child.once('spawn', () => {
        if (this.#ended) this.#signal('SIGTERM');
        resolve({ exited });
      });
    });
  }

  async #read(stream: 'stdout' | 'stderr', output: Readable): Promise<void> {
    try {
      for await (const chunk of output) await this.options.onOutput(stream, chunk as Buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    }
  }

  /** Reads what is left; then whoever still holds the pipes is killed. */
  async #drain(reading: Promise<unknown>, outputs: readonly Readable[]): Promise<void> {
    const late = Symbol('late');
    const limit = new AbortController();
    const first = await Promise.race([reading, this.options.clock.sleep(DRAIN_MS, limit.signal).then(() => late)]);
    limit.abort();
    this.#signal('SIGKILL');
    if (first === late) outputs.forEach((output) => output.destroy());
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  async #later(ms: number, act: () => void): Promise<void> {
    await this.options.clock.sleep(ms, this.#over.signal).then(act, () => undefined);
  }
}
