import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { VERSION } from '../../lib/contract';
import { startLocalCloud } from '../../lib/local/cloud';
import type { LocalCloud, LocalCloudOptions } from '../../lib/local/cloud';
import { writeCloudFile } from '../../lib/local/cloud-file';
import { createControl } from '../../lib/local/control';
import { connect } from '../../lib/runtime';
import type { Client } from '../../lib/runtime';
import { machineProcesses } from '../fakes/local-cloud';

const CLI = path.join(__dirname, '../../dist/bin/rawcloud.js');

/** A process of the CLI: what it wrote, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves as soon as stdout and stderr together match. */
  saw(pattern: RegExp): Promise<void>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string | Buffer;
  readonly onStdout?: (chunk: Buffer) => void;
}

/**
 * A developer's house: a project directory, a local cloud in this process (so that a test can break things), and the
 * built CLI as child processes that find it.
 */
export class House {
  readonly #children = new Set<ChildProcess>();

  private constructor(
    readonly directory: string,
    readonly cloud: LocalCloud,
  ) {}

  static async open(options: Partial<Omit<LocalCloudOptions, 'stateDir'>> = {}): Promise<House> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-test-'));
    const stateDir = path.join(directory, 'state');
    const token = 'token-of-the-test';
    const cloud = await startLocalCloud({
      log: () => undefined,
      ...options,
      stateDir,
      control: (c) => createControl(c, { token, onShutdown: () => undefined }),
    });
    const { url, port, region, credentials } = cloud;
    await writeCloudFile(stateDir, { v: 1, pid: process.pid, port, url, region, token, credentials, version: VERSION });
    const house = new House(directory, cloud);
    await mkdir(house.project);
    await mkdir(path.join(directory, 'home'));
    return house;
  }

  get project(): string {
    return path.join(this.directory, 'project');
  }

  get env(): Record<string, string> {
    const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|RAWCLOUD_|VIRTUAL_ENV|XDG_)/.test(name)));
    return {
      ...(kept as Record<string, string>),
      HOME: path.join(this.directory, 'home'),
      XDG_CACHE_HOME: path.join(this.directory, 'cache'),
      RAWCLOUD_LOCAL: '1',
      RAWCLOUD_LOCAL_DIR: this.cloud.stateDir,
      NO_COLOR: '1',
    };
  }

  async write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(this.project, name)), { recursive: true });
      await writeFile(path.join(this.project, name), content);
    }
  }

  start(args: readonly string[], options: RunOptions = {}): Running {
    const env = Object.fromEntries(Object.entries({ ...this.env, ...options.env }).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >;
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: options.cwd ?? this.project,
      env,
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    if (options.stdin !== undefined) child.stdin!.end(options.stdin);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const waiting: { pattern: RegExp; resolve: () => void }[] = [];
    const look = (): void => {
      if (waiting.length === 0) return;
      const text = Buffer.concat([...out, ...err]).toString();
      for (const w of waiting) if (w.pattern.test(text)) w.resolve();
    };
    child.stdout!.on('data', (chunk: Buffer) => {
      out.push(chunk);
      options.onStdout?.(chunk);
      look();
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      err.push(chunk);
      look();
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }));
    });
    const saw = (pattern: RegExp): Promise<void> =>
      Promise.race([
        new Promise<void>((resolve) => {
          waiting.push({ pattern, resolve });
          look();
        }),
        ended.then((e) => {
          if (!pattern.test(e.stdout.toString() + e.stderr))
            throw new Error(`ended with ${e.code} without ${pattern}:\n${e.stdout.toString()}\n${e.stderr}`);
        }),
      ]);
    return { child, ended, saw };
  }

  rawcloud(args: readonly string[], options?: RunOptions): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** A client in this process, of the same developer. */
  client(): Promise<Client> {
    return connect({ env: this.env, cwd: this.project, local: true });
  }

  /** The one JSON value that a command prints. */
  async value<T>(args: readonly string[]): Promise<T> {
    const { stdout } = await this.rawcloud([...args, '--json']);
    return JSON.parse(stdout.toString()) as T;
  }

  /** JSON lines of a command. */
  async json(args: readonly string[], options?: RunOptions): Promise<{ type: string; data: Record<string, unknown> }[]> {
    const { stdout } = await this.rawcloud([...args, '--json'], options);
    return stdout
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { type: string; data: Record<string, unknown> });
  }

  /** Calls of an operation so far. */
  calls(operation: string): number {
    return this.cloud.calls.recent().filter((c) => c.operation === operation).length;
  }

  /** VMs that are not terminated. */
  alive(): string[] {
    return this.cloud.ec2
      .instances()
      .filter((i) => i.state !== 'terminated')
      .map((i) => i.id);
  }

  /** Resolves when nothing is on any more. */
  async allGone(): Promise<void> {
    await Promise.all(this.alive().map((id) => this.cloud.ec2.whenState(id, 'terminated', AbortSignal.timeout(15_000))));
  }

  /** A file in the tree of the VM that runs. */
  async place(name: string, content = ''): Promise<void> {
    const [id] = this.alive();
    await writeFile(path.join(this.cloud.stateDir, 'machines', id!, 'var/lib/rawcloud/job/tree', name), content);
  }

  /** A file of a VM, whose disk is gone when it has ended. */
  machineFile(id: string, name: string): Promise<string> {
    return readFile(path.join(this.cloud.stateDir, 'machines', id, name), 'utf8');
  }

  /** Every file that the local cloud and the client keep, by name; Node's own executable, of 100 MB, aside. */
  async everything(): Promise<{ name: string; content: Buffer }[]> {
    const found: { name: string; content: Buffer }[] = [];
    for (const top of [this.cloud.stateDir, path.join(this.directory, 'cache')]) {
      if (!existsSync(top)) continue;
      for (const entry of await readdir(top, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const name = path.join(entry.parentPath, entry.name);
        // What ends meanwhile takes its files along.
        const { size } = await stat(name).catch(() => ({ size: Infinity }));
        if (size > 50e6) continue;
        const content = await readFile(name).catch(() => Buffer.alloc(0));
        found.push({ name: path.relative(this.directory, name), content });
      }
    }
    return found;
  }

  /** Ends everything. @throws when a VM was on, or a process of one is left behind */
  async close(): Promise<void> {
    const alive = this.alive();
    for (const child of this.#children) child.kill('SIGKILL');
    await this.cloud.close();
    const left = machineProcesses(this.directory);
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
    if (alive.length > 0) throw new Error(`VMs were still on: ${alive.join(', ')}`);
    if (left.length > 0) throw new Error(`processes of machines were left behind: ${left.map((p) => p.command).join('; ')}`);
  }
}
