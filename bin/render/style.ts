import pc from 'picocolors';
import type { OutputStream } from '../io';

type Environment = Readonly<Record<string, string | undefined>>;

/** Colours, or the same functions doing nothing. */
export type Style = Pick<ReturnType<typeof pc.createColors>, 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'>;

/**
 * Colours for a terminal that wants them. In this order: NO_COLOR (any value but the empty one) means none;
 * FORCE_COLOR or CLICOLOR_FORCE (neither empty nor 0) means always; TERM=dumb and CLICOLOR=0 mean none.
 */
export function styleFor(stream: OutputStream, env: Environment): Style {
  return pc.createColors(wantsColours(stream, env));
}

function wantsColours(stream: OutputStream, env: Environment): boolean {
  if (env['NO_COLOR']) return false;
  if (['FORCE_COLOR', 'CLICOLOR_FORCE'].some((name) => env[name] && env[name] !== '0')) return true;
  return stream.isTTY === true && env['TERM'] !== 'dumb' && env['CLICOLOR'] !== '0';
}

/** Whether lines on this stream can be rewritten: a terminal that can, and none whose text ends in the log of a CI system. */
export function isLive(stream: OutputStream, env: Environment): boolean {
  const ci = env['CI'];
  return stream.isTTY === true && env['TERM'] !== 'dumb' && (!ci || ci === 'false' || ci === '0');
}

/** Whether the terminal wraps a long line anew when its window becomes narrower; all do but text consoles and old hardware. */
export function reflows(env: Environment): boolean {
  return !/^(linux|vt|eterm|cons)/.test(env['TERM'] ?? '');
}

/** Columns of the terminal; `fallback` where there is none. */
export function widthOf(stream: OutputStream, env: Environment, fallback: number): number {
  // A pseudo-terminal that nobody sized has 0 columns.
  const candidates = [stream.columns, Number(env['COLUMNS'])];
  return candidates.find((columns) => columns !== undefined && Number.isInteger(columns) && columns > 0) ?? fallback;
}
