import { planOffers } from '../../lib/runtime/plan/offers';
import { CATALOG, priceOf } from '../../lib/runtime/plan/catalog';

const ZONES = ['us-east-1a', 'us-east-1b'];
const ASKED = { cpu: { min: 2 }, memoryGiB: { min: 8 }, arch: 'x86_64', region: 'us-east-1', zones: ZONES } as const;

describe('the plan', () => {
  test('tries the cheapest type that fits in every zone before the next type', () => {
    const offers = planOffers(ASKED);
    expect(offers.slice(0, 2).map((o) => o.zone)).toEqual(ZONES);
    expect(offers[0]?.vmType).toBe(offers[1]?.vmType);
    const prices = offers.map((o) => o.usdPerHour);
    expect(prices).toEqual([...prices].sort((a, b) => a - b));
    for (const o of offers) expect(o.vcpu >= 2 && o.memoryGiB >= 8 && o.arch === 'x86_64').toBe(true);
  });

  test('keeps the order of types asked for by name, burstable ones too', () => {
    expect(planOffers({ ...ASKED, vmTypes: ['r7i.large', 't3.small'], zones: [] }).map((o) => o.vmType)).toEqual(['r7i.large', 't3.small']);
  });

  test('never takes a burstable type by itself', () => {
    expect(planOffers({ ...ASKED, memoryGiB: { min: 2, max: 8 } }).some((o) => o.vmType.startsWith('t3'))).toBe(false);
  });

  test('says where the price is from, and when it is a guess', () => {
    expect(planOffers(ASKED)[0]).toMatchObject({
      priceSource: expect.stringMatching(/built-in price table of \d{4}-\d\d-\d\d/) as string,
      priceEstimated: false,
    });
    expect(planOffers({ ...ASKED, region: 'eu-central-1' })[0]?.priceEstimated).toBe(true);
    expect(planOffers({ ...ASKED, region: 'mars-north-1' })[0]?.priceEstimated).toBe(true);
  });

  test('fails on hardware that does not exist, naming the largest there is', () => {
    expect(() => planOffers({ ...ASKED, cpu: { min: 9999 } })).toThrow(/at least 9999 vCPU.*192 vCPU/);
    expect(() => planOffers({ ...ASKED, cpu: { min: 2, max: 2 }, memoryGiB: { min: 1000 } })).toThrow(
      expect.objectContaining({ code: 'E_HARDWARE' }),
    );
  });

  test('fails on an unknown type, naming those of its family', () => {
    expect(() => planOffers({ ...ASKED, vmTypes: ['m7i.huge'] })).toThrow(/m7i\.large/);
    expect(() => planOffers({ ...ASKED, vmTypes: ['zz.top'] })).toThrow(/known families are/);
  });

  test('fails when the type is of another architecture than the job', () => {
    expect(() => planOffers({ ...ASKED, vmTypes: ['m7g.large'] })).toThrow(/arm64/);
  });
});

describe('the catalog', () => {
  test('names each type once, with prices in proportion to vCPUs within a family', () => {
    expect(new Set(CATALOG.map((t) => t.name)).size).toBe(CATALOG.length);
    const m7i = CATALOG.filter((t) => t.name.startsWith('m7i.'));
    for (const t of m7i) expect(t.usdPerHour / t.vcpu).toBeCloseTo(0.0504, 6);
  });

  test('multiplies prices by region', () => {
    const type = CATALOG.find((t) => t.name === 'm6i.large')!;
    expect(priceOf(type, 'us-west-2')).toEqual({ usdPerHour: 0.096, estimated: false });
    expect(priceOf(type, 'eu-central-1').usdPerHour).toBeCloseTo(0.115, 3);
  });
});
