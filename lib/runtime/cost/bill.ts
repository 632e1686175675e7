import type { Bill, Offer } from '../../contract';
import { RATES } from './rates';

/** One VM's time. Milliseconds since 1970, EC2's clock. */
export interface BilledVm {
  readonly offer: Offer;
  readonly diskGiB: number;
  readonly launchedAt: number;
  readonly endedAt: number;
  /** False when the end was not told by EC2. */
  readonly endSeen: boolean;
}

/** The bill of a job: recorded price × seconds, disk, address, requests. Traffic and storage are not in it. */
export function makeBill(vms: readonly BilledVm[], requests: { readonly put: number; readonly get: number }): Bill {
  const lines = [...vms.flatMap(vmLines), ...requestLines(requests)];
  return {
    lines,
    usd: lines.reduce((sum, line) => sum + line.usd, 0),
    estimated: vms.some((vm) => !vm.endSeen || vm.offer.priceEstimated),
    priceSource: vms[0]?.offer.priceSource ?? 'no VM',
  };
}

/** Seconds that EC2 bills. */
export function billedSeconds(vm: Pick<BilledVm, 'launchedAt' | 'endedAt'>): number {
  return Math.max(RATES.minimumSeconds, Math.ceil((vm.endedAt - vm.launchedAt) / 1000));
}

function vmLines(vm: BilledVm): Bill['lines'] {
  const seconds = billedSeconds(vm);
  const hours = seconds / 3600;
  return [
    { what: vm.offer.vmType, quantity: seconds, unit: 's', usd: hours * vm.offer.usdPerHour },
    {
      what: `${vm.diskGiB} GiB disk`,
      quantity: seconds,
      unit: 's',
      usd: (hours * vm.diskGiB * RATES.gp3UsdPerGiBMonth) / RATES.hoursPerMonth,
    },
    { what: 'public IPv4 address', quantity: seconds, unit: 's', usd: hours * RATES.ipv4UsdPerHour },
  ];
}

function requestLines(requests: { readonly put: number; readonly get: number }): Bill['lines'] {
  const quantity = requests.put + requests.get;
  return quantity === 0
    ? []
    : [{ what: 'S3 requests', quantity, unit: 'requests', usd: requests.put * RATES.putUsd + requests.get * RATES.getUsd }];
}
