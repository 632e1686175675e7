import { formatDuration, formatSize } from '../../lib/contract';
import type { Timings } from '../../lib/contract';
import type { JobStatus } from '../../lib/runtime/api';
import { billText } from './bill-text';
import { stateText } from './job-table';
import { labelled } from './label';
import type { Style } from './style';
import { count, localTime, offerText, relativeTime } from './words';

export interface StatusView {
  readonly now: number;
  readonly local: boolean;
  readonly style: Style;
  readonly width: number;
}

/** What `rawcloud status` prints. */
export function statusLines(status: JobStatus, how: StatusView): string[] {
  const { style, now } = how;
  const column = (label: string, lines: readonly string[]) => lines.map((line, i) => labelled(i === 0 ? label : '', line, style));
  return [
    ...column('job', [`${status.job}${status.name ? ` (${status.name})` : ''} · ${stateText(status)}`]),
    ...column('command', [`${status.argv.map(shellWord).join(' ')}${status.cwd ? ` · in ${status.cwd}` : ''}`]),
    ...column('owner', [status.owner]),
    ...column('created', [moment(status.createdAt, now)]),
    ...column('outcome', outcomeTexts(status)),
    ...column('launch', status.launches.map(launchText)),
    ...column(
      'vm',
      status.vms.map((vm) => vmText(vm, now)),
    ),
    ...column('files', fileTexts(status)),
    ...column('ends', endTexts(status, now)),
    ...column('bill', [`${billText(status.bill, how.local)}${status.state === 'ended' ? '' : ' · so far'}`]),
  ];
}

/** One line for each phase, in the order in which they began: when it began after the first, and how long it took. */
export function timingLines(timings: Timings): string[] {
  const phases = Object.entries(timings).sort(([, [a]], [, [b]]) => a - b);
  const zero = phases[0]?.[1][0] ?? 0;
  const rows = phases.map(([name, [start, end]]) => [
    name,
    `+${formatDuration((start - zero) / 1000)}`,
    formatDuration((end - start) / 1000),
  ]);
  return [['PHASE', 'BEGAN', 'TOOK'], ...rows].map(
    ([name = '', began = '', took = '']) => `${name.padEnd(14)}${began.padStart(14)}${took.padStart(14)}`,
  );
}

function moment(ms: number, now: number): string {
  return `${localTime(ms, now)} (${relativeTime(ms, now)})`;
}

function outcomeTexts({ outcomeRecord }: JobStatus): string[] {
  if (!outcomeRecord) return [];
  const { outcome, message, exitCode, remedy } = outcomeRecord;
  return [`${outcome} · ${message} · exit code ${exitCode}`, ...(remedy ? [`→ ${remedy}`] : [])];
}

function launchText({ offer, state, reason, failure }: JobStatus['launches'][number]): string {
  return `${offerText(offer)}${reason ? ` · ${reason}` : ''} · ${state}${failure ? ` · ${failure}` : ''}`;
}

function vmText({ id, state, silent, detail, launchedAt, endedAt }: JobStatus['vms'][number], now: number): string {
  return [
    `${id} · ${state}`,
    ...(silent ? ['silent'] : []),
    ...(detail ? [detail] : []),
    ...(launchedAt === undefined ? [] : [`launched ${moment(launchedAt, now)}`]),
    ...(endedAt === undefined ? [] : [`ended ${moment(endedAt, now)}`]),
  ].join(' · ');
}

function fileTexts({ job, outputs, outputsOmitted }: JobStatus): string[] {
  if (outputs.length === 0) return [];
  const omitted = outputsOmitted > 0 ? `, ${count(outputsOmitted, 'more', 'more')} not listed` : '';
  return [
    `${count(outputs.length, 'new file')}${omitted} · rawcloud download ${job}`,
    ...outputs.map((file) => `${formatSize(file.bytes).padStart(9)}  ${file.path}${file.kept ? '' : ' · not kept: too large'}`),
  ];
}

function endTexts(status: JobStatus, now: number): string[] {
  if (status.endedAt !== undefined) return [`${moment(status.endedAt, now)}: every VM is gone`];
  const { lifetimeUntil, stopRequestedAt, credentialsUntil, job } = status;
  return [
    ...(stopRequestedAt === undefined ? [] : [`asked to stop ${moment(stopRequestedAt, now)}`]),
    `the VM ends itself ${moment(lifetimeUntil, now)} at the latest · rawcloud extend ${job} 12h`,
    ...(credentialsUntil === undefined ? [] : [`the job's AWS credentials end ${moment(credentialsUntil, now)}`]),
  ];
}

/** As one would type it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
