import { randomBytes } from 'node:crypto';
import type { Store } from '../../lib/contract';

/** What every store promises. `open` gives an empty place in a fresh store; `canList` is false for a VM's. */
export function describeStore(name: string, open: () => Promise<Store>, { canList = true } = {}): void {
  describe(name, () => {
    let store: Store;
    const key = (suffix: string): string => `v1/jobs/suite/${suffix}`;
    const bytes = (text: string): Buffer => Buffer.from(text);
    const text = async (k: string): Promise<string> => {
      const found = await store.get(k);
      return typeof found === 'string' ? found : Buffer.from(found.body).toString();
    };

    beforeEach(async () => {
      store = await open();
    });

    test('gives back what was put, with etag and the store’s own times', async () => {
      const k = key(`a${randomBytes(4).toString('hex')}`);
      const written = await store.put(k, bytes('hello'));
      const found = await store.get(k);
      if (typeof found === 'string' || written === 'lost') throw new Error('nothing there');
      expect(Buffer.from(found.body).toString()).toBe('hello');
      expect(found.etag).toBe(written.etag);
      expect(found.now).toBeGreaterThanOrEqual(found.modified);
      expect(found.now - found.modified).toBeLessThan(60_000);
    });

    test('knows absent from unchanged from changed', async () => {
      const k = key(`b${randomBytes(4).toString('hex')}`);
      expect(await store.get(k)).toBe('absent');
      const first = await store.put(k, bytes('1'));
      if (first === 'lost') throw new Error('lost');
      expect(await store.get(k, { ifNoneMatch: first.etag })).toBe('unchanged');
      await store.put(k, bytes('2'));
      expect(await store.get(k, { ifNoneMatch: first.etag })).toMatchObject({ etag: expect.not.stringMatching(first.etag) as string });
    });

    test('lets exactly one of many first writers win', async () => {
      const k = key(`c${randomBytes(4).toString('hex')}`);
      const results = await Promise.all(Array.from({ length: 20 }, (_, i) => store.put(k, bytes(`writer ${i}`), { if: 'absent' })));
      expect(results.filter((r) => r !== 'lost')).toHaveLength(1);
      const winner = results.findIndex((r) => r !== 'lost');
      expect(await text(k)).toBe(`writer ${winner}`);
    });

    test('swaps only what is still as it was read', async () => {
      const k = key(`d${randomBytes(4).toString('hex')}`);
      expect(await store.put(k, bytes('x'), { if: { etag: '"0123456789abcdef0123456789abcdef"' } })).toBe('lost');
      const first = await store.put(k, bytes('1'));
      if (first === 'lost') throw new Error('lost');
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) => store.put(k, bytes(`swap ${i}`), { if: { etag: first.etag } })),
      );
      expect(results.filter((r) => r !== 'lost')).toHaveLength(1);
    });

    test('gives ranges: from the start, from within, the last bytes, of nothing', async () => {
      const k = key(`e${randomBytes(4).toString('hex')}`);
      await store.put(k, bytes('0123456789'));
      const range = async (r: { start: number; end?: number } | { last: number }): Promise<string> => {
        const found = await store.get(k, { range: r });
        return typeof found === 'string' ? found : Buffer.from(found.body).toString();
      };
      expect([
        await range({ start: 0, end: 0 }),
        await range({ start: 4, end: 6 }),
        await range({ start: 8 }),
        await range({ last: 3 }),
      ]).toEqual(['0', '456', '89', '789']);
      const empty = key(`f${randomBytes(4).toString('hex')}`);
      await store.put(empty, new Uint8Array());
      expect(await store.get(empty, { range: { start: 0, end: 0 } })).not.toBe('absent');
    });

    test('streams in and out, small and larger than a part, byte for byte', async () => {
      for (const size of [0, 1000, 20 * 2 ** 20 + 17]) {
        const k = key(`g${randomBytes(4).toString('hex')}`);
        const content = randomBytes(size);
        const source = async function* (): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < size; at += 700_001) yield content.subarray(at, at + 700_001);
        };
        await store.putStream(k, source());
        const read: Uint8Array[] = [];
        for await (const chunk of store.getStream(k)) read.push(chunk);
        expect(Buffer.concat(read).equals(content)).toBe(true);
      }
    });

    test('fails, and stores nothing, when a stream fails half-way', async () => {
      const k = key(`h${randomBytes(4).toString('hex')}`);
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield randomBytes(9 * 2 ** 20);
        throw new Error('the disk is gone');
      };
      await expect(store.putStream(k, source())).rejects.toThrow(/disk is gone/);
      expect(await store.get(k)).toBe('absent');
    });

    test('fails by saying so when a stream of nothing is asked for', async () => {
      const read = async (): Promise<void> => {
        for await (const _ of store.getStream(key('never')));
      };
      await expect(read()).rejects.toMatchObject({ data: { absent: true } });
    });

    test('takes keys of any characters', async () => {
      const name = randomBytes(4).toString('hex');
      for (const odd of ['AROA:i-1', 'a b+c%d', 'ünïcode', "quo'te!(x)*", '~tilde=&?#']) {
        const k = key(`i${name}/${odd}`);
        await store.put(k, bytes(odd));
        expect(await text(k)).toBe(odd);
      }
    });

    test('deletes, also what is not there', async () => {
      const k = key(`j${randomBytes(4).toString('hex')}`);
      await store.put(k, bytes('x'));
      await store.delete(k);
      await store.delete(k);
      expect(await store.get(k)).toBe('absent');
    });

    test('counts its requests', async () => {
      const before = { ...store.requests };
      await store.put(key('counted'), bytes('x'));
      await store.get(key('counted'));
      expect(store.requests.put).toBe(before.put + 1);
      expect(store.requests.get).toBe(before.get + 1);
    });

    if (!canList) return;
    test('lists in byte order, after a key, and folded at a delimiter', async () => {
      const at = key(`k${randomBytes(4).toString('hex')}/`);
      for (const name of ['b', 'a/1', 'a/2', 'Z', 'ü']) await store.put(at + name, bytes(name));
      const names = async (options: { after?: string; delimiter?: string } = {}): Promise<string[]> => {
        const found: string[] = [];
        for await (const entry of store.list(at, options)) found.push(entry.key.slice(at.length));
        return found;
      };
      expect(await names()).toEqual(['Z', 'a/1', 'a/2', 'b', 'ü']);
      expect(await names({ after: `${at}a/2` })).toEqual(['b', 'ü']);
      expect(await names({ delimiter: '/' })).toEqual(['Z', 'a/', 'b', 'ü']);
    });
  });
}
