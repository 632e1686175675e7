import { execFile } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { awsEnv } from './cdk';
import { ROOT } from './moto';

export interface Ended {
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

/** The built CLI, as somebody's shell runs it. The packages of the CDK that npm has once installed are the machine's. */
export function rawcloud({ directory, region, cli = CLI, env = {} }: Shell, args: readonly string[]): Promise<Ended> {
  const all = { ...shellEnv(directory, region), ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd: directory, env: all, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

export const CLI = path.join(ROOT, 'dist/bin/rawcloud.js');

export function shellEnv(directory: string, region: string): Record<string, string> {
  return { ...awsEnv(region), HOME: directory, XDG_CACHE_HOME: path.join(os.homedir(), '.cache'), TMPDIR: directory };
}
