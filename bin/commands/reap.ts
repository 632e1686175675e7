import { EXIT_CODES } from '../../lib/contract';
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

function reapLines({ jobs, ended, terminated, unproved }: ReapReport): string[] {
  return [
    `${count(jobs, 'open job')} looked at`,
    ...ended.map((job) => `ended       ${job}`),
    ...terminated.map((vm) => `terminated  ${vm}`),
    ...unproved.map(({ what, error }) => `not proved  ${what}: ${error}`),
  ];
}
