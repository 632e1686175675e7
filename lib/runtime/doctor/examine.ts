import { setMaxListeners } from 'node:events';
import type { Check, CheckId } from '../../contract';
import { bucket, prices, reaper } from './bucket-checks';
import { clock, identity, scaffolding } from './caller-checks';
import type { DoctorDeps } from './deps';
import { exec } from './exec-check';
import { Facts } from './facts';
import { findingOf } from './finding';
import type { Finding, Look } from './finding';
import { permissions } from './permissions';
import { images, network, quotas } from './place-checks';
import { NEEDED } from './well';

/** In the order in which they are told. */
const CHECKS: readonly { readonly id: CheckId; readonly look: Look }[] = [
  { id: 'identity', look: identity },
  { id: 'clock', look: clock },
  { id: 'scaffolding', look: scaffolding },
  { id: 'bucket', look: bucket },
  { id: 'permissions', look: permissions },
  { id: 'exec', look: exec },
  // A launch by dry run tells more than these calls, which running jobs does not need.
  { id: 'network', look: network },
  { id: 'images', look: images },
  { id: 'quotas', look: quotas },
  { id: 'prices', look: prices },
  { id: 'reaper', look: reaper },
];

/**
 * Examines the account: everything at once, told in order as it comes. A check that throws becomes a line and stops no
 * other. Nothing is changed.
 * @throws only when the signal aborts
 */
export async function* examine(deps: DoctorDeps, signal?: AbortSignal): AsyncGenerator<Check> {
  // So many calls at once, each of which ends with it, are no leak, of which Node would warn.
  if (signal) setMaxListeners(0, signal);
  const facts = new Facts(deps, signal);
  const looking = CHECKS.map((check) => ({ id: check.id, findings: lookAt(check, facts) }));
  for (const { id, findings } of looking) {
    const found = await findings;
    signal?.throwIfAborted();
    for (const finding of found) yield { id, ...finding };
  }
}

async function lookAt({ id, look }: (typeof CHECKS)[number], facts: Facts): Promise<readonly Finding[]> {
  try {
    const found = await look(facts);
    return 'state' in found ? [found] : found;
  } catch (error) {
    return [findingOf(error, id, !NEEDED.has(id))];
  }
}
