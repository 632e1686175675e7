import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { hasCode } from '../contract';
import type { Clock, Exit } from '../contract';
import type { EndReason } from './ending';
import { findExecutable } from './executable';
import { describeExit, describeSpawnFailure } from './exit';
import type { Invocation, Launcher } from './launcher';
import { drain, OutputReader } from './output-reader';
import { closeWritingEnds, makePipes } from './pipes';
import type { Pipe } from './pipes';

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
  /** @param pid of the command, which leads its process group */
  readonly onStarted: (pid: number) => void;
  readonly oomKills: () => Promise<number>;
}

type Exited = Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;

interface Started {
  readonly pid: number;
  readonly exited: Exited;
}

/** The longest grace when the machine is going down: what the command wrote must still be shipped. */
const GOING_DOWN_GRACE_MS = 2_000;

/**
 * Runs one command in a process group of its own. Life: start, output until the command ends and its pipes close (or
 * two seconds later), everything it left behind killed, exit described.
 */
export class Command {
  #child: ChildProcess | undefined;
  #ended: EndReason | undefined;
  readonly #over = new AbortController();

  constructor(private readonly options: CommandOptions) {}

  /** Ends the command: SIGTERM to its group, SIGKILL after the grace (by default the job's own). The first reason stands. */
  end(reason: EndReason, graceMs = this.options.graceMs): void {
    if (this.#over.signal.aborted) return;
    const isFirst = this.#ended === undefined;
    this.#ended ??= reason;
    // A machine that goes down does not wait for a grace that is under way.
    if (!isFirst && reason !== 'going-down') return;
    this.#signal('SIGTERM');
    this.#later(reason === 'going-down' ? Math.min(graceMs, GOING_DOWN_GRACE_MS) : graceMs, () => this.#signal('SIGKILL'));
  }

  async run(): Promise<Exit> {
    const { file, env, cwd, scratch } = this.options;
    const found = findExecutable(file, env['PATH'] ?? '', cwd);
    if (typeof found === 'string') return describeSpawnFailure(found);
    const pipes = await makePipes(scratch);
    const stdin = this.options.stdin === undefined ? 'ignore' : openSync(this.options.stdin, 'r');
    try {
      return await this.#runWith(stdin, pipes);
    } finally {
      this.#over.abort();
      if (typeof stdin === 'number') closeSync(stdin);
      for (const { output } of pipes) output.destroy();
    }
  }

  async #runWith(stdin: 'ignore' | number, pipes: readonly [Pipe, Pipe]): Promise<Exit> {
    const { clock, launcher, oomKills, onOutput } = this.options;
    const before = await oomKills();
    const [stdout, stderr] = pipes;
    const readers: [OutputReader, OutputReader] = [
      new OutputReader(stdout.output, (bytes) => onOutput('stdout', bytes)),
      new OutputReader(stderr.output, (bytes) => onOutput('stderr', bytes)),
    ];
    const started = await this.#start([stdin, stdout.fd, stderr.fd]).finally(() => closeWritingEnds(pipes));
    if (started === 'not-found' || started === 'not-executable') return describeSpawnFailure(started);
    this.options.onStarted(started.pid);
    const { timeoutMs } = this.options;
    if (timeoutMs !== undefined) this.#later(timeoutMs, () => this.end('task-timeout'));
    const exit = await started.exited;
    // What asks it to end from here on comes too late: its exit is its own.
    const ended = this.#ended;
    this.#over.abort();
    await drain(readers, clock, async () => {
      this.#signal('SIGKILL');
      await launcher.sweep();
    });
    return describeExit({ ...exit, ended, memoryRanOut: (await oomKills()) > before });
  }

  async #start(stdio: ['ignore' | number, number, number]): Promise<Started | 'not-found' | 'not-executable'> {
    try {
      return await this.#spawn(this.options, stdio);
    } catch (error) {
      // A script without #!, which a shell would run itself.
      if (hasCode(error, 'ENOEXEC'))
        return this.#spawn({ ...this.options, file: '/bin/sh', args: [this.options.file, ...this.options.args] }, stdio);
      return hasCode(error, 'ENOENT') ? 'not-found' : 'not-executable';
    }
  }

  /** Resolves once the program runs; rejects when it cannot be started. */
  #spawn(command: Invocation, stdio: ['ignore' | number, number, number]): Promise<Started> {
    const { file, args, env, cwd } = this.options.launcher.wrap(command);
    return new Promise((resolve, reject) => {
      const child = spawn(file, args, { cwd, env, stdio, detached: true });
      this.#child = child;
      const exited: Exited = new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })));
      child.once('error', reject);
      child.once('spawn', () => {
        if (this.#ended) this.#signal('SIGTERM');
        resolve({ pid: child.pid!, exited });
      });
    });
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if (!hasCode(error, 'ESRCH', 'EPERM')) throw error;
    }
  }

  #later(ms: number, act: () => void): void {
    void this.options.clock.sleep(ms, this.#over.signal).then(act, () => undefined);
  }
}
