import { RawcloudError } from '../../lib/contract';
import type { LogStream } from '../../lib/contract';
import type { JobHandle, OutputChunk } from '../../lib/runtime/api';
import type { Context } from '../context';
import type { LogsOptions } from '../options';
import { isoTime } from '../render/json-value';
import { jsonOutput } from '../render/output';
import { withClient } from './connection';

/** `rawcloud logs`: what the job wrote, byte for byte, to the streams it wrote it to; the VM's own words beside it go to stderr. */
export async function logs(which: string | undefined, options: LogsOptions, context: Context): Promise<number> {
  checkCombinations(options);
  await withClient(context, options, async (client) => {
    const job = await client.job(which);
    await (options.boot ? bootLog(job, options, context) : output(job, options, context));
  });
  return 0;
}

async function bootLog(job: JobHandle, { json }: LogsOptions, { out, err }: Context): Promise<void> {
  const log = await job.bootLog();
  if (json) await out.write(`${JSON.stringify({ v: 1, job: job.id, bootLog: log })}\n`);
  else if (log === '') await err.write('There is no boot log yet: neither in the bucket nor on the console.\n');
  else await out.write(log.endsWith('\n') ? log : `${log}\n`);
}

async function output(job: JobHandle, options: LogsOptions, context: Context): Promise<void> {
  const { gone } = context.out;
  let isEmpty = true;
  try {
    for await (const chunk of job.logs({ streams: streamsOf(options), follow: options.follow ?? false, signal: gone })) {
      if (gone.aborted) return;
      isEmpty = false;
      await (options.json ? context.out.write(jsonChunk(job, chunk, context)) : show(chunk, options, context));
    }
    if (isEmpty && options.environment && !options.json) await context.err.write(NO_ENVIRONMENT_LOG);
  } catch (error) {
    if (!gone.aborted) throw error;
  }
}

const NO_ENVIRONMENT_LOG = 'There is no log of the environment: the job needs no packages, or its VM has not come so far.\n';

function streamsOf({ environment, system }: LogsOptions): LogStream[] {
  if (environment) return ['environment'];
  return system ? ['stdout', 'stderr', 'system', 'environment'] : ['stdout', 'stderr'];
}

/** What was asked for by name alone is the output of this command. */
function show({ stream, bytes }: OutputChunk, { environment }: LogsOptions, { out, err }: Context): Promise<void> {
  return (stream === 'stdout' || environment ? out : err).write(bytes);
}

function checkCombinations({ boot, environment, system, follow }: LogsOptions): void {
  const asked = [...(boot ? ['--boot'] : []), ...(environment ? ['--environment'] : []), ...(system ? ['--system'] : [])];
  const problem =
    asked.length > 1
      ? `${asked.join(' and ')} exclude each other`
      : boot && follow
        ? '--boot shows what there is: it has no --follow'
        : undefined;
  if (problem !== undefined) throw new RawcloudError('E_USAGE', problem, { remedy: 'rawcloud logs --help shows what is allowed.' });
}

function jsonChunk(job: JobHandle, { stream, task, bytes }: OutputChunk, { io }: Context): string {
  return jsonOutput(isoTime(io.clock.now()), job.id, task, stream, bytes);
}
