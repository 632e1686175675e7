import { RawcloudError } from './errors';

const DURATION_UNITS_S: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/**
 * Reads a duration like `90s`, `15m`, `1h30m`, `2d` or a bare number of seconds.
 * @returns seconds, > 0
 * @throws E_USAGE naming what was got and what is allowed
 */
export function parseDuration(text: string, what = 'duration'): number {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return positive(Number(trimmed), text, what);
  const parts = [...trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)];
  if (parts.length === 0 || parts.map((p) => p[0]).join('') !== trimmed.replaceAll(' ', '')) {
    throw new RawcloudError(
      'E_USAGE',
      `${what} '${text}' is not a duration; allowed are forms like 90s, 15m, 1h30m, 2d or a number of seconds`,
    );
  }
  return positive(
    parts.reduce((sum, p) => sum + Number(p[1]) * DURATION_UNITS_S[p[2]!]!, 0),
    text,
    what,
  );
}

function positive(value: number, text: string, what: string): number {
  if (!(value > 0) || !Number.isFinite(value)) throw new RawcloudError('E_USAGE', `${what} '${text}' must be greater than zero`);
  return value;
}

/** Bytes per unit. Binary and decimal spellings mean the same (as in EC2's own sizes): `8G`, `8GB` and `8GiB` are 8 GiB. */
const SIZE_UNITS: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/**
 * Reads a size like `512MiB`, `8GB`, `1.5 TiB`; a bare number counts in `bareUnit`.
 * @returns bytes, > 0
 * @throws E_USAGE
 */
export function parseSize(text: string, what = 'size', bareUnit: 'b' | 'k' | 'm' | 'g' | 't' = 'g'): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([bkmgt])(?:i?b)?)?$/.exec(text.trim().toLowerCase());
  if (!match) throw new RawcloudError('E_USAGE', `${what} '${text}' is not a size; allowed are forms like 512MiB, 8GB or 16`);
  return positive(Number(match[1]) * SIZE_UNITS[match[2] ?? bareUnit]!, text, what);
}

/** GiB of a size as {@link parseSize} reads it. */
export function parseGiB(text: string, what = 'size'): number {
  return parseSize(text, what) / 2 ** 30;
}

/** `0.42 s`, `12 s`, `3 min 20 s`, `2 h 05 min`: short, for people. */
export function formatDuration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `17 B`, `4.2 KiB`, `1.0 GiB`: short, for people. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(value < 100 ? 1 : 0)} ${units[unit]}`;
}

/** `$0.0012`, `$1.23`: four digits below a dime, two above; never `$0.00` for something that costs. */
export function formatUsd(usd: number): string {
  if (usd === 0) return '$0';
  if (usd < 0.00005) return '<$0.0001';
  return `$${usd.toFixed(usd < 0.1 ? 4 : 2)}`;
}
