import type { Bill, JobView, VmView } from '../../contract';
import { makeBill } from './bill';
import type { BilledVm } from './bill';

/** A VM that vanished is billed to its last beat plus this. */
const AFTER_LAST_BEAT_MS = 60_000;

/** The bill of a job so far; final when every VM is gone. */
export function jobBill(view: JobView, ownRequests: { readonly put: number; readonly get: number } = { put: 0, get: 0 }): Bill {
  const diskGiB = view.objects.spec?.value.hardware.diskGiB ?? 0;
  const requests = view.vms.reduce(
    (sum, vm) => ({ put: sum.put + (vm.beat?.requests.put ?? 0), get: sum.get + (vm.beat?.requests.get ?? 0) }),
    ownRequests,
  );
  return makeBill(
    view.vms.map((vm) => billedVm(view, vm, diskGiB)),
    requests,
  );
}

/** When a VM began and ended, as far as anybody can tell. */
export function billedVm(view: JobView, vm: VmView, diskGiB: number): BilledVm {
  const launchedAt = vm.instance?.launchedAt ?? view.objects.launches.get(vm.launch)?.modified ?? view.now;
  const over = vm.state === 'gone' || vm.instance?.endedAt !== undefined;
  if (!over) return { offer: vm.offer, diskGiB, launchedAt, endedAt: view.now, endSeen: true };
  const lastSeenAt = vm.beatAt ?? launchedAt;
  const guess = Math.min(view.now, lastSeenAt + AFTER_LAST_BEAT_MS);
  // EC2 tells no time for a VM that powers itself off. Between its last beat and now, when it is gone, lies the truth.
  const endSeen = vm.instance?.endedAt !== undefined || (vm.beat?.final === true && view.now - lastSeenAt <= AFTER_LAST_BEAT_MS);
  return { offer: vm.offer, diskGiB, launchedAt, endedAt: vm.instance?.endedAt ?? guess, endSeen };
}
