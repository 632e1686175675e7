import type { JobStatus, JobSummary, ReapReport } from '../../lib/runtime/api';
import type { Timings } from '../../lib/contract';

/** Milliseconds since 1970 as ISO 8601 UTC, as all times in JSON are. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** A row of `ps --json`. */
export function jsonSummary(summary: JobSummary): object {
  return { ...summary, createdAt: isoTime(summary.createdAt) };
}

/** `status --json`. */
export function jsonStatus(status: JobStatus): object {
  const { endedAt, stopRequestedAt, credentialsUntil, outcomeRecord } = status;
  return {
    v: 1,
    ...status,
    createdAt: isoTime(status.createdAt),
    lifetimeUntil: isoTime(status.lifetimeUntil),
    ...optionalTimes({ endedAt, stopRequestedAt, credentialsUntil }),
    vms: status.vms.map((vm) => ({ ...vm, ...optionalTimes({ launchedAt: vm.launchedAt, endedAt: vm.endedAt }) })),
    ...(outcomeRecord ? { outcomeRecord: { ...outcomeRecord, at: isoTime(outcomeRecord.at) } } : {}),
    timings: jsonTimings(status.timings),
  };
}

/** `reap --json`. */
export function jsonReap(report: ReapReport): object {
  return { v: 1, ...report };
}

function optionalTimes(times: Readonly<Record<string, number | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(times).flatMap(([name, ms]) => (ms === undefined ? [] : [[name, isoTime(ms)]])));
}

function jsonTimings(timings: Timings): object {
  const phases = Object.entries(timings);
  return Object.fromEntries(
    phases.map(([name, [start, end]]) => [name, { start: isoTime(start), end: isoTime(end), seconds: (end - start) / 1000 }]),
  );
}
