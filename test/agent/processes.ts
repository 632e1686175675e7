import { execFileSync } from 'node:child_process';

/** A living process whose arguments name something. */
export interface Named {
  readonly pid: number;
  readonly command: string;
}

/** Living processes that carry the text in their arguments. */
export function processesNaming(text: string): Named[] {
  const lines = execFileSync('ps', ['axww', '-o', 'pid=,stat=,command='], { encoding: 'utf8', maxBuffer: 256 << 20 }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, stat, command] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return command?.includes(text) && !stat!.startsWith('Z') && Number(pid) !== process.pid ? [{ pid: Number(pid), command }] : [];
  });
}

export function isAlive(pid: number): boolean {
  try {
    return !/^\s*Z/.test(execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }));
  } catch {
    return false;
  }
}
