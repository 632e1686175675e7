import { CATALOG, priceOf } from '../../lib/runtime/plan/catalog';
import type { Hardware } from '../../lib/runtime/plan/hardware';
import { viewMarket, withinLimits } from '../../lib/runtime/plan/market';
import { planOffers as plan } from '../../lib/runtime/plan/offers';
import type { Limits, Market, Offer } from '../../lib/contract';

const ZONES = ['us-east-1a', 'us-east-1b'];
const ASKED = {
  cpu: { min: 2 },
  memoryGiB: { min: 8 },
  arch: 'x86_64',
  region: 'us-east-1',
  zones: ZONES,
  spotPolicy: 'on-demand',
} as const;

const planOffers = (hardware: Hardware, market?: Market): Offer[] => plan(hardware, viewMarket(hardware.region, market));

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

test('offers in private zones come without a public address', () => {
  const offers = planOffers({ ...ASKED, privateZones: ['us-east-1b'] });
  expect(offers.filter((o) => o.publicIpv4 === false).every((o) => o.zone === 'us-east-1b')).toBe(true);
  expect(offers.filter((o) => o.publicIpv4 === undefined).every((o) => o.zone === 'us-east-1a')).toBe(true);
});

describe('the plan within the limits of a scaffolding', () => {
  const within = (hardware: Hardware, limits: Limits): Offer[] => plan(hardware, withinLimits(viewMarket('us-east-1', undefined), limits));

  test('offers only types that are allowed', () => {
    const types = new Set(within(ASKED, { vmTypes: ['c7i.*', 'r7i.*'] }).map((o) => o.vmType.split('.')[0]));
    expect([...types].sort()).toEqual(['c7i', 'r7i']);
  });

  test('takes unusual types where the owner allows no others', () => {
    expect(within({ ...ASKED, memoryGiB: { min: 2 } }, { vmTypes: ['t3.*'] })[0]?.vmType).toMatch(/^t3\./);
  });

  test('fails on hardware that no allowed type has, naming what is allowed', () => {
    expect(() => within({ ...ASKED, cpu: { min: 64 } }, { vmTypes: ['m7i.large'] })).toThrow(/the scaffolding allows m7i\.large/);
    expect(() => within({ ...ASKED, families: ['c'] }, { vmTypes: ['m7i.*'] })).toThrow(/family c.*the scaffolding allows m7i\.\*/);
  });
});

describe('the plan of spot VMs', () => {
  const market = (prices: Record<string, Record<string, number>>): Market => ({
    v: 1,
    region: 'us-east-1',
    spot: { at: Date.parse('2026-11-23T12:00:00Z'), prices },
  });
  const PRICES = market({ 'm6a.large': { 'us-east-1a': 0.04, 'us-east-1b': 0.03 }, 'm7i.large': { 'us-east-1a': 0.035 } });

  test('goes by the spot price of type and zone, what has none last', () => {
    const offers = planOffers({ ...ASKED, spotPolicy: 'spot' }, PRICES);
    expect(offers.slice(0, 3).map((o) => [o.vmType, o.zone, o.usdPerHour])).toEqual([
      ['m6a.large', 'us-east-1b', 0.03],
      ['m7i.large', 'us-east-1a', 0.035],
      ['m6a.large', 'us-east-1a', 0.04],
    ]);
    expect(new Set(offers.map((o) => o.purchase))).toEqual(new Set(['spot']));
    expect(offers[0]).toMatchObject({ priceEstimated: true, priceSource: 'spot price of 2026-11-23', reason: 'lowest spot price' });
    expect(offers.at(-1)).toMatchObject({
      reason: 'spot price not known',
      priceSource: expect.stringMatching(/^at most the on-demand/) as string,
    });
  });

  test('ends with VMs on demand where falling back is allowed, and says why they are there', () => {
    const offers = planOffers({ ...ASKED, spotPolicy: 'spot_with_fallback' }, PRICES);
    const first = offers.findIndex((o) => o.purchase === 'on-demand');
    expect(first).toBeGreaterThan(2);
    expect(offers.slice(first).every((o) => o.purchase === 'on-demand')).toBe(true);
    expect(offers[first]?.reason).toMatch(/should spot have no capacity/);
  });

  test('keeps the order of types asked for by name, and their cheapest zone first', () => {
    const offers = planOffers({ ...ASKED, vmTypes: ['m7i.large', 'm6a.large'], spotPolicy: 'spot' }, PRICES);
    expect(offers.map((o) => `${o.vmType} ${o.zone}`)).toEqual([
      'm7i.large us-east-1a',
      'm7i.large us-east-1b',
      'm6a.large us-east-1b',
      'm6a.large us-east-1a',
    ]);
  });
});

describe('the plan by AWS’s own list', () => {
  const LIST: Market = {
    v: 1,
    region: 'us-east-1',
    list: {
      at: Date.parse('2026-11-23T12:00:00Z'),
      types: [
        ['m9z.large', 'x', 2, 8, 0.05, '', 'b'],
        ['m6i.large', 'x', 2, 8, 0.096, '', 'abc'],
        ['m5.large', 'x', 2, 8, 0.04, '', 'ab'],
        ['m9z-flex.large', 'x', 2, 8, 0.03, 'f', 'ab'],
        ['g6.xlarge', 'x', 4, 16, 0.01, 'g', 'ab'],
        ['c9z.xlarge', 'x', 4, 8, 0.02, '', 'c'],
      ],
    },
  };

  test('takes what is for sale in the scaffolding’s zones, of a recent generation, at full speed, without accelerators', () => {
    expect(planOffers(ASKED, LIST).map((o) => `${o.vmType} ${o.zone}`)).toEqual([
      'm9z.large us-east-1b',
      'm6i.large us-east-1a',
      'm6i.large us-east-1b',
    ]);
    expect(planOffers(ASKED, LIST)[0]).toMatchObject({ priceSource: 'AWS price list of 2026-11-23', priceEstimated: false });
  });

  test('takes families in the order asked for, older ones and those with accelerators too', () => {
    expect(planOffers({ ...ASKED, families: ['m5', 'g'] }, LIST).map((o) => o.vmType)).toEqual([
      'm5.large',
      'm5.large',
      'g6.xlarge',
      'g6.xlarge',
    ]);
  });

  test('fails on a type that no zone of the scaffolding has', () => {
    expect(() => planOffers({ ...ASKED, vmTypes: ['c9z.xlarge'] }, LIST)).toThrow(/us-east-1c would/);
  });

  test('is not believed when it is older than the built-in table', () => {
    const old = { ...LIST, list: { ...LIST.list!, at: Date.parse('2020-01-01') } };
    expect(planOffers(ASKED, old)[0]?.priceSource).toMatch(/built-in/);
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
