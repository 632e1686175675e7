import os from 'node:os';
import { EXIT_CODES } from '../contract';
import type { Exit } from '../contract';
import type { EndReason } from './ending';

export interface ExitInput {
  readonly code: number | null;
  readonly signal: string | null;
  /** Set when we ended it. */
  readonly ended: EndReason | undefined;
  /** Whether the kernel killed something for want of memory meanwhile. */
  readonly memoryRanOut: boolean;
}

/** What a command leaves with that we ended: as `timeout` and an interrupted shell have it. */
export const ENDED: Readonly<Record<EndReason, Pick<Exit, 'code' | 'reason'>>> = {
  'task-timeout': { code: 124, reason: 'timeout' },
  idle: { code: 124, reason: 'timeout' },
  lifetime: { code: 124, reason: 'timeout' },
  stopped: { code: 130, reason: 'stopped' },
  interrupted: { code: EXIT_CODES.lost, reason: 'interrupted' },
  'going-down': { code: 130, reason: 'stopped' },
};

/** How a command ended, as it goes on record. */
export function describeExit({ code, signal, ended, memoryRanOut }: ExitInput): Exit {
  const bySignal = signal === null ? {} : { signal };
  if (ended) return { ...ENDED[ended], ...bySignal, outOfMemory: false };
  const own = signal === null ? (code ?? 255) : 128 + signalNumber(signal);
  // A shell in between turns its child's SIGKILL into 137.
  const outOfMemory = memoryRanOut && (signal === 'SIGKILL' || own === 137);
  return { code: own, ...bySignal, outOfMemory, reason: signal === null ? 'exited' : 'signal' };
}

/** A command that could not be started: 127 and 126 as a shell has it. */
export function describeSpawnFailure(why: 'not-found' | 'not-executable'): Exit {
  return { code: why === 'not-found' ? 127 : 126, outOfMemory: false, reason: why };
}

function signalNumber(signal: string): number {
  return (os.constants.signals as Readonly<Record<string, number>>)[signal] ?? 0;
}
