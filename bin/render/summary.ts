import { formatDuration, formatSize } from '../../lib/contract';
import type { OutputFile, Timings } from '../../lib/contract';
import type { JobResult, TreeSize } from '../../lib/runtime/api';
import { billText } from './bill-text';
import { labelled, wrapped } from './label';
import type { Downloaded, Leaving } from './presenter';
import type { Style } from './style';
import { count, localTime, relativeTime } from './words';

/** Paths named in one line before it says how many more there are. */
const PATHS_SHOWN = 5;

/** The end of a run: whose exit code it is, the files, the phases, the bill. */
export function resultLines(result: JobResult, how: { local: boolean; style: Style; width: number }): string[] {
  const { style, width } = how;
  return [
    outcomeLine(result, style),
    ...(result.remedy ? [`  → ${result.remedy}`] : []),
    ...(result.outcome === 'environment' ? [`  → rawcloud logs --environment ${result.job} shows how it was built`] : []),
    ...fileLines(result, style, width),
    ...(Object.keys(result.timings).length > 0 ? [labelled('phases', wrapped(phaseTexts(result.timings), ' · ', width), style)] : []),
    labelled('bill', billText(result.bill, how.local), style),
  ];
}

function outcomeLine({ outcome, message, exitCode, exitCodeIsJobs }: JobResult, style: Style): string {
  const mark = outcome === 'ok' ? style.green(`✔ ${outcome}`) : style.red(`✖ ${outcome}`);
  return `${mark} · ${message} · exit code ${exitCode} is ${exitCodeIsJobs ? "the command's own" : "rawcloud's"}`;
}

function fileLines({ job, outputs }: JobResult, style: Style, width: number): string[] {
  const kept = outputs.filter((file) => file.kept);
  const left = outputs.filter((file) => !file.kept);
  return [
    ...(kept.length > 0 ? [labelled('files', `${filesText(kept, width)} · rawcloud download ${job}`, style)] : []),
    ...(left.length > 0 ? [labelled('', `${filesText(left, width)} not kept: too large`, style)] : []),
  ];
}

function filesText(files: readonly OutputFile[], width: number): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const more = files.length > PATHS_SHOWN ? [`and ${files.length - PATHS_SHOWN} more`] : [];
  return `${count(files.length, 'new file')}, ${formatSize(bytes)}: ${wrapped([...files.slice(0, PATHS_SHOWN).map((f) => f.path), ...more], ', ', width)}`;
}

/** `plan 0.21 s`, `capture 0.40 s` … in the order in which they began. */
export function phaseTexts(timings: Timings): string[] {
  const phases = Object.entries(timings).sort(([, [a]], [, [b]]) => a - b);
  return phases.map(([name, [start, end]]) => `${name} ${formatDuration((end - start) / 1000)}`);
}

export function downloadedLine({ directory, files }: Downloaded, style: Style): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return labelled('download', `${count(files.length, 'file')}, ${formatSize(bytes)} written under ${directory}`, style);
}

/** What is left behind, until when, and how to look at it. */
export function leavingLines({ job, name, stopping, until }: Leaving, now: number): string[] {
  const title = `job ${job}${name ? ` (${name})` : ''}`;
  const end = until === undefined ? '' : `; its VM ends itself ${relativeTime(until, now)} (${localTime(until, now)}) at the latest`;
  if (stopping) return [`left ${title} while it was being stopped${end}`, `  → rawcloud status ${job}`];
  return [
    `${title} goes on without us${end}`,
    `  → rawcloud attach ${job} · rawcloud status ${job} · rawcloud logs -f ${job} · rawcloud stop ${job}`,
  ];
}

/** The question about a large tree. */
export function treeLines({ files, bytes, largest }: TreeSize): string[] {
  return [
    `The tree has ${count(files, 'file')} with ${formatSize(bytes)}; what is not in the bucket yet would be uploaded. The largest:`,
    ...largest.map((entry) => `  ${formatSize(entry.bytes).padStart(9)}  ${entry.path}`),
    'A .rawcloudignore file (the syntax is that of .gitignore) leaves paths out.',
  ];
}
