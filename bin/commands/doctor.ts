import { isWell } from '../../lib/runtime/doctor/well';
import type { Check, CheckState } from '../../lib/contract';
import type { Context } from '../context';
import type { ConnectionOptions } from '../options';
import { styleFor } from '../render/style';
import { connectOptions } from './connection';

/** Not all is well: not one of the exit codes of jobs, since none ran. */
const NOT_WELL = 1;

/** `rawcloud doctor`: a line for each check, as it comes. Fails when jobs would not run. */
export async function doctor(options: ConnectionOptions, context: Context): Promise<number> {
  const opened = await context.io.openDoctor(connectOptions(context, options));
  const stop = new AbortController();
  const unlisten = context.io.signals.listen(() => stop.abort());
  const checks: Check[] = [];
  try {
    for await (const check of opened.examine({ signal: stop.signal })) {
      checks.push(check);
      if (!options.json) await context.out.write(lineOf(check, context));
    }
  } finally {
    unlisten();
    await opened.close();
  }
  const well = isWell(checks);
  if (options.json) await context.out.write(`${JSON.stringify({ v: 1, well, checks })}\n`);
  else await context.out.write(`${summary(checks, well)}\n`);
  return well ? 0 : NOT_WELL;
}

const MARKS: Readonly<Record<CheckState, string>> = { ok: '✓', warning: '!', failed: '✗', unknown: '–' };
const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red', unknown: 'dim' } as const satisfies Record<CheckState, string>;

/** What is to be done stands on a line of its own, so that a command can be copied. */
function lineOf({ id, state, text, remedy }: Check, { io }: Pick<Context, 'io'>): string {
  const style = styleFor(io.stdout, io.env);
  const line = `${style[COLOURS[state]](MARKS[state])} ${id.padEnd(12)}${text}\n`;
  return remedy === undefined ? line : `${line}  ${' '.repeat(12)}→ ${remedy}\n`;
}

function summary(checks: readonly Check[], well: boolean): string {
  const warnings = checks.filter(({ state }) => state === 'warning').length;
  if (!well) return 'Jobs will not run before what is marked ✗ is done.';
  return warnings === 0 ? 'All is well.' : 'Jobs will run; what is marked ! deserves a look.';
}
