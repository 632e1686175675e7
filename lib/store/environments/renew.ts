import { bucketKeys, mapBounded } from '../../contract';
import type { Environment, Store } from '../../contract';
import { isKept } from '../keep';

/** Requests at once. */
const LOOKS = 8;

/**
 * Makes an environment new where it is old, its manifest last: so the packs of a manifest are hardly older than it.
 * @returns whether it is whole
 */
export async function renewEnvironment(
  store: Store,
  key: string,
  environment: Environment,
  options: { readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  const isThere = await lookAtPacks(store, environment, options);
  return isThere.every(Boolean) && isKept(store, bucketKeys.environmentManifest(key), options);
}

/** Which packs of an environment are there and stay there: old ones are made new. */
export async function lookAtPacks(
  store: Store,
  { packs }: Environment,
  options: { readonly signal?: AbortSignal } = {},
): Promise<boolean[]> {
  return mapBounded(packs, LOOKS, ({ name }, _index, signal) => isKept(store, bucketKeys.environmentPack(name), { signal }), options);
}
