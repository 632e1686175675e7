import type { JobView, VmView } from '../../contract';

/** How often a watcher asks. Milliseconds. */
export interface Pace {
  /** Least and most time between two looks at the log; in between, a twentieth of the time since anything happened. */
  readonly quickestMs: number;
  readonly slowestMs: number;
  /** Between looks at the beat of a job that just runs; while VMs come or go it is read with the log. */
  readonly beatMs: number;
  /** Between full readings of the records while nothing seems to change. */
  readonly fullMs: number;
  /** Between questions to EC2 while the job just runs. */
  readonly describeMs: number;
  /** The same while VMs boot: their first beat tells more. */
  readonly describeBootMs: number;
  /** The same while VMs are requested or go. */
  readonly describeSoonMs: number;
}

export const DEFAULT_PACE: Pace = {
  quickestMs: 200,
  slowestMs: 3_000,
  beatMs: 6_000,
  fullMs: 60_000,
  describeMs: 30_000,
  describeBootMs: 1_000,
  describeSoonMs: 1_000,
};

/** On loopback a request costs no money, but time of the cores that the VM runs on as well. */
export const LOCAL_PACE: Pace = {
  quickestMs: 25,
  slowestMs: 500,
  beatMs: 500,
  fullMs: 2_000,
  describeMs: 2_000,
  describeBootMs: 250,
  describeSoonMs: 25,
};

/** Time to the next look: soon after something happened, then less and less often. */
export function nextLookMs(pace: Pace, sinceChangeMs: number): number {
  return Math.min(pace.slowestMs, Math.max(pace.quickestMs, sinceChangeMs / 20));
}

/** Time between questions to EC2: often while VMs come or go, seldom while a job just runs. */
export function describeEveryMs(pace: Pace, view: JobView | undefined): number {
  if (!view) return 0;
  if (justRuns(view)) return pace.describeMs;
  return view.vms.length > 0 && view.vms.every(boots) ? pace.describeBootMs : pace.describeSoonMs;
}

/** Time between two looks at the beat. */
export function beatEveryMs(pace: Pace, view: JobView | undefined): number {
  return view && justRuns(view) ? pace.beatMs : 0;
}

function boots({ state, beat }: VmView): boolean {
  return !beat && (state === 'pending' || state === 'booting');
}

function justRuns(view: JobView): boolean {
  return view.state === 'running' && view.vms.every((vm) => vm.beat && vm.beat.phase === 'busy' && !vm.silent);
}
