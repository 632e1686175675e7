import fc from 'fast-check';
import { formatUsd } from '../../lib/contract';
import { billedSeconds, makeBill } from '../../lib/runtime/cost/bill';
import { hourlyUsd } from '../../lib/runtime/cost/rates';
import { offer, START } from '../fakes/records';

const NONE = { put: 0, get: 0 };
const vm = (seconds: number, endSeen = true) => ({
  offer: offer(),
  diskGiB: 30,
  launchedAt: START,
  endedAt: START + seconds * 1000,
  endSeen,
});

describe('the bill', () => {
  test('counts VM, disk and address by the second', () => {
    const bill = makeBill([vm(3600)], NONE);
    expect(bill.usd).toBeCloseTo(0.1008 + (30 * 0.08) / 720 + 0.005, 9);
    expect(bill.usd).toBeCloseTo(hourlyUsd({ usdPerHour: 0.1008 }, 30), 9);
    expect(bill.estimated).toBe(false);
  });

  test('has no address where the VM had none', () => {
    const { lines, usd } = makeBill([{ ...vm(3600), offer: { ...vm(3600).offer, publicIpv4: false } }], NONE);
    expect(lines.map(({ what }) => what)).toEqual(['m7i.large', '30 GiB disk']);
    expect(usd).toBeCloseTo(0.1008 + (30 * 0.08) / 720, 9);
  });

  test('is for sixty seconds at least', () => {
    expect(billedSeconds({ launchedAt: 0, endedAt: 1 })).toBe(60);
    expect(makeBill([vm(1)], NONE).usd).toBeCloseTo(makeBill([vm(60)], NONE).usd, 12);
  });

  test('is the sum of its lines, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1e6 })), fc.nat(1e6), fc.nat(1e6), (seconds, put, get) => {
        const bill = makeBill(
          seconds.map((s) => vm(s)),
          { put, get },
        );
        expect(bill.usd).toBeCloseTo(
          bill.lines.reduce((sum, l) => sum + l.usd, 0),
          9,
        );
      }),
    );
  });

  test('says that it is estimated when an end was not seen or the price is a guess', () => {
    expect(makeBill([vm(60, false)], NONE).estimated).toBe(true);
    expect(makeBill([{ ...vm(60), offer: offer({ priceEstimated: true }) }], NONE).estimated).toBe(true);
  });

  test('counts requests', () => {
    expect(makeBill([], { put: 1000, get: 1000 }).usd).toBeCloseTo(0.0054, 9);
  });

  test('is never shown as nothing when it is something', () => {
    expect([0, 0.00001, 0.0012, 1.234].map(formatUsd)).toEqual(['$0', '<$0.0001', '$0.0012', '$1.23']);
  });
});
