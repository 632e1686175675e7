import { openAws } from '../../lib/aws/clients';
import type { AwsContext } from '../../lib/aws/clients';
import { createMarketSource } from '../../lib/aws/market-source';
import { bucketKeys, MARKET_AGES_MS } from '../../lib/contract';
import type { Clock, MarketSource } from '../../lib/contract';
import { INSTANCE_TYPES } from '../../lib/local/ec2/instance-types';
import { MarketKeeper } from '../../lib/runtime/market/keeper';
import { planOffers } from '../../lib/runtime/plan/offers';
import { createMemoryStore } from '../../lib/store/memory';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';

async function withSource<T>(use: (test: TestCloud & { source: MarketSource; context: AwsContext }) => Promise<T>): Promise<T> {
  return withLocalCloud({}, async (test) => {
    const context = await openAws({ env: {}, region: test.cloud.region, endpoint: test.cloud.url, credentials: test.cloud.credentials });
    try {
      return await use({ ...test, context, source: createMarketSource(context) });
    } finally {
      context.close();
    }
  });
}

const HARDWARE = { cpu: { min: 2 }, memoryGiB: { min: 8 }, arch: 'x86_64', region: 'us-east-1', zones: [] } as const;

describe('what AWS sells, over the wire', () => {
  test('is every type with zones and on-demand price, and the price of disks', async () => {
    await withSource(async ({ source }) => {
      const { types, gp3UsdPerGiBMonth } = await source.list();
      expect(types).toHaveLength(INSTANCE_TYPES.size);
      expect(types.find(([name]) => name === 'm7i.large')).toEqual(['m7i.large', 'x', 2, 8, 0.1008, '', expect.stringMatching(/^[a-f]*$/)]);
      expect(types.find(([name]) => name === 't4g.small')).toMatchObject({ 1: 'a', 5: 'b' });
      expect(types.find(([name]) => name === 'm7i-flex.large')).toMatchObject({ 5: 'f' });
      expect(gp3UsdPerGiBMonth).toBe(0.08);
    });
  });

  test('has spot prices of now, and of a past time, oldest first', async () => {
    await withSource(async ({ source, cloud, context }) => {
      cloud.ec2.spotPrices([{ vmType: 'm7i.large', zone: 'us-east-1a', usdPerHour: 0.0123 }]);
      const now = await source.spotPrices(['m7i.large', 'm6i.large']);
      expect(new Set(now.map((p) => p.vmType))).toEqual(new Set(['m7i.large', 'm6i.large']));
      expect(now.find((p) => p.vmType === 'm7i.large' && p.zone === 'us-east-1a')?.usdPerHour).toBe(0.0123);
      const day = await source.spotHistory('m7i.large', 'us-east-1a', context.clock.now() - 86_400_000, context.clock.now() + 1000);
      expect(day.length).toBeGreaterThan(1);
      expect(day.map((p) => p.since)).toEqual(day.map((p) => p.since).sort((a, b) => a - b));
      expect(day.at(-1)?.usdPerHour).toBe(0.0123);
    });
  });

  test('has quotas, and the use of one', async () => {
    await withSource(async ({ source, cloud }) => {
      cloud.ec2.setQuotas({ 'L-1216C47A': 7 });
      expect(await source.quotas()).toMatchObject({ 'L-1216C47A': 7, 'L-34B43A08': expect.any(Number) as number });
      expect(await source.quotaState({ vmType: 'm7i.large', purchase: 'on-demand' })).toMatchObject({
        quota: { code: 'L-1216C47A' },
        value: 7,
        used: 0,
      });
      expect(await source.quotaState({ vmType: 'mac2.metal', purchase: 'on-demand' })).toBeUndefined();
    });
  });

  test('fails with the missing action when the caller may not ask', async () => {
    await withSource(async ({ source, cloud }) => {
      const message = 'User: arn:aws:iam::1:user/a is not authorized to perform: pricing:GetProducts';
      cloud.faults.arm({
        operation: 'GetProducts',
        count: 9,
        effect: { kind: 'error', status: 400, code: 'AccessDeniedException', message },
      });
      await expect(source.list()).rejects.toMatchObject({ code: 'E_PERMISSION', remedy: 'Ask an administrator for pricing:GetProducts.' });
    });
  });
});

describe('the keeper of prices', () => {
  const START = Date.parse('2026-11-23T12:00:00Z');

  /** A source that counts what it is asked, and a store that counts its GETs. */
  function world() {
    const time = { now: START };
    const asked = { list: 0, spot: 0, quotas: 0 };
    const broken = new Set<string>();
    const answer = async <T>(what: keyof typeof asked, value: T): Promise<T> => {
      asked[what]++;
      if (broken.has(what)) throw new Error(`${what} is down`);
      return value;
    };
    const source: MarketSource = {
      list: () =>
        answer('list', { types: [['m9z.large', 'x', 2, 8, 0.05, '', 'ab'] as const].map((row) => [...row]), gp3UsdPerGiBMonth: 0.1 }),
      spotPrices: () => answer('spot', [{ vmType: 'm9z.large', zone: 'us-east-1a', usdPerHour: 0.01, since: START }]),
      spotHistory: () => Promise.resolve([]),
      quotas: () => answer('quotas', { 'L-1216C47A': 32 }),
      quotaState: () => Promise.resolve(undefined),
    };
    const store = createMemoryStore({ now: () => time.now });
    const clock: Clock = { now: () => time.now, sleep: () => Promise.resolve() };
    const keeper = (): MarketKeeper => new MarketKeeper({ store, source, clock, region: 'us-east-1' });
    return { time, asked, broken, store, keeper };
  }

  test('takes one GET for a run, and asks AWS nothing until the run is launched', async () => {
    const { keeper, store, asked } = world();
    const kept = keeper();
    const before = store.requests.get;
    const view = await kept.view('on-demand');
    expect(store.requests.get - before).toBe(1);
    expect(asked).toEqual({ list: 0, spot: 0, quotas: 0 });
    expect(planOffers({ ...HARDWARE, spotPolicy: 'on-demand' }, view)[0]?.priceSource).toMatch(/^built-in price table/);
  });

  test('asks in the background what is out of date, and everybody has it from then on', async () => {
    const { keeper, store, asked } = world();
    const first = keeper();
    await first.view('on-demand');
    first.refreshLater();
    await untilStored(store);
    await first.close();
    const view = await keeper().view('on-demand');
    expect(planOffers({ ...HARDWARE, spotPolicy: 'on-demand' }, view)[0]).toMatchObject({
      vmType: 'm9z.large',
      priceSource: 'AWS price list of 2026-11-23',
    });
    expect(view.quotaVcpus('L-1216C47A')).toBe(32);
    expect(view.gp3UsdPerGiBMonth).toBe(0.1);
    expect(asked).toEqual({ list: 1, spot: 1, quotas: 1 });
  });

  test('asks the list once a day and spot prices once an hour at most, and for spot VMs before they are launched', async () => {
    const { keeper, time, asked } = world();
    await keeper().freshView();
    time.now += MARKET_AGES_MS.spot - 1;
    await keeper().freshView();
    expect(asked).toEqual({ list: 1, spot: 1, quotas: 1 });
    time.now += 2;
    await keeper().view('on-demand');
    expect(asked.spot).toBe(1);
    const view = await keeper().view('spot');
    expect(view.spotUsdPerHour('m9z.large', 'us-east-1a')).toBe(0.01);
    expect(asked).toEqual({ list: 1, spot: 2, quotas: 1 });
  });

  test('goes on with what it knows when AWS refuses, and says what is missing and why', async () => {
    const { keeper, broken } = world();
    broken.add('list').add('quotas');
    const { view, notices } = await keeper().freshView();
    expect(view.priceSource).toMatch(/^built-in/);
    expect(view.spotUsdPerHour('m9z.large', undefined)).toBe(0.01);
    expect(notices.map((n) => n.text)).toEqual([
      'types and prices are those known before: list is down',
      'quotas are not checked before the launch: quotas is down',
    ]);
  });

  test('passes over what lies in the bucket and cannot be read', async () => {
    const { keeper, store } = world();
    await store.put(bucketKeys.market('us-east-1'), Buffer.from('not gzip'));
    expect((await keeper().view('on-demand')).priceSource).toMatch(/^built-in/);
  });

  async function untilStored(store: ReturnType<typeof createMemoryStore>): Promise<void> {
    while ((await store.get(bucketKeys.market('us-east-1'))) === 'absent') await new Promise((resolve) => setImmediate(resolve));
  }
});
