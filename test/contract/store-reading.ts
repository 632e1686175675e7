import { randomBytes } from 'node:crypto';
import type { ByteRange } from '../../lib/contract';
import { mustGet, mustPut } from './store-suite';
import type { StoreTests } from './store-suite';

/** Between the machine's clock and the store's, milliseconds. */
const CLOCKS_APART_MS = 60_000;

/** Reading: versions, times and ranges. */
export const testReading: StoreTests = ({ test, each }, fixture) => {
  test('gives back what was put, byte for byte, with the etag that the write gave', async () => {
    const { store, key } = fixture();
    const body = randomBytes(70_000);
    const written = await store.put(key('a'), body);
    const found = await mustGet(store, key('a'));
    expect(Buffer.from(found.body).equals(body)).toBe(true);
    expect(written).toMatchObject({ etag: found.etag });
  });

  test('tells its own time at each answer, and when the object was written', async () => {
    const { store, key } = fixture();
    const { now } = await mustPut(store, key('a'), 'x');
    expect(Math.abs(now - Date.now())).toBeLessThan(CLOCKS_APART_MS);
    const found = await mustGet(store, key('a'));
    // In whole seconds, and the write is dated when it began or when it ended.
    expect(Math.abs(found.modified - now)).toBeLessThanOrEqual(CLOCKS_APART_MS);
    expect(found.now).toBeGreaterThanOrEqual(now);
    expect(found.now).toBeGreaterThanOrEqual(found.modified);
  });

  test('knows absent from unchanged from changed', async () => {
    const { store, key, text } = fixture();
    expect(await store.get(key('a'))).toBe('absent');
    const { etag } = await mustPut(store, key('a'), '1');
    expect(await store.get(key('a'), { ifNoneMatch: etag })).toBe('unchanged');
    await mustPut(store, key('a'), '2');
    const changed = await store.get(key('a'), { ifNoneMatch: etag });
    expect(changed).toMatchObject({ etag: expect.not.stringMatching(etag) as string });
    expect(await text(key('a'))).toBe('2');
    await store.delete(key('a'));
    expect(await store.get(key('a'), { ifNoneMatch: etag })).toBe('absent');
  });

  each<[ByteRange, string]>(
    'gives %s',
    {
      'the first byte': [{ start: 0, end: 0 }, '0'],
      'bytes from within': [{ start: 4, end: 6 }, '456'],
      'all from a byte on': [{ start: 8 }, '89'],
      'the last bytes': [{ last: 3 }, '789'],
      'what there is of more last bytes than there are': [{ last: 30 }, '0123456789'],
      'what there is of a range beyond the end': [{ start: 7, end: 30 }, '789'],
    },
    async ([range, expected]) => {
      const { store, key } = fixture();
      await mustPut(store, key('a'), '0123456789');
      const found = await store.get(key('a'), { range });
      if (typeof found === 'string') throw new Error(found);
      expect(Buffer.from(found.body).toString()).toBe(expected);
      const streamed: Uint8Array[] = [];
      for await (const chunk of store.getStream(key('a'), { range })) streamed.push(chunk);
      expect(Buffer.concat(streamed).toString()).toBe(expected);
    },
  );

  each<ByteRange>(
    'gives nothing of an empty object: %s',
    { 'its first byte': { start: 0, end: 0 }, 'its last bytes': { last: 5 }, 'all from the start': { start: 0 } },
    async (range) => {
      const { store, key } = fixture();
      await mustPut(store, key('empty'), '');
      expect(await store.get(key('empty'), { range })).toMatchObject({ body: expect.objectContaining({ byteLength: 0 }) as Uint8Array });
    },
  );

  test('fails by saying so when a stream of nothing is asked for', async () => {
    const { store, key } = fixture();
    const read = async (): Promise<void> => {
      for await (const _ of store.getStream(key('never')));
    };
    await expect(read()).rejects.toMatchObject({ code: 'E_AWS_REQUEST', data: { absent: true } });
  });
};
