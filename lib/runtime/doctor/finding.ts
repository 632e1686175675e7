import { findRawcloudError } from '../../contract';
import type { Check, CheckId } from '../../contract';
import { NotLookedAt } from './facts';
import type { Facts } from './facts';

/** One line of a check. */
export type Finding = Omit<Check, 'id'>;

/** A check: looks, and says what it found. What it throws becomes a line as well. */
export type Look = (facts: Facts) => Promise<Finding | readonly Finding[]>;

/** An error as a line. */
export function findingOf(error: unknown, id: CheckId, optional: boolean): Finding {
  if (error instanceof NotLookedAt) return { state: 'unknown', text: `not looked at: ${error.message}` };
  const known = findRawcloudError(error);
  const text = known?.message ?? (error instanceof Error ? error.message : String(error));
  const data = { code: known?.code ?? 'E_INTERNAL', ...(known ? {} : { check: id }) };
  return { state: optional ? 'warning' : 'failed', text, ...(known?.remedy ? { remedy: known.remedy } : {}), data };
}

/** `2026-11-24 02:30 UTC` */
export function utc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
