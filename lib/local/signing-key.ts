import { createHmac } from 'node:crypto';

/** Date, region and service that a signature is valid for. */
export interface Scope {
  /** `20261123` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export function scopeText(scope: Scope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

const MAX_CACHED = 512;
const cached = new Map<string, Buffer>();

/** The day's signing key. Cached: deriving it costs more than everything else in a verification. */
export function signingKey(secret: string, scope: Scope): Buffer {
  const name = `${secret} ${scopeText(scope)}`;
  const known = cached.get(name);
  if (known) return known;
  if (cached.size >= MAX_CACHED) cached.clear();
  const key = [scope.date, scope.region, scope.service, 'aws4_request'].reduce<string | Buffer>(
    (k, part) => hmac(k, part),
    `AWS4${secret}`,
  );
  cached.set(name, Buffer.from(key));
  return Buffer.from(key);
}

export function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
