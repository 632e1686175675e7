import pc from 'picocolors';
import type { OutputStream } from '../io';

type Environment = Readonly<Record<string, string | undefined>>;

/** Colours, or the same functions doing nothing. */
export type Style = Pick<ReturnType<typeof pc.createColors>, 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'>;

/** Colours for a terminal that wants them: NO_COLOR and TERM=dumb mean none, FORCE_COLOR means always. */
export function styleFor(stream: OutputStream, env: Environment): Style {
  if (env['NO_COLOR']) return pc.createColors(false);
  if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return pc.createColors(true);
  return pc.createColors(isLive(stream, env));
}

/** Whether lines on this stream can be rewritten. */
export function isLive(stream: OutputStream, env: Environment): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Columns of the terminal; `fallback` where there is none. */
export function widthOf(stream: OutputStream, env: Environment, fallback: number): number {
  // A pseudo-terminal that nobody sized has 0 columns.
  const candidates = [stream.columns, Number(env['COLUMNS'])];
  return candidates.find((columns) => columns !== undefined && Number.isInteger(columns) && columns > 0) ?? fallback;
}
