import { findRawcloudError, quotaRemedy, quotaWords, VCPU_CODES } from '../../contract';
import type { Launch, Offer } from '../../contract';
import type { DriverDeps } from './deps';

type Failure = NonNullable<Launch['failure']>;

/** EC2 names neither the quota nor its use: they are asked for, and the failure says both and how to raise it. */
export async function explainQuota(deps: DriverDeps, offer: Offer, failure: Failure): Promise<Failure> {
  if (!deps.prices || !VCPU_CODES.includes(failure.code)) return failure;
  try {
    const state = await deps.prices.quotaState(offer);
    if (!state) return failure;
    const message = `${failure.message}; ${quotaWords(state, offer.vcpu)}`;
    return { ...failure, message, remedy: quotaRemedy(state, offer.vcpu, deps.scaffold.region) };
  } catch (error) {
    const why = findRawcloudError(error)?.message ?? String(error);
    return { ...failure, message: `${failure.message} (the quota could not be read: ${why})` };
  }
}
