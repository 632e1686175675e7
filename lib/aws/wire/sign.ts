import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from '../../contract';

/**
 * Signature version 4, header form. Source: S3 API reference, "Authenticating Requests: Using the Authorization
 * Header". Written here, in forty lines, because the agent must run its command within a few milliseconds of its start:
 * the SDK's signer alone would cost more than all the rest of it.
 */
export interface Signable {
  readonly method: string;
  /** Percent-encoded, each character of the key but unreserved ones and '/' exactly once. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names; must hold host. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the payload, hex. */
  readonly payloadHash: string;
}

/** The request's headers with date, payload hash, session token and authorization. */
export function signRequest(
  request: Signable,
  credentials: Credentials,
  region: string,
  nowMs: number,
  service = 's3',
): Record<string, string> {
  const time = new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, '');
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-date': time,
    'x-amz-content-sha256': request.payloadHash,
    ...(credentials.sessionToken ? { 'x-amz-security-token': credentials.sessionToken } : {}),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    request.method,
    request.path,
    queryString(request.query),
    ...names.map((name) => `${name}:${headers[name]!.trim()}`),
    '',
    names.join(';'),
    request.payloadHash,
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256Hex(canonical)].join('\n');
  const key = [time.slice(0, 8), region, service, 'aws4_request'].reduce<string | Buffer>(
    (k, part) => hmac(k, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return headers;
}

/** The query as it is both signed and sent: sorted by name. */
export function queryString(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${encodeUri(name)}=${encodeUri(query[name]!)}`)
    .join('&');
}

/** Percent-encoding as S3 wants it: everything but A-Z a-z 0-9 - . _ ~ */
export function encodeUri(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
