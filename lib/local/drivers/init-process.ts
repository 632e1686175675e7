import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { MachineDirectory } from './machine-directory';

/**
 * Whether the process with this number is the machine's init. Numbers are used again, so its arguments are looked at:
 * they hold the path of the machine's own script. A zombie has none, and counts as ended.
 */
export async function isInit(pid: number, directory: MachineDirectory): Promise<boolean> {
  if (!(pid > 1)) return false;
  return (await argumentsOf(pid)).includes(directory.init);
}

/** The init's number as it wrote it itself. */
export async function readInitPid(directory: MachineDirectory): Promise<number | undefined> {
  const text = await readFile(directory.pid, 'utf8').catch(() => '');
  return /^\d+\s*$/.test(text) ? Number(text) : undefined;
}

/** An init that has not come to write its number yet: who started it was killed in that very moment. */
export async function findInit(directory: MachineDirectory): Promise<number | undefined> {
  const listed = await promisify(execFile)('ps', ['axww', '-o', 'pid=,command='], { maxBuffer: 64 << 20 });
  const line = listed.stdout.split('\n').find((l) => l.trimEnd().endsWith(`${directory.init} boot`));
  return line === undefined ? undefined : Number.parseInt(line, 10);
}

async function argumentsOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const listed = promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
  return listed.then(({ stdout }) => stdout).catch(() => '');
}
