import { createHash } from 'node:crypto';
import { ServiceError } from './service';

/** A request as far as a signature covers it. */
export interface Signable {
  readonly method: string;
  /** Still percent-encoded. */
  readonly rawPath: string;
  /** Without the question mark. */
  readonly rawQuery: string;
  /** Lower-case names; all values of a repeated header. */
  readonly headers: NodeJS.Dict<string[]>;
}

/** Percent-encodes all but the unreserved characters of RFC 3986, as SigV4 wants it. */
export function encodeStrictly(text: string): string {
  const encoded = encodeURIComponent(text);
  return /[!'()*]/.test(encoded) ? encoded.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`) : encoded;
}

/** @throws ServiceError InvalidURI for what is not percent-encoded UTF-8 */
export function decodeUri(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ServiceError(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
}

/**
 * The canonical request of SigV4. S3 encodes the path once and leaves `.`, `..` and `//` alone: whatever
 * the client sent raw (a `:`) must be signed encoded. The other services encode the sent path once more.
 * Source: IAM user guide, "Create a signed AWS API request".
 */
export function canonicalRequest(request: Signable, service: string, signedHeaders: readonly string[], payloadHash: string): string {
  const headers = signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name])}\n`);
  return [
    request.method,
    canonicalPath(request.rawPath, service),
    canonicalQuery(request.rawQuery),
    headers.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

function canonicalPath(rawPath: string, service: string): string {
  const segments = rawPath.split('/');
  return segments.map((s) => encodeStrictly(service === 's3' ? decodeUri(s) : s)).join('/');
}

function canonicalQuery(rawQuery: string): string {
  if (rawQuery === '') return '';
  const pairs = rawQuery
    .split('&')
    .filter((p) => p !== '')
    .map((p) => {
      const at = p.indexOf('=');
      const [name, value] = at < 0 ? [p, ''] : [p.slice(0, at), p.slice(at + 1)];
      return [requote(name), requote(value)] as const;
    });
  return pairs
    .filter(([name]) => name !== 'X-Amz-Signature')
    .sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function requote(text: string): string {
  return encodeStrictly(decodeUri(text.replaceAll('+', ' ')));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function canonicalValue(values: string[] | undefined): string {
  return (values ?? []).map((v) => v.trim().replace(/ {2,}/g, ' ')).join(',');
}

export function sha256Hex(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
