import { EXIT_CODES, formatSize } from '../../lib/contract';
import type { Leftover } from '../../lib/contract';
import type { ReapReport } from '../../lib/runtime/api';
import type { Context } from '../context';
import type { ConnectionOptions } from '../options';
import { jsonReap } from '../render/json-value';
import { count } from '../render/words';
import { withClient } from './connection';

/** `rawcloud reap`: one tick of the reaper. Fails when something could not be proved. */
export async function reap(options: ConnectionOptions, context: Context): Promise<number> {
  const report = await withClient(context, options, (client) => client.reap());
  if (options.json) await context.out.write(`${JSON.stringify(jsonReap(report))}\n`);
  else await context.out.write(`${reapLines(report).join('\n')}\n`);
  return report.unproved.length === 0 ? 0 : EXIT_CODES.internal;
}

function reapLines({ jobs, ended, failed, started, marked, removed, cleared, waiting, swept, unproved }: ReapReport): string[] {
  const lines = (word: string, leftovers: readonly Leftover[]): string[] => leftovers.map((l) => `${word.padEnd(12)}${described(l)}`);
  return [
    `${count(jobs, 'open job')} looked at`,
    ...ended.map((job) => `ended       ${job}${failed.includes(job) ? ': failed' : ''}`),
    ...started.map((job) => `started     ${job}`),
    ...lines('marked', marked),
    ...lines('removed', removed),
    ...lines('cleared', cleared),
    ...(swept.objects > 0 ? [`deleted     ${count(swept.objects, 'object')} with old content, ${formatSize(swept.bytes)}`] : []),
    ...unproved.map(({ what, error }) => `not proved  ${what}: ${error}`),
    ...(waiting > 0 ? [`${count(waiting, 'leftover')} marked; removed by a later pass, if still there`] : []),
  ];
}

const REASONS: Readonly<Record<Leftover['why'], string>> = {
  'no-open-job': 'its job is over',
  'past-lifetime': 'past its lifetime, and its job cannot be read',
  unattached: 'of a VM that is gone',
  unused: 'nothing names it',
  elsewhere: 'has our tag, and no scaffolding there looks after it: left alone',
  foreign: 'has our tag, but no launch of ours made it: left alone',
};

function described({ kind, id, why, job, region }: Leftover): string {
  return `${kind} ${id}${region === undefined ? '' : ` in ${region}`}${job === undefined ? '' : `, job ${job}`}: ${REASONS[why]}`;
}
