import fc from 'fast-check';
import { makeBill } from '../../lib/runtime/cost/bill';
import type { BilledVm } from '../../lib/runtime/cost/bill';
import { offer, START } from '../fakes/records';

/*
 * The bill once more, from AWS's pricing pages alone and by another method: whole numbers (dollars × 10⁻⁹, milliseconds),
 * a walk over every second of a VM's life instead of lengths of time, and no line of the code under test.
 *
 * Rules as read: a VM is billed for whole seconds, a begun one in full, sixty at least. A spot VM's seconds cost what the
 * price was as each began; before the first known price, that one. One that EC2 takes back before it is an hour old costs
 * nothing itself; its disk and address do. A gp3 disk: GiB × price of a month of 30 days. An address: half a cent an hour.
 * A thousand PUTs half a cent, a thousand GETs 0.04 cents.
 */
const NANO = 1_000_000_000n;
const nano = (usd: number): bigint => BigInt(Math.round(usd * 1e9));

function oracle(vms: readonly BilledVm[], put: number, get: number): bigint {
  // In 10⁻⁹ dollars × 3600 × 720, so that nothing has to be divided on the way.
  let total = 0n;
  for (const vm of vms) {
    const seconds = secondsOn(vm);
    const free = vm.offer.purchase === 'spot' && vm.takenBack === true && seconds < 3600;
    const alongside = BigInt(vm.diskGiB) * nano(vm.gp3UsdPerGiBMonth ?? 0.08) + 5_000_000n * 720n;
    for (let second = 0; second < seconds; second++) {
      if (!free) total += priceAt(vm, vm.launchedAt + second * 1000) * 720n;
      total += alongside;
    }
  }
  return total / (3600n * 720n) + (BigInt(put) * 5_000_000n) / 1000n + (BigInt(get) * 400_000n) / 1000n;
}

function secondsOn({ launchedAt, endedAt }: BilledVm): number {
  let seconds = 0;
  while (launchedAt + seconds * 1000 < endedAt) seconds++;
  return seconds < 60 ? 60 : seconds;
}

function priceAt(vm: BilledVm, at: number): bigint {
  let price = vm.prices?.[0]?.usdPerHour ?? vm.offer.usdPerHour;
  for (const step of vm.prices ?? []) if (step.since <= at) price = step.usdPerHour;
  return nano(price);
}

const usdPerHour = fc.integer({ min: 10, max: 400_000 }).map((n) => n / 10_000);

/** Prices change at whole seconds, as the history has them; VMs begin at whole seconds too (EC2's LaunchTime), and end at any time. */
const history = fc.record({
  purchase: fc.constantFrom('on-demand' as const, 'spot' as const),
  usdPerHour,
  diskGiB: fc.integer({ min: 8, max: 2000 }),
  gp3: fc.option(
    fc.integer({ min: 700, max: 2000 }).map((n) => n / 10_000),
    { nil: undefined },
  ),
  lifeMs: fc.oneof(fc.integer({ min: 0, max: 120_000 }), fc.integer({ min: 0, max: 4_200_000 })),
  steps: fc.array(fc.tuple(fc.integer({ min: -7200, max: 4200 }), usdPerHour), { maxLength: 5 }),
  takenBack: fc.boolean(),
});

function vmOf(h: typeof history extends fc.Arbitrary<infer T> ? T : never): BilledVm {
  const steps = [...new Map(h.steps)].sort(([a], [b]) => a - b).map(([at, usd]) => ({ since: START + at * 1000, usdPerHour: usd }));
  return {
    offer: offer({ purchase: h.purchase, usdPerHour: h.usdPerHour }),
    diskGiB: h.diskGiB,
    ...(h.gp3 === undefined ? {} : { gp3UsdPerGiBMonth: h.gp3 }),
    launchedAt: START,
    endedAt: START + h.lifeMs,
    endSeen: true,
    ...(h.purchase === 'spot' && steps.length > 0 ? { prices: steps } : {}),
    takenBack: h.takenBack,
  };
}

test('the bill is what an independent reckoning gives, to a hundredth of a cent, over 2,000 random histories', () => {
  fc.assert(
    fc.property(fc.array(history, { minLength: 1, maxLength: 2 }), fc.nat(100_000), fc.nat(100_000), (histories, put, get) => {
      const vms = histories.map(vmOf);
      const { usd, lines } = makeBill(vms, { put, get });
      const apart = nano(usd) - oracle(vms, put, get);
      expect(apart < 0n ? -apart : apart).toBeLessThan(NANO / 10_000n);
      expect(lines.reduce((sum, line) => sum + line.usd, 0)).toBeCloseTo(usd, 9);
    }),
    { numRuns: 2000 },
  );
});

test('a spot VM that EC2 takes back in its first hour costs disk and address only', () => {
  const vm = vmOf({ purchase: 'spot', usdPerHour: 1, diskGiB: 30, gp3: undefined, lifeMs: 3_599_000, steps: [], takenBack: true });
  const none = { put: 0, get: 0 };
  expect(makeBill([vm], none).lines[0]).toMatchObject({ what: 'spot m7i.large', usd: 0 });
  expect(makeBill([{ ...vm, endedAt: START + 3_600_000 }], none).lines[0]?.usd).toBeCloseTo(1, 9);
  expect(makeBill([{ ...vm, takenBack: false }], none).lines[0]?.usd).toBeCloseTo(3599 / 3600, 9);
});
