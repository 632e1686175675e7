import { findRawcloudError, mapBounded } from '../../contract';
import type { JobView, SpotPrice } from '../../contract';
import { billedVm } from '../cost/job-bill';
import type { SpotHistories } from '../cost/job-bill';
import type { DriverDeps } from './deps';

/** Histories asked for at once. */
const AT_ONCE = 4;

/** The spot prices while each spot VM of a job was on. A VM whose prices cannot be had is billed by its estimate. */
export async function spotHistories(deps: DriverDeps, view: JobView): Promise<SpotHistories> {
  const { prices } = deps;
  const spot = prices ? view.vms.filter((vm) => vm.offer.purchase === 'spot') : [];
  const found = await mapBounded(spot, AT_ONCE, async (vm): Promise<[string, readonly SpotPrice[]]> => {
    const { launchedAt, endedAt } = billedVm(view, vm);
    const zone = vm.instance?.zone || vm.offer.zone;
    return [vm.id, zone ? await history(() => prices!.spotHistory(vm.offer.vmType, zone, launchedAt, endedAt)) : []];
  });
  return new Map(found.filter(([, history]) => history.length > 0));
}

/** A refusal leaves the estimate; what may pass is tried again by the next step. */
async function history(ask: () => Promise<SpotPrice[]>): Promise<readonly SpotPrice[]> {
  try {
    return await ask();
  } catch (error) {
    if (findRawcloudError(error)?.retryable) throw error;
    return [];
  }
}
