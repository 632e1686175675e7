import { formatDuration, formatSize } from '../../contract';

/**
 * What counts as doing something, on average between two looks; one of them is enough, and so is any byte of output.
 * - CPU: 5 % of one core, however many there are. A process that waits, or wakes up each second to look, stays below 1 %;
 *   one that works has at least a large part of a core.
 * - Disk and network, each: 16 KiB a second, which is 1 MB a minute. The system of a VM and rawcloud's own requests while
 *   somebody watches stay below a quarter of that.
 * - GPU: the busiest at 5 %. An idle one shows 0, one with a display server up to 2.
 */
export const ACTIVE = { cores: 0.05, bytesPerS: 16 * 1024, gpuPercent: 5 } as const;

/** Counters of a job from some moment on, of which only differences mean something. What cannot be measured is absent. */
export interface Usage {
  /** CPU time on all cores, milliseconds. */
  readonly cpuMs: number;
  /** Read and written. */
  readonly diskBytes?: number;
  /** Received and sent. */
  readonly networkBytes?: number;
  /** Of the busiest GPU, just now: no counter. */
  readonly gpuPercent?: number;
}

export interface Look {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly usage: Usage;
  /** Bytes that the command has written so far. */
  readonly written: number;
}

/** A time in which next to nothing was done. */
export interface Quiet {
  readonly last: Look;
  /** How long it lasts, milliseconds: 0 after a look that saw the job do something. */
  readonly ms: number;
  /** What was done in it, all the same. */
  readonly done: Usage;
}

const NOTHING: Usage = { cpuMs: 0 };

/**
 * What a further look says. Time that nobody looked at, as when the machine's clock is put forward or the VM stood still,
 * counts as two intervals at most: nobody is called idle for a jump of the clock.
 * @param everyMs between two looks
 */
export function lookAgain(before: Quiet | undefined, look: Look, everyMs: number): Quiet {
  const passedMs = before ? Math.min(look.at - before.last.at, 2 * everyMs) : 0;
  if (!before || look.written > before.last.written) return { last: look, ms: 0, done: NOTHING };
  // A clock that was put back: nothing can be said of the time between.
  if (passedMs <= 0) return { ...before, last: look };
  const done = difference(before.last.usage, look.usage);
  if (isActive(done, passedMs)) return { last: look, ms: 0, done: NOTHING };
  return { last: look, ms: before.ms + passedMs, done: sum(before.done, done) };
}

function isActive(done: Usage, ms: number): boolean {
  const bytesPerS = Math.max(done.diskBytes ?? 0, done.networkBytes ?? 0) / (ms / 1000);
  return done.cpuMs / ms >= ACTIVE.cores || bytesPerS >= ACTIVE.bytesPerS || (done.gpuPercent ?? 0) >= ACTIVE.gpuPercent;
}

/** Counters of processes that have ended are gone: less than before means nothing done. */
function difference(from: Usage, to: Usage): Usage {
  const more = (a = 0, b = 0): number => Math.max(0, b - a);
  return {
    cpuMs: more(from.cpuMs, to.cpuMs),
    ...(to.diskBytes === undefined ? {} : { diskBytes: more(from.diskBytes, to.diskBytes) }),
    ...(to.networkBytes === undefined ? {} : { networkBytes: more(from.networkBytes, to.networkBytes) }),
    ...(to.gpuPercent === undefined ? {} : { gpuPercent: to.gpuPercent }),
  };
}

function sum(a: Usage, b: Usage): Usage {
  return {
    cpuMs: a.cpuMs + b.cpuMs,
    ...(b.diskBytes === undefined ? {} : { diskBytes: (a.diskBytes ?? 0) + b.diskBytes }),
    ...(b.networkBytes === undefined ? {} : { networkBytes: (a.networkBytes ?? 0) + b.networkBytes }),
    ...(b.gpuPercent === undefined ? {} : { gpuPercent: Math.max(a.gpuPercent ?? 0, b.gpuPercent) }),
  };
}

/** `for 30 min: CPU 0.3 % of a core, disk 0 B/s, network 1.2 KiB/s, no output`, as averages. */
export function describeQuiet({ ms, done }: Quiet): string {
  const seconds = Math.max(1, ms) / 1000;
  const rate = (bytes: number): string => `${formatSize(Math.round(bytes / seconds))}/s`;
  return [
    `for ${formatDuration(ms / 1000)}: CPU ${(done.cpuMs / 10 / seconds).toFixed(1)} % of a core`,
    ...(done.diskBytes === undefined ? [] : [`disk ${rate(done.diskBytes)}`]),
    ...(done.networkBytes === undefined ? [] : [`network ${rate(done.networkBytes)}`]),
    ...(done.gpuPercent === undefined ? [] : [`GPU ${done.gpuPercent} %`]),
    'no output',
  ].join(', ');
}
