import { SPOT_TAKEN_BACK, stateReasonCode } from '../../contract';
import type { Bill, JobView, VmView } from '../../contract';
import { makeBill } from './bill';
import type { BilledVm, PriceStep } from './bill';

/** A VM that vanished is billed to its last beat plus this. */
const AFTER_LAST_BEAT_MS = 60_000;

/** Spot prices by VM id, oldest first. */
export type SpotHistories = ReadonlyMap<string, readonly PriceStep[]>;

/** The bill of a job so far; final when every VM is gone. */
export function jobBill(
  view: JobView,
  ownRequests: { readonly put: number; readonly get: number } = { put: 0, get: 0 },
  histories: SpotHistories = new Map(),
): Bill {
  const requests = view.vms.reduce(
    (sum, vm) => ({ put: sum.put + (vm.beat?.requests.put ?? 0), get: sum.get + (vm.beat?.requests.get ?? 0) }),
    ownRequests,
  );
  const vms = view.vms.map((vm) => ({ ...billedVm(view, vm), ...(histories.has(vm.id) ? { prices: histories.get(vm.id)! } : {}) }));
  return makeBill(vms, requests);
}

/** When a VM began and ended, as far as anybody can tell, and what its disk costs. */
export function billedVm(view: JobView, vm: VmView): BilledVm {
  const launch = view.objects.launches.get(vm.launch);
  const gp3 = launch?.value.gp3UsdPerGiBMonth;
  const launchedAt = vm.instance?.launchedAt ?? launch?.modified ?? view.now;
  const known = {
    offer: vm.offer,
    diskGiB: view.objects.spec?.value.hardware.diskGiB ?? 0,
    ...(gp3 === undefined ? {} : { gp3UsdPerGiBMonth: gp3 }),
    launchedAt,
    takenBack: SPOT_TAKEN_BACK.includes(stateReasonCode(vm.instance?.stateReason) ?? ''),
  };
  const over = vm.state === 'gone' || vm.instance?.endedAt !== undefined;
  if (!over) return { ...known, endedAt: view.now, endSeen: true };
  const lastSeenAt = vm.beatAt ?? launchedAt;
  const guess = Math.min(view.now, lastSeenAt + AFTER_LAST_BEAT_MS);
  // EC2 tells no time for a VM that powers itself off. Between its last beat and now, when it is gone, lies the truth.
  const endSeen = vm.instance?.endedAt !== undefined || (vm.beat?.final === true && view.now - lastSeenAt <= AFTER_LAST_BEAT_MS);
  return { ...known, endedAt: vm.instance?.endedAt ?? guess, endSeen };
}
