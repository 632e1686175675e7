import { randomBytes } from 'node:crypto';
import { bucketKeys, decodeJson, encodeJson, EnvironmentSecretSchema, RawcloudError } from '../contract';
import type { Store } from '../contract';

/**
 * The secret that keys of an owner's environments are made with: made by whoever needs it first, the same for all of the
 * owner's jobs. Another owner's jobs can neither read nor replace what lies under a key that they cannot make.
 */
export async function environmentSecret(store: Store, owner: string, options: { readonly signal?: AbortSignal } = {}): Promise<string> {
  const key = bucketKeys.environmentSecret(owner);
  const there = await read(store, key, options);
  if (there !== undefined) return there;
  const secret = randomBytes(32).toString('hex');
  if ((await store.put(key, encodeJson({ v: 1, secret }), { if: 'absent', ...options })) !== 'lost') return secret;
  const first = await read(store, key, options);
  if (first !== undefined) return first;
  throw new RawcloudError('E_RECORD', 'the secret of the environment cache was there, and is gone', {
    remedy: 'Run it again.',
    retryable: true,
  });
}

/** @returns undefined where no job of the owner has needed one yet */
export async function knownEnvironmentSecret(
  store: Pick<Store, 'get'>,
  owner: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<string | undefined> {
  return read(store, bucketKeys.environmentSecret(owner), options);
}

async function read(store: Pick<Store, 'get'>, key: string, options: { readonly signal?: AbortSignal }): Promise<string | undefined> {
  const found = await store.get(key, options);
  if (found === 'absent' || found === 'unchanged') return undefined;
  return decodeJson(EnvironmentSecretSchema, found.body, 'the secret of the environment cache').secret;
}

const SESSION = /^(arn:[^:]+:sts::\d+:assumed-role\/(?!AWSReservedSSO_)[^/]+)\/.*$/;

/**
 * Whose environments a caller shares. Sessions of a role are named by chance in CI and by many tools, so they share those of
 * the role; with IAM Identity Center the session is the person.
 */
export function cacheOwner(arn: string): string {
  return arn.replace(SESSION, '$1');
}
