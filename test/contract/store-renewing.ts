import { mustGet, mustPut } from './store-suite';
import type { StoreTests } from './store-suite';

/** Making an object new without sending it. */
export const testRenewing: StoreTests = ({ test }, fixture) => {
  test('an object that is made new keeps its bytes', async () => {
    const { store, key, text } = fixture();
    await mustPut(store, key('a'), 'as it was');
    const before = await mustGet(store, key('a'));
    expect(await store.renew(key('a'))).toBe(true);
    expect(await text(key('a'))).toBe('as it was');
    expect((await mustGet(store, key('a'))).modified).toBeGreaterThanOrEqual(before.modified);
  });

  test('one that was sent in parts does, too', async () => {
    const { store, key } = fixture();
    const body = Buffer.alloc(9 * 2 ** 20, 'part');
    await store.putStream(key('large'), chunks(body));
    expect(await store.renew(key('large'))).toBe(true);
    expect(Buffer.compare(Buffer.from((await mustGet(store, key('large'))).body), body)).toBe(0);
  });

  test('what is not there cannot be made new', async () => {
    const { store, key, text } = fixture();
    expect(await store.renew(key('a'))).toBe(false);
    expect(await text(key('a'))).toBe('absent');
  });

  test('an odd key is renewed as itself', async () => {
    const { store, key, text } = fixture();
    await mustPut(store, key('a b+c%2F'), 'odd');
    expect(await store.renew(key('a b+c%2F'))).toBe(true);
    expect(await text(key('a b+c%2F'))).toBe('odd');
  });
};

async function* chunks(body: Buffer): AsyncGenerator<Uint8Array> {
  yield* [body.subarray(0, 5 * 2 ** 20), body.subarray(5 * 2 ** 20)];
}
