import fc from 'fast-check';
import { mapBounded } from '../../lib/contract';

test('gives the results in the order of the items, with no more than the limit under way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 20 }), fc.integer({ min: 1, max: 6 }), async (turns, limit) => {
      let running = 0;
      let most = 0;
      const results = await mapBounded(turns, limit, async (turn, index) => {
        most = Math.max(most, ++running);
        for (let i = 0; i < turn; i++) await Promise.resolve();
        running--;
        return index;
      });
      expect(results).toEqual([...turns.keys()]);
      expect(most).toBeLessThanOrEqual(Math.min(limit, turns.length));
    }),
  );
});

test('fails with the first failure, after telling the others under way and starting no more', async () => {
  const seen: string[] = [];
  const attempt = mapBounded(['slow', 'bad', 'never'], 2, async (item, _index, signal) => {
    seen.push(item);
    if (item === 'bad') throw new Error('bad failed');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    seen.push(`${item} was told`);
  });
  await expect(attempt).rejects.toThrow('bad failed');
  expect(seen).toEqual(['slow', 'bad', 'slow was told']);
});

test('fails with the reason of the signal that it was given', async () => {
  const stop = new AbortController();
  const attempt = mapBounded(
    [1, 2],
    1,
    async (item) => {
      stop.abort(new Error('stopped from outside'));
      return item;
    },
    { signal: stop.signal },
  );
  await expect(attempt).rejects.toThrow('stopped from outside');
});

test('calls nothing for no items', async () => {
  await expect(mapBounded([], 4, () => Promise.reject(new Error('called')))).resolves.toEqual([]);
});
