import type { Bill, Offer } from '../../contract';
import { addressUsdPerHour, diskUsdPerHour, RATES } from './rates';

/** A price from `since` on (milliseconds since 1970). */
export interface PriceStep {
  readonly since: number;
  readonly usdPerHour: number;
}

/** One VM's time. Milliseconds since 1970, EC2's clock. */
export interface BilledVm {
  readonly offer: Offer;
  readonly diskGiB: number;
  /** @default - the built-in rate */
  readonly gp3UsdPerGiBMonth?: number;
  readonly launchedAt: number;
  readonly endedAt: number;
  /** False when the end was not told by EC2. */
  readonly endSeen: boolean;
  /** Spot prices while it was on, oldest first. @default - the offer's price all the time */
  readonly prices?: readonly PriceStep[];
  /** EC2 took it back. @default false */
  readonly takenBack?: boolean;
}

/** A spot VM that EC2 takes back within this time costs nothing itself. Source: EC2 user guide, "Billing for interrupted Spot Instances". */
const FREE_WHEN_TAKEN_BACK_S = 3600;

/** The bill of a job: recorded price × seconds, disk, address, requests. Traffic and storage are not in it. */
export function makeBill(vms: readonly BilledVm[], requests: { readonly put: number; readonly get: number }): Bill {
  const lines = [...vms.flatMap(vmLines), ...requestLines(requests)];
  const [first] = vms;
  return {
    lines,
    usd: lines.reduce((sum, line) => sum + line.usd, 0),
    estimated: vms.some((vm) => !vm.endSeen || (vm.offer.priceEstimated && !vm.prices)),
    priceSource: first ? (first.prices ? 'spot price history' : first.offer.priceSource) : 'no VM',
  };
}

/** Seconds that EC2 bills. */
export function billedSeconds(vm: Pick<BilledVm, 'launchedAt' | 'endedAt'>): number {
  return Math.max(RATES.minimumSeconds, Math.ceil((vm.endedAt - vm.launchedAt) / 1000));
}

function vmLines(vm: BilledVm): Bill['lines'] {
  const seconds = billedSeconds(vm);
  const hours = seconds / 3600;
  const address = addressUsdPerHour(vm.offer);
  const spot = vm.offer.purchase === 'spot' ? 'spot ' : '';
  return [
    { what: `${spot}${vm.offer.vmType}`, quantity: seconds, unit: 's', usd: vmUsd(vm, seconds) },
    { what: `${vm.diskGiB} GiB disk`, quantity: seconds, unit: 's', usd: hours * diskUsdPerHour(vm.diskGiB, vm.gp3UsdPerGiBMonth) },
    ...(address > 0 ? [{ what: 'public IPv4 address', quantity: seconds, unit: 's' as const, usd: hours * address }] : []),
  ];
}

function vmUsd(vm: BilledVm, seconds: number): number {
  if (vm.offer.purchase === 'spot' && vm.takenBack && seconds < FREE_WHEN_TAKEN_BACK_S) return 0;
  const steps = vm.prices ?? [];
  if (steps.length === 0) return (seconds / 3600) * vm.offer.usdPerHour;
  const until = vm.launchedAt + seconds * 1000;
  // The first step counts from the launch, whenever it began; each holds until the next.
  return steps.reduce((usd, { since, usdPerHour }, i) => {
    const from = i === 0 ? vm.launchedAt : Math.max(since, vm.launchedAt);
    const to = Math.min(steps[i + 1]?.since ?? until, until);
    return usd + (Math.max(0, to - from) / 3_600_000) * usdPerHour;
  }, 0);
}

function requestLines(requests: { readonly put: number; readonly get: number }): Bill['lines'] {
  const quantity = requests.put + requests.get;
  return quantity === 0
    ? []
    : [{ what: 'S3 requests', quantity, unit: 'requests', usd: requests.put * RATES.putUsd + requests.get * RATES.getUsd }];
}
