import { quotaOf, quotaRemedy, quotaWords, RawcloudError } from '../../contract';
import type { Offer, QuotaState } from '../../contract';
import type { MarketView } from './market';

/**
 * The offers that their quota allows at all: a VM with more vCPUs than the whole quota needs no call to be refused.
 * What others use at the moment is not looked at: that may change until the call, and EC2 says so as fast as we could ask.
 * @throws E_QUOTA when no offer is left
 */
export function withinQuotas(offers: readonly Offer[], market: MarketView): Offer[] {
  const allowed = offers.filter((offer) => {
    const value = quotaValue(offer, market);
    return value === undefined || offer.vcpu <= value;
  });
  const [first] = offers;
  if (allowed.length > 0 || !first) return allowed;
  const quota = quotaOf(first.vmType, first.purchase)!;
  const state: QuotaState = { quota, value: quotaValue(first, market)! };
  throw new RawcloudError('E_QUOTA', `${first.vmType} does not fit into the ${quotaWords(state, first.vcpu)}`, {
    remedy: quotaRemedy(state, first.vcpu, market.region),
    data: { class: 'quota', quota: quota.code, value: state.value, asked: first.vcpu },
  });
}

function quotaValue({ vmType, purchase }: Offer, market: MarketView): number | undefined {
  const quota = quotaOf(vmType, purchase);
  return quota && market.quotaVcpus(quota.code);
}
