import type { JobResult } from '../../lib/runtime/api';
import type { Context } from '../context';
import type { StopOptions } from '../options';
import { jsonLine } from '../render/json-line';
import { billText } from '../render/bill-text';
import { withClient } from './connection';

/** `rawcloud stop`: asks, and waits for the proof that the VM is gone. What has ended is no error. */
export async function stop(which: string | undefined, options: StopOptions, context: Context): Promise<number> {
  const { io, out, err } = context;
  await withClient(context, options, async (client) => {
    const job = await client.job(which);
    await job.stop();
    if (!options.wait) {
      if (options.json) await out.write(jsonLine(io.clock, { type: 'detached', job: job.id, data: { stopping: true } }));
      else await err.write(`job ${job.id} was asked to stop\n  → rawcloud status ${job.id}\n`);
      return;
    }
    if (!options.json) await err.write(`job ${job.id} was asked to stop; waiting until its VM is gone (Ctrl-C leaves it to that)\n`);
    const result = await job.wait();
    if (options.json) await out.write(jsonLine(io.clock, { type: 'result', job: job.id, data: result }));
    else await err.write(`${endedText(result, client.local)}\n`);
  });
  return 0;
}

function endedText(result: JobResult, local: boolean): string {
  return `job ${result.job} has ended: ${result.outcome} · ${result.message}; every VM is gone\n${billText(result.bill, local)}`;
}
