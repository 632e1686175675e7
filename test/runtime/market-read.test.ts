import { gzipSync } from 'node:zlib';
import { bucketKeys, encodeJson } from '../../lib/contract';
import type { Market } from '../../lib/contract';
import { readMarket, writeMarket } from '../../lib/runtime/market/read';
import { createMemoryStore } from '../../lib/store/memory';

const MARKET: Market = {
  v: 1,
  region: 'us-east-1',
  list: { at: 1, types: [['m9z.large', 'x', 2, 8, 0.05, '', 'ab']] },
  spot: { at: 2, prices: { 'm9z.large': { 'us-east-1a': 0.01 } } },
};

describe('the market in the bucket', () => {
  test('is read as it was written, and of two writers the first wins', async () => {
    const store = createMemoryStore({ now: () => 0 });
    expect(await writeMarket(store, MARKET, undefined)).toBeDefined();
    expect(await writeMarket(store, { ...MARKET, spot: undefined }, undefined)).toBeUndefined();
    expect((await readMarket(store, 'us-east-1'))?.market).toEqual(MARKET);
  });

  test.each([
    ['a row without a price', { ...MARKET, list: { at: 1, types: [['m9z.large', 'x', 2, 8, null, '', 'ab']] } }],
    ['a row that is none', { ...MARKET, list: { at: 1, types: ['m9z.large'] } }],
    ['a price of nothing', { ...MARKET, spot: { at: 1, prices: { 'm9z.large': { 'us-east-1a': 0 } } } }],
    ['a newer version', { ...MARKET, v: 2 }],
  ])('is passed over when it holds %s', async (_what, value) => {
    const store = createMemoryStore({ now: () => 0 });
    await store.put(bucketKeys.market('us-east-1'), gzipSync(encodeJson(value)));
    expect(await readMarket(store, 'us-east-1')).toBeUndefined();
  });
});
