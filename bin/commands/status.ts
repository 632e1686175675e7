import type { Context } from '../context';
import type { StatusOptions } from '../options';
import { jsonStatus } from '../render/json-value';
import { statusLines, timingLines } from '../render/status';
import { styleFor, widthOf } from '../render/style';
import { cleanStyled } from '../render/text';
import { withClient } from './connection';

/** `rawcloud status`: all that is known of one job. */
export async function status(which: string | undefined, options: StatusOptions, context: Context): Promise<number> {
  const { io, out } = context;
  const { found, local } = await withClient(context, options, async (client) => {
    const job = await client.job(which);
    return { found: await job.status(), local: client.local };
  });
  if (options.json) await out.write(`${JSON.stringify(jsonStatus(found))}\n`);
  else {
    const how = { now: io.clock.now(), local, style: styleFor(io.stdout, io.env), width: widthOf(io.stdout, io.env, 120) };
    const lines = [...statusLines(found, how), ...(options.timings ? timingLines(found.timings) : [])];
    await out.write(`${lines.map(cleanStyled).join('\n')}\n`);
  }
  return 0;
}
