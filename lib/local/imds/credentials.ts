import type { SessionKeys } from '../principals';

/** Credentials are renewed when they end within this time: EC2 has new ones ready at least five minutes before. */
const RENEW_BEFORE_MS = 15 * 60_000;

/** What `iam/security-credentials/<role>` shows: the same keys until they near their end. */
export function credentialSource(issue: () => SessionKeys, now: () => number): () => string {
  let held: { readonly keys: SessionKeys; readonly at: number } | undefined;
  return () => {
    if (!held || held.keys.expiresAt - now() < RENEW_BEFORE_MS) held = { keys: issue(), at: now() };
    const { keys, at } = held;
    const document = {
      Code: 'Success',
      LastUpdated: wholeSeconds(at),
      Type: 'AWS-HMAC',
      AccessKeyId: keys.accessKeyId,
      SecretAccessKey: keys.secretAccessKey,
      Token: keys.sessionToken,
      Expiration: wholeSeconds(keys.expiresAt),
    };
    return JSON.stringify(document, undefined, 2);
  };
}

function wholeSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, '');
}
