import type { Usage } from './judge';
import type { ReadText } from './machine-usage';

/** Milliseconds in a clock tick. Source: proc(5); USER_HZ is 100 on every architecture that VMs have. */
const TICK_MS = 10;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly cpuMs: number;
}

/**
 * Of a command without a control group of its own, on a machine that it shares: CPU time of its processes, with what their
 * ended children used, and the bytes that they read and wrote, on disks as well as through pipes and connections.
 * @returns undefined where the kernel has no /proc
 */
export async function processUsage(pid: number, pids: readonly number[], read: ReadText): Promise<Usage | undefined> {
  const known: Process[] = [];
  for (const other of pids) {
    const parsed = parseStat(other, (await read(`/proc/${other}/stat`)) ?? '');
    if (parsed) known.push(parsed);
  }
  if (known.length === 0) return undefined;
  const own = familyOf(pid, known);
  let diskBytes = 0;
  for (const member of own) diskBytes += ioBytes((await read(`/proc/${member.pid}/io`)) ?? '');
  return { cpuMs: own.reduce((sum, { cpuMs }) => sum + cpuMs, 0), diskBytes };
}

/** Those of its process group and session, and all that descend from one of them. */
function familyOf(pid: number, known: readonly Process[]): Process[] {
  const family = new Set(known.filter((p) => p.pid === pid || p.group === pid || p.session === pid).map((p) => p.pid));
  for (let before = -1; before !== family.size;) {
    before = family.size;
    for (const { pid: child, parent } of known) if (family.has(parent)) family.add(child);
  }
  return known.filter((p) => family.has(p.pid));
}

/** After the name, which may hold anything, the fields as proc(5) numbers them from 3 on. */
export function parseStat(pid: number, stat: string): Process | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 15) return undefined;
  const field = (number: number): number => Number(fields[number - 3]);
  const ticks = [14, 15, 16, 17].reduce((sum, number) => sum + field(number), 0);
  return { pid, parent: field(4), group: field(5), session: field(6), cpuMs: ticks * TICK_MS };
}

function ioBytes(io: string): number {
  return [/^rchar: (\d+)$/m, /^wchar: (\d+)$/m].reduce((sum, pattern) => sum + Number(pattern.exec(io)?.[1] ?? 0), 0);
}
