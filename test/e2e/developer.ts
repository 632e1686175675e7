import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

export const CLI = path.join(__dirname, '../../dist/bin/rawcloud.js');

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

/** A developer at a machine: a project directory, and the built CLI as child processes that find the local cloud. */
export class Developer {
  readonly #children = new Set<ChildProcess>();

  /** @param stateDir the local cloud's directory */
  constructor(
    readonly directory: string,
    readonly stateDir: string,
  ) {}

  async moveIn(): Promise<void> {
    await mkdir(this.project, { recursive: true });
    await mkdir(path.join(this.directory, 'home'));
  }

  get project(): string {
    return path.join(this.directory, 'project');
  }

  /** Of this process's, without what `npm run` and a CI add: package managers behave otherwise then. */
  get env(): Record<string, string> {
    const others = /^(AWS_|RAWCLOUD_|VIRTUAL_ENV|XDG_|npm_|CI$)/;
    const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !others.test(name)));
    return {
      ...(kept as Record<string, string>),
      HOME: path.join(this.directory, 'home'),
      XDG_CACHE_HOME: path.join(this.directory, 'cache'),
      RAWCLOUD_LOCAL: '1',
      RAWCLOUD_LOCAL_DIR: this.stateDir,
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
    if (options.stdin !== undefined) child.stdin!.end(options.stdin);
    return this.track(child, options.onStdout);
  }

  /** Follows a process, and ends it with the rest. */
  track(child: ChildProcess, onStdout?: (chunk: Buffer) => void): Running {
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
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
      onStdout?.(chunk);
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

  /** Kills every child that is still there. */
  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}
