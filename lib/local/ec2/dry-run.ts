import { dryRun } from './errors';
import { flag } from './query';
import type { Params } from './query';

/** Ends a call that would change something and was only tried; stands behind the last check. @throws DryRunOperation */
export function dryRunEnds(params: Params): void {
  if (flag(params, 'DryRun')) throw dryRun();
}
