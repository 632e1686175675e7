import { ERROR_CODES, findRawcloudError } from '../../lib/contract';
import type { Context } from '../context';
import { jsonLine } from '../render/json-line';
import { isOn } from './connection';

/**
 * Shows an error: as text on stderr, with `--json` as the last line on stdout.
 * @returns the exit code to leave with
 */
export async function reportError(error: unknown, context: Context, json: boolean): Promise<number> {
  const known = findRawcloudError(error);
  const code = known?.code ?? 'E_INTERNAL';
  const message = known?.message ?? (error instanceof Error ? error.message : String(error));
  const remedy = known ? known.remedy : 'This is a fault of rawcloud itself; RAWCLOUD_DEBUG=1 shows where.';
  if (json) await context.out.write(jsonLine(context.io.clock, { type: 'error', data: { code, message, ...(remedy ? { remedy } : {}) } }));
  else await context.err.write(errorText(code, message, remedy));
  if (isOn(context.io.env['RAWCLOUD_DEBUG'])) await context.err.write(`${stackOf(error)}\n`);
  return ERROR_CODES[code].exitCode;
}

/** `error: …`; below it, each on a line of its own, what to do and where to read about the code. */
function errorText(code: string, message: string, remedy: string | undefined): string {
  return `error: ${message}\n${remedy ? `  → ${remedy}\n` : ''}  → rawcloud explain ${code}\n`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
