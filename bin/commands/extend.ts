import { parseDuration } from '../../lib/contract';
import type { Context } from '../context';
import type { ConnectionOptions } from '../options';
import { isoTime } from '../render/json-value';
import { localTime, relativeTime } from '../render/words';
import { withClient } from './connection';

/** `rawcloud extend`: moves the end of the lifetime. */
export async function extend(which: string, duration: string, options: ConnectionOptions, context: Context): Promise<number> {
  const { io, out } = context;
  const seconds = parseDuration(duration);
  const { job, until } = await withClient(context, options, async (client) => {
    const handle = await client.job(which);
    return { job: handle.id, until: await handle.extend(seconds) };
  });
  const now = io.clock.now();
  if (options.json) await out.write(`${JSON.stringify({ v: 1, job, lifetimeUntil: isoTime(until) })}\n`);
  else await out.write(`job ${job}: the VM ends itself ${localTime(until, now)} (${relativeTime(until, now)}) at the latest\n`);
  return 0;
}
