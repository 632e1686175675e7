import type { JobView } from '../../contract';

/** How often a watcher asks. Milliseconds. */
export interface Pace {
  /** Least and most time between two looks at log and beat; in between, a twentieth of the time since anything happened. */
  readonly quickestMs: number;
  readonly slowestMs: number;
  /** Between full readings of the records while nothing seems to change. */
  readonly fullMs: number;
  /** Between questions to EC2 while the job runs; less while VMs come or go. */
  readonly describeMs: number;
}

export const DEFAULT_PACE: Pace = { quickestMs: 200, slowestMs: 1000, fullMs: 10_000, describeMs: 15_000 };

/** On loopback a request costs nothing. */
export const LOCAL_PACE: Pace = { quickestMs: 25, slowestMs: 500, fullMs: 2_000, describeMs: 2_000 };

/** Time to the next look: soon after something happened, then less and less often. */
export function nextLookMs(pace: Pace, sinceChangeMs: number): number {
  return Math.min(pace.slowestMs, Math.max(pace.quickestMs, sinceChangeMs / 20));
}

/** Time between questions to EC2: as often as looks while VMs come or go, seldom while a job just runs. */
export function describeEveryMs(pace: Pace, view: JobView | undefined): number {
  if (!view) return 0;
  const settled = view.state === 'running' && view.vms.every((vm) => vm.beat && !vm.beat.final && !vm.silent);
  return settled ? pace.describeMs : Math.max(pace.quickestMs, pace.describeMs / 30);
}
