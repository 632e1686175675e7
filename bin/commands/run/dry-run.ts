import type { Context } from '../../context';
import type { RunOptions } from '../../options';
import { jsonLine } from '../../render/json-line';
import { planLines } from '../../render/plan';
import { styleFor } from '../../render/style';
import { withClient } from '../connection';
import type { AskedRequest } from './request';

/** `--dry-run`: the plan on stdout; nothing is uploaded or launched. */
export async function showPlan(request: AskedRequest, options: RunOptions, context: Context): Promise<number> {
  const { io, out } = context;
  const { plan, local } = await withClient(context, options, async (client) => ({ plan: await client.plan(request), local: client.local }));
  if (options.json) await out.write(jsonLine(io.clock, { type: 'plan', data: plan }));
  else await out.write(`${planLines(plan, { local, style: styleFor(io.stdout, io.env), now: io.clock.now() }).join('\n')}\n`);
  return 0;
}
