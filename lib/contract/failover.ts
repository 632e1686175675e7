import type { Offer } from './offers';
import { quotaOf } from './quotas';
import type { Launch } from './records';

type Failure = Pick<NonNullable<Launch['failure']>, 'class' | 'code'>;

/** EC2 may not make the role that it needs for spot VMs. */
export const SPOT_ROLE_MISSING = 'AuthFailure.ServiceLinkedRoleCreationNotPermitted';

/** Quota errors that are about vCPUs, and so do not hold for what another quota counts. */
export const VCPU_CODES: readonly string[] = ['VcpuLimitExceeded', 'MaxSpotInstanceCountExceeded'];

/**
 * The offers that are still worth a call after one was refused, best first; none when the refusal holds for all.
 * No capacity: the next pool. A vCPU quota: what another quota counts, or needs fewer of them. No role for spot: on demand.
 */
export function offersAfter(failure: Failure, refused: Offer, rest: readonly Offer[]): readonly Offer[] {
  if (failure.class === 'capacity') return rest;
  if (failure.code === SPOT_ROLE_MISSING) return rest.filter((o) => o.purchase === 'on-demand');
  if (!VCPU_CODES.includes(failure.code)) return [];
  const spent = quotaOf(refused.vmType, refused.purchase)?.code;
  return rest.filter((o) => o.vcpu < refused.vcpu || quotaOf(o.vmType, o.purchase)?.code !== spent);
}

/** `spot m6a.large in us-east-1a` */
export function offerName({ vmType, zone, purchase }: Offer): string {
  return `${purchase === 'spot' ? 'spot ' : ''}${vmType}${zone ? ` in ${zone}` : ''}`;
}

/** Why an offer was passed over, in a few words: `spot m6a.large in us-east-1a has no capacity (InsufficientInstanceCapacity)`. */
export function refusalWords(failure: Failure, refused: Offer): string {
  const words: Partial<Record<Failure['class'], string>> = { capacity: 'has no capacity', quota: 'is over a quota' };
  return `${offerName(refused)} ${words[failure.class] ?? 'was refused'} (${failure.code})`;
}
