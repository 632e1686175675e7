import type { LogStream } from '../../lib/contract';
import type { JobHandle, OutputChunk } from '../../lib/runtime/api';
import type { Context } from '../context';
import type { LogsOptions } from '../options';
import { isoTime } from '../render/json-value';
import { jsonOutput } from '../render/output';
import { withClient } from './connection';

/** `rawcloud logs`: what the job wrote, byte for byte, to the streams it wrote it to; the VM's own words go to stderr. */
export async function logs(which: string | undefined, options: LogsOptions, context: Context): Promise<number> {
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
  const streams: LogStream[] = options.system ? ['stdout', 'stderr', 'system'] : ['stdout', 'stderr'];
  const { gone } = context.out;
  try {
    for await (const chunk of job.logs({ streams, follow: options.follow ?? false, signal: gone })) {
      if (gone.aborted) return;
      await (options.json ? context.out.write(jsonChunk(job, chunk, context)) : show(chunk, context));
    }
  } catch (error) {
    if (!gone.aborted) throw error;
  }
}

function show({ stream, bytes }: OutputChunk, { out, err }: Context): Promise<void> {
  return (stream === 'stdout' ? out : err).write(bytes);
}

function jsonChunk(job: JobHandle, { stream, task, bytes }: OutputChunk, { io }: Context): string {
  return jsonOutput(isoTime(io.clock.now()), job.id, task, stream, bytes);
}
