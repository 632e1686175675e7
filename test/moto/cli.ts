import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { awsEnv } from './cdk';
import { ROOT } from './moto';

export interface Ended {
  /** -1: by a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Shell {
  /** Home and working directory. */
  readonly directory: string;
  readonly region: string;
  /** @default - this clone's, as built */
  readonly cli?: string;
  /** What the environment says besides. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Started {
  readonly ended: Promise<Ended>;
  /** Waits until it prints that. @throws when it ends before */
  printed(text: string): Promise<void>;
  /** As Ctrl-C. */
  interrupt(): void;
}

/** The built CLI, as somebody's shell runs it. The packages of the CDK that npm has once installed are the machine's. */
export function rawcloud(shell: Shell, args: readonly string[]): Promise<Ended> {
  return startRawcloud(shell, args).ended;
}

/** The same, while it runs. */
export function startRawcloud({ directory, region, cli = CLI, env = {} }: Shell, args: readonly string[]): Started {
  const cache = { XDG_CACHE_HOME: path.join(os.homedir(), '.cache') };
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: directory,
    env: { ...awsEnv(region), HOME: directory, TMPDIR: directory, ...cache, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const from of ['stdout', 'stderr'] as const) child[from].setEncoding('utf8').on('data', (text: string) => (said[from] += text));
  const ended = once(child, 'close').then(([code]) => ({ code: (code as number | null) ?? -1, ...said }));
  return {
    ended,
    async printed(text) {
      const over = ended.then(() => 'over' as const);
      while (!said.stdout.includes(text)) {
        if ((await Promise.race([once(child.stdout, 'data'), over])) !== 'over' || said.stdout.includes(text)) continue;
        throw new Error(`it ended and never said '${text}' but:\n${said.stdout}${said.stderr}`);
      }
    },
    interrupt: () => void child.kill('SIGINT'),
  };
}

const CLI = path.join(ROOT, 'dist/bin/rawcloud.js');
