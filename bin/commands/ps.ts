import { RawcloudError } from '../../lib/contract';
import type { Context } from '../context';
import type { PsOptions } from '../options';
import { jsonSummary } from '../render/json-value';
import { jobTable } from '../render/job-table';
import { styleFor, widthOf } from '../render/style';
import { rememberJobs } from './completion/recent-jobs';
import { withClient } from './connection';

/** Columns where there is no terminal: wide enough for long commands in a file, narrow enough to read. */
const WIDTH_WITHOUT_TERMINAL = 200;

/** `rawcloud ps`: the jobs that are on; with `--all` the ended ones too. */
export async function ps(options: PsOptions, context: Context): Promise<number> {
  const { io, out, err } = context;
  const limit = options.limit === undefined ? undefined : parseLimit(options.limit);
  const all = options.all ?? false;
  const found = await withClient(context, options, (client) => client.jobs({ all, ...(limit === undefined ? {} : { limit }) }));
  const jobs = found.slice(0, limit);
  await rememberJobs(jobs, io.env, io.clock.now());
  if (options.json) await out.write(`${JSON.stringify({ v: 1, jobs: jobs.map(jsonSummary) })}\n`);
  else if (jobs.length === 0) await err.write(all ? 'There are no jobs yet.\n' : 'No job is on. `rawcloud ps --all` shows ended ones.\n');
  else {
    const width = widthOf(io.stdout, io.env, WIDTH_WITHOUT_TERMINAL);
    await out.write(`${jobTable(jobs, { now: io.clock.now(), width, style: styleFor(io.stdout, io.env) }).join('\n')}\n`);
  }
  return 0;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new RawcloudError('E_USAGE', `--limit '${text}' is not a number of jobs; allowed are whole numbers from 1`);
}
