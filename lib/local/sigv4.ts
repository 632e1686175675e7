import { timingSafeEqual } from 'node:crypto';
import { AuthFault } from './auth-errors';
import { canonicalRequest, sha256Hex, type Signable } from './canonical';
import { type Claim, formatAmzDate, parseAmzDate } from './claim';
import type { KnownKey } from './principals';
import { hmac, scopeText, signingKey } from './signing-key';
import type { Principal } from './service';

/** How far a request's date may lie off. Source: S3 error RequestTimeTooSkewed; EC2 allows the same. */
const MAX_SKEW_MS = 15 * 60_000;

/** A signature that held. The chunks of a streamed body are signed on from it. */
export interface Verified {
  readonly principal: Principal;
  readonly claim: Claim;
  readonly signingKey: Buffer;
}

/**
 * Checks who signed a request: key, token, time, then the signature itself.
 * `payloadHash` is the value that the signature covers: for S3 what `x-amz-content-sha256` says
 * (whether the body fits is found out while it is read), for the others the hash of the body.
 * @throws AuthFault
 */
export function verify(request: Signable, claim: Claim, known: KnownKey | undefined, payloadHash: string, now: number): Verified {
  const key = checkKey(claim, known, now);
  checkTime(claim, now);
  checkSignedHeaders(request, claim);
  const signing = signingKey(key.secretAccessKey, claim.scope);
  const canonical = canonicalRequest(request, claim.scope.service, claim.signedHeaders, payloadHash);
  const text = stringToSign(claim, sha256Hex(canonical));
  if (!sameText(hmac(signing, text).toString('hex'), claim.signature)) {
    throw new AuthFault('bad-signature', '', {
      AWSAccessKeyId: claim.accessKeyId,
      StringToSign: text,
      SignatureProvided: claim.signature,
      CanonicalRequest: withoutToken(canonical),
    });
  }
  return { principal: key.principal, claim, signingKey: signing };
}

export function stringToSign(claim: Pick<Claim, 'amzDate' | 'scope'>, canonicalHash: string): string {
  return `AWS4-HMAC-SHA256\n${claim.amzDate}\n${scopeText(claim.scope)}\n${canonicalHash}`;
}

/** Compares without telling by its time where the texts differ. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

function checkKey(claim: Claim, known: KnownKey | undefined, now: number): KnownKey {
  const { accessKeyId, sessionToken } = claim;
  // Temporary keys without their token are, to the services, keys that do not exist.
  if (!known || (known.sessionToken !== undefined && sessionToken === undefined)) {
    throw new AuthFault('unknown-key', '', { AWSAccessKeyId: accessKeyId });
  }
  if (sessionToken !== undefined && !sameText(known.sessionToken ?? '', sessionToken)) throw new AuthFault('wrong-token');
  if (known.expiresAt !== undefined && known.expiresAt <= now) throw new AuthFault('expired-token');
  return known;
}

function checkTime(claim: Claim, now: number): void {
  const at = parseAmzDate(claim.amzDate);
  if (!claim.amzDate.startsWith(claim.scope.date)) {
    throw new AuthFault('malformed', `the Credential's date ${claim.scope.date} is not that of the request, ${claim.amzDate}`);
  }
  const seconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
  if (claim.expiresS !== undefined) {
    const end = at + claim.expiresS * 1000;
    if (now > end)
      throw new AuthFault('expired-url', '', { 'X-Amz-Expires': String(claim.expiresS), Expires: seconds(end), ServerTime: seconds(now) });
    if (at - now > MAX_SKEW_MS) throw new AuthFault('expired-url', 'it is not yet valid');
  } else if (Math.abs(now - at) > MAX_SKEW_MS) {
    throw new AuthFault('skewed', skewDetail(claim, at, now), {
      RequestTime: claim.amzDate,
      ServerTime: seconds(now),
      MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
    });
  }
}

function skewDetail(claim: Claim, at: number, now: number): string {
  if (claim.scope.service === 's3' || claim.scope.service === 'ec2') return '';
  return `${claim.amzDate} is now ${at < now ? 'earlier' : 'later'} than ${formatAmzDate(now + (at < now ? -MAX_SKEW_MS : MAX_SKEW_MS))}`;
}

/** `host` always, and on S3 every `x-amz-*` header: one that is not signed could have been added by anybody on the way. */
function checkSignedHeaders(request: Signable, claim: Claim): void {
  const signed = new Set(claim.signedHeaders);
  if (!signed.has('host')) throw new AuthFault('malformed', "'host' must be a signed header");
  if (claim.scope.service !== 's3') return;
  const unsigned = Object.keys(request.headers).filter((h) => h.startsWith('x-amz-') && !signed.has(h) && h !== 'x-amz-content-sha256');
  if (unsigned.length > 0) throw new AuthFault('unsigned-headers', '', { HeadersNotSigned: unsigned.join(', ') });
}

/** A session token is a secret: it is not repeated in an error. */
function withoutToken(canonical: string): string {
  return canonical.replace(/(x-amz-security-token:)[^\n]*/i, '$1***').replace(/(X-Amz-Security-Token=)[^&\n]*/, '$1***');
}
