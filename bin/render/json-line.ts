import type { Clock } from '../../lib/contract';
import type { JobResult, RunPlan } from '../../lib/runtime/api';

/** Lines of `--json` that the CLI adds to the library's events; they have the events' envelope. */
export type CliLine =
  /** `--dry-run`: the only line. */
  | { readonly type: 'plan'; readonly data: RunPlan }
  /** Last line of a job that was watched to its end. */
  | { readonly type: 'result'; readonly job: string; readonly data: JobResult }
  /** Last line when the job goes on without us. */
  | {
      readonly type: 'detached';
      readonly job: string;
      readonly data: { readonly name?: string; readonly stopping: boolean; readonly until?: string };
    }
  /** Files that were brought home. */
  | {
      readonly type: 'downloaded';
      readonly job: string;
      readonly data: { readonly directory: string; readonly files: JobResult['outputs'] };
    }
  /** Last line when the CLI itself failed. */
  | { readonly type: 'error'; readonly data: { readonly code: string; readonly message: string; readonly remedy?: string } };

/** One JSON line, in the envelope `{ v, at, job?, type, data }` of the events. */
export function jsonLine(clock: Clock, line: CliLine): string {
  const job = 'job' in line ? { job: line.job } : {};
  return `${JSON.stringify({ v: 1, at: new Date(clock.now()).toISOString(), ...job, type: line.type, data: line.data })}\n`;
}
