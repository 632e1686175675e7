import type { Outcome } from './records';

export type JobState = 'recorded' | 'launching' | 'running' | 'ending' | 'ended';
export type VmState = 'requested' | 'pending' | 'booting' | 'preparing' | 'idle' | 'busy' | 'ending' | 'gone';
export type TaskState = 'waiting' | 'claimed' | 'done';
export type OutcomeName = Outcome['outcome'];

/** The CLI's own exit codes; a job that ran leaves with its own. */
export const EXIT_CODES = {
  ok: 0,
  usage: 2,
  environment: 119,
  refused: 120,
  boot: 121,
  budget: 122,
  lost: 123,
  timeout: 124,
  internal: 125,
  stopped: 130,
} as const;
