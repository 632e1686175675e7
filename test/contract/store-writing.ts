import { createHash } from 'node:crypto';
import { mustGet, mustPut } from './store-suite';
import type { StoreTests } from './store-suite';

/** Writers that meet at one key. */
const RACERS = 20;

const won = (results: readonly (object | 'lost')[]): number[] => results.flatMap((r, i) => (r === 'lost' ? [] : [i]));

/** Writing, on condition and without, and deleting. */
export const testWriting: StoreTests = ({ test, each }, fixture) => {
  test('the last unconditional write stays', async () => {
    const { store, key, text } = fixture();
    await mustPut(store, key('a'), 'first');
    await mustPut(store, key('a'), 'second');
    expect(await text(key('a'))).toBe('second');
  });

  test('a body whose hash is given is stored when it has that hash', async () => {
    const { store, key, text } = fixture();
    const body = Buffer.from('known');
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect(await store.put(key('a'), body, { if: 'absent', sha256 })).not.toBe('lost');
    expect(await store.put(key('a'), body, { if: 'absent', sha256 })).toBe('lost');
    expect(await text(key('a'))).toBe('known');
  });

  test('fails to store a body that has another hash than was given', async () => {
    const { store, key, text } = fixture();
    await expect(store.put(key('a'), Buffer.from('x'), { sha256: '0'.repeat(64) })).rejects.toThrow();
    expect(await text(key('a'))).toBe('absent');
  });

  test('of 20 first writers exactly one wins, and what it wrote stays', async () => {
    const { store, key, text } = fixture();
    const results = await Promise.all(
      Array.from({ length: RACERS }, (_, i) => store.put(key('race'), Buffer.from(`writer ${i}`), { if: 'absent' })),
    );
    expect(won(results)).toHaveLength(1);
    expect(await text(key('race'))).toBe(`writer ${won(results)[0]}`);
  });

  test('of 20 that swap the same version exactly one wins, and what it wrote stays', async () => {
    const { store, key, text } = fixture();
    const { etag } = await mustPut(store, key('race'), 'before');
    const results = await Promise.all(
      Array.from({ length: RACERS }, (_, i) => store.put(key('race'), Buffer.from(`swap ${i}`), { if: { etag } })),
    );
    expect(won(results)).toHaveLength(1);
    expect(await text(key('race'))).toBe(`swap ${won(results)[0]}`);
  });

  test('a swap is lost when there is nothing, and when something else is there', async () => {
    const { store, key, text } = fixture();
    const stale = { if: { etag: '"0123456789abcdef0123456789abcdef"' } };
    expect(await store.put(key('a'), Buffer.from('x'), stale)).toBe('lost');
    expect(await text(key('a'))).toBe('absent');
    await mustPut(store, key('a'), '1');
    expect(await store.put(key('a'), Buffer.from('x'), stale)).toBe('lost');
    expect(await text(key('a'))).toBe('1');
  });

  test('swaps follow one another by the etag that each write gives', async () => {
    const { store, key, text } = fixture();
    let { etag } = await mustPut(store, key('a'), '0');
    for (const n of ['1', '2', '3']) {
      const written = await store.put(key('a'), Buffer.from(n), { if: { etag } });
      expect(written).not.toBe('lost');
      etag = (await mustGet(store, key('a'))).etag;
      expect(written).toMatchObject({ etag });
    }
    expect(await text(key('a'))).toBe('3');
  });

  test('a deleted key may be written first again, and its old version cannot be swapped', async () => {
    const { store, key } = fixture();
    const { etag } = await mustPut(store, key('a'), '1');
    await store.delete(key('a'));
    expect(await store.put(key('a'), Buffer.from('2'), { if: { etag } })).toBe('lost');
    expect(await store.put(key('a'), Buffer.from('3'), { if: 'absent' })).not.toBe('lost');
  });

  test('deletes, also what is not there', async () => {
    const { store, key, text } = fixture();
    await mustPut(store, key('a'), 'x');
    await store.delete(key('a'));
    await store.delete(key('a'));
    expect(await text(key('a'))).toBe('absent');
  });

  each(
    'takes a key with %s',
    {
      'a colon': 'AROATEST:i-1',
      'blanks, plus and percent': 'a b+c%d %20',
      'letters of other scripts': 'ünïcode/日本/😀',
      'quotes and brackets': `quo'te"!(x)*[y]{z}`,
      'what URLs give a meaning': '~tilde=&?#;@$,|^`',
      'dots that are no directories': 'a/./b/../c/...',
      'empty parts': 'a//b/',
      'what XML escapes': '<a>&amp;"b"',
    },
    async (odd) => {
      const { store, key, text } = fixture();
      await mustPut(store, key(odd), odd);
      expect(await text(key(odd))).toBe(odd);
      await store.delete(key(odd));
      expect(await text(key(odd))).toBe('absent');
    },
  );

  test('fails for whoever has given up', async () => {
    const { store, key, text } = fixture();
    const signal = AbortSignal.abort(new Error('given up'));
    await expect(store.put(key('a'), Buffer.from('x'), { signal })).rejects.toThrow(/given up/);
    await expect(store.get(key('a'), { signal })).rejects.toThrow(/given up/);
    expect(await text(key('a'))).toBe('absent');
  });

  test('counts its requests', async () => {
    const { store, key } = fixture();
    const before = { ...store.requests };
    await mustPut(store, key('a'), 'x');
    await store.get(key('a'));
    expect(store.requests).toEqual({ put: before.put + 1, get: before.get + 1 });
  });
};
