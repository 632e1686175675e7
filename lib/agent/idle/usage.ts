import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { hasCode } from '../../contract';
import { findExecutable } from '../executable';
import type { Usage } from './judge';
import { machineUsage } from './machine-usage';
import { processUsage } from './process-usage';
import type { MeasureUsage } from './watch';

/** A driver that hangs must not hold up the look. */
const GPU_WITHIN_MS = 10_000;

/** Measures this machine. @param searchPath where nvidia-smi would be */
export function measureUsage(searchPath: string): MeasureUsage {
  const found = findExecutable('nvidia-smi', searchPath, '/');
  const gpu = typeof found === 'string' ? async () => undefined : () => gpuPercent(found.path);
  return async (pid) => {
    const group = await ownGroup(pid);
    if (group === undefined) return processUsage(pid, await allPids(), readText);
    const [usage, percent] = await Promise.all([machineUsage(group, readText), gpu()]);
    return usage && percent !== undefined ? ({ ...usage, gpuPercent: percent } satisfies Usage) : usage;
  };
}

/** The control group (v2) of a process, when it is another one than ours. */
async function ownGroup(pid: number): Promise<string | undefined> {
  const [its, ours] = await Promise.all([groupOf(String(pid)), groupOf('self')]);
  return its === ours ? undefined : its;
}

async function groupOf(pid: string): Promise<string | undefined> {
  return /^0::(\/.*)$/m.exec((await readText(`/proc/${pid}/cgroup`)) ?? '')?.[1];
}

async function allPids(): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Processes end while one reads of them, and those of others may not be looked at. */
async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

/** Of the busiest GPU. */
async function gpuPercent(program: string): Promise<number> {
  const args = ['--query-gpu=utilization.gpu', '--format=csv,noheader,nounits'];
  const { stdout } = await promisify(execFile)(program, args, { timeout: GPU_WITHIN_MS });
  return Math.max(0, ...stdout.split('\n').map((line) => Number.parseInt(line, 10) || 0));
}
