import { formatDuration, formatUsd } from '../../lib/contract';
import type { JobSummary } from '../../lib/runtime/api';
import type { Style } from './style';
import { clean, columnsOf, cutTo, padTo } from './text';

const GAP = '  ';

/** The command's column is cut to what is left of the line, but never below this. */
const LEAST_COMMAND = 12;

const HEADER = ['JOB', 'NAME', 'STATE', 'AGE', 'VM', 'COST', 'COMMAND'];

/** One line a job, in columns, no wider than `width` where that can be. */
export function jobTable(jobs: readonly JobSummary[], how: { now: number; width: number; style: Style }): string[] {
  const rows = jobs.map((job) => cells(job, how.now));
  const fixed = HEADER.slice(0, -1).map((title, i) => Math.max(title.length, ...rows.map((row) => columnsOf(row[i]!))));
  const used = fixed.reduce((sum, n) => sum + n + GAP.length, 0);
  const command = Math.max(LEAST_COMMAND, how.width - used);
  const line = (row: readonly string[]) => [...fixed.map((n, i) => padTo(row[i]!, n)), cutTo(row.at(-1)!, command)].join(GAP);
  return [how.style.dim(line(HEADER)), ...rows.map(line)];
}

function cells(job: JobSummary, now: number): string[] {
  return [
    job.job,
    job.name ?? '',
    stateText(job),
    formatDuration(Math.max(0, now - job.createdAt) / 1000),
    job.vmType ?? '',
    job.usd === undefined ? '' : formatUsd(job.usd),
    clean(job.command).replaceAll(/ +/g, ' '),
  ];
}

/** `running`; `ok`, `failed 7` once there is an outcome; `stopped, ending` while the VM is not yet proved gone. */
export function stateText({ state, outcome, exitCode }: Pick<JobSummary, 'state' | 'outcome' | 'exitCode'>): string {
  if (!outcome) return state;
  const how = outcome === 'ok' || exitCode === undefined ? outcome : `${outcome} ${exitCode}`;
  return state === 'ended' ? how : `${how}, ${state}`;
}
