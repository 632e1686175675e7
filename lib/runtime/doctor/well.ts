import type { Check, CheckId } from '../../contract';

/** What jobs do not run without. Who may not look at the rest is not failed by it. */
export const NEEDED: ReadonlySet<CheckId> = new Set<CheckId>(['identity', 'scaffolding', 'bucket', 'permissions', 'images']);

/** Whether jobs run as things are: nothing failed, and all that is needed could be looked at. */
export function isWell(checks: readonly Check[]): boolean {
  return checks.every(({ id, state }) => state !== 'failed' && (state !== 'unknown' || !NEEDED.has(id)));
}
