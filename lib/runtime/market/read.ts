import { gunzipSync, gzipSync } from 'node:zlib';
import { bucketKeys, decodeJson, encodeJson, findRawcloudError, MarketSchema } from '../../contract';
import type { Market, Store } from '../../contract';

/** The market as stored, with what a conditional write needs. */
export interface StoredMarket {
  readonly market: Market;
  readonly etag: string;
}

/**
 * One GET. Undefined when nobody has asked AWS yet, or when what lies there cannot be read: prices are a help, and a run
 * goes on without them, by the built-in table.
 */
export async function readMarket(store: Store, region: string, signal?: AbortSignal): Promise<StoredMarket | undefined> {
  try {
    const found = await store.get(bucketKeys.market(region), signal ? { signal } : {});
    if (found === 'absent' || found === 'unchanged') return undefined;
    return { market: decodeJson(MarketSchema, gunzipSync(found.body), 'the price list'), etag: found.etag };
  } catch (error) {
    signal?.throwIfAborted();
    if (passable(error)) return undefined;
    throw error;
  }
}

/** A list by a newer version, a damaged one, a bucket that answers late: nothing that a run should fail of. */
function passable(error: unknown): boolean {
  const code = findRawcloudError(error)?.code;
  return code !== 'E_NO_CREDENTIALS' && code !== 'E_CREDENTIALS_EXPIRED';
}

/**
 * Writes over what was read, or where nothing was. @returns its etag; undefined when someone else wrote first, whose list
 * is as good, or when it cannot be kept, by somebody who may only read: what was asked is known all the same
 */
export async function writeMarket(store: Store, market: Market, over: StoredMarket | undefined): Promise<string | undefined> {
  const body = gzipSync(encodeJson(market));
  try {
    const written = await store.put(bucketKeys.market(market.region), body, { if: over ? { etag: over.etag } : 'absent' });
    return written === 'lost' ? undefined : written.etag;
  } catch (error) {
    if (passable(error)) return undefined;
    throw error;
  }
}
