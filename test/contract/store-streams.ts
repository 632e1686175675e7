import { randomBytes } from 'node:crypto';
import { mustGet } from './store-suite';
import type { StoreTests } from './store-suite';

const MIB = 2 ** 20;

/** In pieces that fit neither the parts of an upload nor anything else. */
async function* pieces(content: Uint8Array, bytes = 700_001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += bytes) yield content.subarray(at, at + bytes);
}

/** Streams, which above 8 MiB go part by part. */
export const testStreams: StoreTests = ({ test, each }, fixture) => {
  each(
    'streams %s in and out, byte for byte',
    { nothing: 0, 'a little': 1000, 'just a part': 8 * MIB, 'several parts': 20 * MIB + 17 },
    async (bytes) => {
      const { store, key } = fixture();
      const content = randomBytes(bytes);
      const { etag } = await store.putStream(key('a'), pieces(content));
      const read: Uint8Array[] = [];
      for await (const chunk of store.getStream(key('a'))) read.push(chunk);
      expect(Buffer.concat(read).equals(content)).toBe(true);
      expect(await mustGet(store, key('a'))).toMatchObject({ etag });
    },
  );

  test('what came in parts has an etag by which it is unchanged, and may be swapped', async () => {
    const { store, key, text } = fixture();
    const { etag } = await store.putStream(key('a'), pieces(randomBytes(9 * MIB)));
    expect(await store.get(key('a'), { ifNoneMatch: etag })).toBe('unchanged');
    expect(await store.put(key('a'), Buffer.from('new'), { if: { etag } })).not.toBe('lost');
    expect(await text(key('a'))).toBe('new');
  });

  test('ranges of what came in parts go across parts', async () => {
    const { store, key } = fixture();
    const content = randomBytes(17 * MIB);
    await store.putStream(key('a'), pieces(content));
    const start = 8 * MIB - 5;
    const found = await store.get(key('a'), { range: { start, end: start + 9 } });
    if (typeof found === 'string') throw new Error(found);
    expect(Buffer.from(found.body).equals(content.subarray(start, start + 10))).toBe(true);
  });

  each(
    'fails, and stores nothing, when a stream fails %s',
    { 'at once': 0, 'within the first part': MIB, 'after the first part': 9 * MIB },
    async (bytes) => {
      const { store, key, text, prefix, unfinished } = fixture();
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield* pieces(randomBytes(bytes));
        throw new Error('the disk is gone');
      };
      await expect(store.putStream(key('a'), source())).rejects.toThrow(/disk is gone/);
      expect(await text(key('a'))).toBe('absent');
      expect((await unfinished?.(prefix)) ?? []).toEqual([]);
    },
  );
};
