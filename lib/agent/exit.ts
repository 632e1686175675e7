import os from 'node:os';
import type { Exit } from '../contract';

/** Why the agent ended a command that would have gone on. */
export type EndReason = 'timeout' | 'stopped';

export interface ExitInput {
  readonly code: number | null;
  readonly signal: string | null;
  /** Set when we ended it. */
  readonly ended: EndReason | undefined;
  /** Whether the kernel killed something for want of memory meanwhile. */
  readonly memoryRanOut: boolean;
}

/** How a command ended, as it goes on record. */
export function describeExit({ code, signal, ended, memoryRanOut }: ExitInput): Exit {
  const own = signal ? 128 + signalNumber(signal) : (code ?? 255);
  const outOfMemory = ended === undefined && memoryRanOut && (signal === 'SIGKILL' || own === 137);
  if (ended === 'timeout') return { code: 124, ...(signal ? { signal } : {}), outOfMemory, reason: 'timeout' };
  if (ended === 'stopped') return { code: 130, ...(signal ? { signal } : {}), outOfMemory, reason: 'stopped' };
  return signal ? { code: own, signal, outOfMemory, reason: 'signal' } : { code: own, outOfMemory, reason: 'exited' };
}

/** A command that could not be started: 127 and 126 as a shell has it. */
export function describeSpawnFailure(error: NodeJS.ErrnoException): Exit {
  return error.code === 'ENOENT'
    ? { code: 127, outOfMemory: false, reason: 'not-found' }
    : { code: 126, outOfMemory: false, reason: 'not-executable' };
}

function signalNumber(signal: string): number {
  return (os.constants.signals as Readonly<Record<string, number>>)[signal] ?? 0;
}
