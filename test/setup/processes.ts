import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** A process as the leak check sees it. */
export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** Environment, working directory and arguments in one text; only on Linux, only of our own processes. */
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

function listPs(): SeenProcess[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' }).trim().split('\n');
  return rows.flatMap((row) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row);
    // ps is our child itself.
    return match && !match[3]!.startsWith('ps ') ? { pid: Number(match[1]), parent: Number(match[2]), command: match[3]!, traces: '' } : [];
  });
}
