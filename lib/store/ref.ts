import { bucketKeys, RawcloudError } from '../contract';
import type { Ref, Store } from '../contract';
import { sha256Of } from './sha256';

/**
 * Content stored under its hash, whole and checked: for manifests and other small things.
 * @throws E_INTEGRITY when it is not there, or not what its hash says
 */
export async function fetchRef(
  store: Store,
  ref: Ref,
  key: string = bucketKeys.file(ref.sha256),
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const found = await store.get(key, signal ? { signal } : {});
  if (found === 'absent' || found === 'unchanged') throw missing(`content ${short(ref.sha256)} (${ref.bytes} bytes)`);
  if (sha256Of(found.body) !== ref.sha256) throw damaged(`content ${short(ref.sha256)}`);
  return found.body;
}

/** What a manifest or record names is not in the bucket. */
export function missing(what: string): RawcloudError {
  return new RawcloudError('E_INTEGRITY', `${what} is not in the bucket, or only a part of it`, {
    remedy: 'Remove the cache of the client (the directory rawcloud/blobs in ~/.cache) and run it again: it is then uploaded anew.',
    data: { absent: true },
  });
}

/** Content that is there is not what it should be. */
export function damaged(what: string): RawcloudError {
  return new RawcloudError('E_INTEGRITY', `${what} does not have the hash it is stored under`);
}

function short(sha256: string): string {
  return `${sha256.slice(0, 12)}…`;
}
