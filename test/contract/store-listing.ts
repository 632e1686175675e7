import { mapBounded } from '../../lib/contract';
import type { Store, StoreEntry } from '../../lib/contract';
import { mustPut } from './store-suite';
import type { StoreTests } from './store-suite';

/** S3 gives 1000 keys a page. */
const MORE_THAN_A_PAGE = 1_003;

async function listed(store: Store, prefix: string, options?: Parameters<Store['list']>[1]): Promise<StoreEntry[]> {
  const found: StoreEntry[] = [];
  for await (const entry of store.list(prefix, options)) found.push(entry);
  return found;
}

/** Listing, for those who may. */
export const testListing: StoreTests = ({ test, each }, fixture) => {
  const put = async (names: readonly string[]): Promise<void> => {
    const { store, key } = fixture();
    await mapBounded(names, 16, (name) => mustPut(store, key(name), name));
  };
  const names = async (options?: { after?: string; delimiter?: string }, under = ''): Promise<string[]> => {
    const { store, key, prefix } = fixture();
    return (await listed(store, key(under), options)).map((entry) => entry.key.slice(prefix.length));
  };

  test('lists what lies under a prefix, in the order of bytes', async () => {
    await put(['b', 'a/1', 'a/2', 'Z', 'ü', '\u{ff5e}', '\u{1f600}', 'a-']);
    expect(await names()).toEqual(['Z', 'a-', 'a/1', 'a/2', 'b', 'ü', '\u{ff5e}', '\u{1f600}']);
    expect(await names({}, 'a/')).toEqual(['a/1', 'a/2']);
    expect(await names({}, 'a')).toEqual(['a-', 'a/1', 'a/2']);
    expect(await names({}, 'nothing')).toEqual([]);
  });

  test('an entry tells length, etag and time as reading does', async () => {
    const { store, key, prefix } = fixture();
    const { etag } = await mustPut(store, key('a'), 'hello');
    const [entry] = await listed(store, prefix);
    expect(entry).toMatchObject({ key: key('a'), bytes: 5, etag });
    const found = await store.get(key('a'));
    // A listing tells milliseconds where S3 has them, reading whole seconds.
    expect(found).toMatchObject({ modified: Math.floor(entry!.modified / 1000) * 1000 });
  });

  test('begins after a key, whether that is there or not', async () => {
    const { key } = fixture();
    await put(['a', 'b', 'c']);
    expect(await names({ after: key('a') })).toEqual(['b', 'c']);
    expect(await names({ after: key('aa') })).toEqual(['b', 'c']);
    expect(await names({ after: key('c') })).toEqual([]);
  });

  test('folds at a delimiter', async () => {
    const { key } = fixture();
    await put(['b', 'a/1', 'a/2', 'a/x/y', 'Z', 'ü']);
    expect(await names({ delimiter: '/' })).toEqual(['Z', 'a/', 'b', 'ü']);
    expect(await names({ delimiter: '/' }, 'a/')).toEqual(['a/1', 'a/2', 'a/x/']);
    expect(await names({ delimiter: '/', after: key('b') })).toEqual(['ü']);
  });

  test('goes on from page to page, each key once', async () => {
    const all = Array.from({ length: MORE_THAN_A_PAGE }, (_, i) => `p/${String(i).padStart(5, '0')}`);
    await put([...all, 'q/1']);
    expect(await names({}, 'p/')).toEqual(all);
    const { key } = fixture();
    expect(await names({ after: key('p/00000') }, 'p/')).toEqual(all.slice(1));
    expect(await names({ delimiter: '/' })).toEqual(['p/', 'q/']);
  });

  each('lists a key with %s as it is', { 'what XML escapes': '<a>&amp;"b"', blanks: 'a b+c%20', 'a line end': 'a\nb' }, async (odd) => {
    await put([odd]);
    expect(await names()).toEqual([odd]);
  });
};
