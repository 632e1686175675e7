import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** A process as the leak check sees it. */
export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** Environment, working directory (on Linux) and arguments in one text; of our own processes, and none of a zombie on Linux. */
  readonly traces: string;
}

/** All processes of the machine; zombies count, for somebody has not waited for them. */
export function listProcesses(): SeenProcess[] {
  return process.platform === 'linux' ? listProc() : listPs();
}

function listProc(): SeenProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

function readProcess(pid: number): SeenProcess | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === '') return undefined;
  // The name stands in parentheses and may hold any character: the fields after the last one are safe.
  const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const command = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  const traces = [readText(`/proc/${pid}/environ`), readLink(`/proc/${pid}/cwd`), command].join('\0');
  return { pid, parent: Number(parent), command: command || stat.slice(stat.indexOf('('), stat.lastIndexOf(')') + 1), traces };
}

/** '' when the process has gone or is not ours. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function readLink(file: string): string {
  try {
    return path.normalize(readlinkSync(file));
  } catch {
    return '';
  }
}

/** Where there is no /proc: its second column of words has the environment too. */
function listPs(): SeenProcess[] {
  const traces = new Map(psRows(['axeww', '-o', 'pid=,ppid=,command=']).map(({ pid, text }) => [pid, text]));
  // ps is our child itself.
  return psRows(['axww', '-o', 'pid=,ppid=,command='])
    .filter(({ text }) => !text.startsWith('ps '))
    .map(({ pid, parent, text }) => ({ pid, parent, command: text, traces: traces.get(pid) ?? '' }));
}

function psRows(args: readonly string[]): { pid: number; parent: number; text: string }[] {
  const rows = execFileSync('ps', args, { encoding: 'utf8', maxBuffer: 256 << 20 }).split('\n');
  return rows.flatMap((row) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row);
    return match ? [{ pid: Number(match[1]), parent: Number(match[2]), text: match[3]! }] : [];
  });
}

/** Living processes but this one that carry a text in environment, arguments or the name of their working directory. */
export function processesWith(text: string): SeenProcess[] {
  return listProcesses().filter(({ pid, traces }) => pid !== process.pid && traces.includes(text));
}

/** Whether a process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\s*Z/.test(execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }));
  } catch {
    return false;
  }
}
