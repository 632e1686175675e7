import type { Unproved } from '../../contract';

/** What a failure leaves open. */
export function unproved(what: string, error: unknown): Unproved {
  return { what, error: error instanceof Error ? error.message : String(error) };
}
