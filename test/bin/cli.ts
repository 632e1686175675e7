import { PassThrough, Writable } from 'node:stream';
import * as commands from '../../bin/commands';
import type { CliIo, LocalCloudControl, OutputStream, SignalName, StandardInput, Terminal } from '../../bin/io';
import { main } from '../../bin/main';
import type { Check, Clock } from '../../lib/contract';
import type { Exec } from '../../lib/runtime/exec/open';
import type { ConnectOptions } from '../../lib/runtime/api';
import type { DestroyEvent, DestroyRequest } from '../../lib/runtime';
import type { DeployEvent, DeployRequest, Question } from '../../lib/runtime/deploy/deps';
import { environmentHere } from '../../lib/runtime/environment/here';
import { FakeClient, NOW } from './fake-client';
import type { Script } from './fake-client';

/** Keeps what is written to it. */
export class Collector extends Writable {
  isTTY?: boolean;
  columns?: number;
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }
}

/** Time stands still; sleeps end only when aborted, or by {@link pass}. */
export class StillClock implements Clock {
  readonly #sleepers = new Set<{ ms: number; wake: () => void }>();

  now(): number {
    return NOW;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(reasonOf(signal));
      const sleeper = { ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(reasonOf(signal));
      });
    });
  }

  /** Wakes everyone who wanted to sleep exactly this long. */
  pass(ms: number): void {
    for (const sleeper of this.#sleepers) if (sleeper.ms === ms) sleeper.wake();
  }
}

export interface JsonLine {
  readonly v?: number;
  readonly at?: string;
  readonly job?: string;
  readonly type?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}

export interface World {
  readonly script?: Script;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly stdin?: Partial<StandardInput>;
  readonly stdout?: OutputStream;
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly connectFails?: Error;
  readonly checks?: readonly Check[];
  /** What `destroy` tells; the first asks for confirmation. */
  readonly destruction?: readonly DestroyEvent[];
  /** What `deploy` asks and tells, in this order. */
  readonly deployment?: readonly (DeployEvent | Question)[];
  readonly cloud?: LocalCloudControl;
  /** The terminal that input and output are. */
  readonly ttyOf?: Terminal;
  /** What `exec` does on the VM. */
  readonly exec?: Exec['run'];
}

async function* checksOf(checks: readonly Check[]): AsyncGenerator<Check> {
  for (const check of checks) yield check;
}

/** One command line in a world of its own. */
export class Cli {
  readonly out = new Collector();
  readonly err = new Collector();
  readonly clock = new StillClock();
  readonly client: FakeClient;
  readonly connections: ConnectOptions[] = [];
  readonly destructions: DestroyRequest[] = [];
  readonly deployments: DeployRequest[] = [];
  /** Answers to what `deploy` has asked. */
  readonly answers: boolean[] = [];
  confirmed: boolean | undefined;
  readonly #listeners = new Set<(signal: SignalName) => void>();

  constructor(private readonly world: World = {}) {
    this.client = new FakeClient(world.script);
    for (const stream of [this.out, this.err]) {
      if (world.terminal) stream.isTTY = true;
      if (world.columns !== undefined) stream.columns = world.columns;
    }
  }

  run(...argv: string[]): Promise<number> {
    return main(argv, this.io, async () => commands);
  }

  async *#destroy(request: DestroyRequest): AsyncGenerator<DestroyEvent> {
    this.destructions.push(request);
    for (const event of this.world.destruction ?? []) {
      yield event;
      if (event.type === 'survey' && !request.dryRun) this.confirmed = await request.confirm(event.survey);
      if (this.confirmed === false) return;
    }
  }

  async #deploy(request: DeployRequest): Promise<void> {
    this.deployments.push(request);
    for (const one of this.world.deployment ?? []) {
      if ('type' in one) await request.onEvent(one);
      else this.answers.push(await request.confirm(one));
    }
  }

  /** As if the user pressed Ctrl-C, or a process sent a signal. @returns false when nobody listened */
  signal(name: SignalName): boolean {
    for (const listener of this.#listeners) listener(name);
    return this.#listeners.size > 0;
  }

  get stdout(): string {
    return this.out.text;
  }

  get stderr(): string {
    return this.err.text;
  }

  /** stdout as JSON lines. */
  get lines(): JsonLine[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JsonLine);
  }

  /** The world that the command line sees. */
  get io(): CliIo {
    const { world } = this;
    return {
      stdout: world.stdout ?? this.out,
      stderr: this.err,
      stdin: { kind: 'none', isTTY: false, read: () => new PassThrough().end(), ask: async () => '', ...world.stdin },
      ...(world.ttyOf ? { terminal: world.ttyOf } : {}),
      env: world.env ?? {},
      cwd: world.cwd ?? '/home/dev/project/sub',
      clock: this.clock,
      signals: {
        listen: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
      },
      connect: async (options) => {
        this.connections.push(options);
        if (world.connectFails) throw world.connectFails;
        return this.client;
      },
      environmentHere: async (options) => environmentHere(options),
      openDoctor: async (options) => {
        this.connections.push(options);
        if (world.connectFails) throw world.connectFails;
        return { examine: () => checksOf(world.checks ?? []), close: async () => undefined };
      },
      openExec: async (options) => {
        this.connections.push(options);
        if (world.connectFails) throw world.connectFails;
        return { run: world.exec ?? (() => Promise.reject(new Error('nothing is entered in this test'))), close: async () => undefined };
      },
      openDeployment: async (options) => {
        this.connections.push(options);
        if (world.connectFails) throw world.connectFails;
        return { deploy: (request) => this.#deploy(request), close: async () => undefined };
      },
      openDestruction: async (options) => {
        this.connections.push(options);
        if (world.connectFails) throw world.connectFails;
        return { destroy: (request) => this.#destroy(request), close: async () => undefined };
      },
      localCloud: async () => {
        if (world.cloud) return world.cloud;
        throw new Error('no local cloud in this test');
      },
    };
  }
}
