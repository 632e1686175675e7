import { AuthFault } from './auth-errors';
import type { Signable } from './canonical';
import type { Scope } from './signing-key';

/** What a request says about who signed it, before anything is believed. */
export interface Claim {
  readonly kind: 'header' | 'presigned';
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** Lower case, in order. */
  readonly signedHeaders: readonly string[];
  /** Hex. */
  readonly signature: string;
  /** `20261123T121314Z` */
  readonly amzDate: string;
  readonly sessionToken: string | undefined;
  /** Of presigned URLs: seconds from `amzDate`. */
  readonly expiresS?: number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** Seven days. Source: S3 API reference, "Authenticating Requests: Using Query Parameters". */
const MAX_EXPIRES_S = 604_800;

/** The claim of a signed request; `undefined` for an anonymous one. @throws AuthFault malformed, no-date, old-signature */
export function readClaim(request: Signable, query: URLSearchParams): Claim | undefined {
  const authorization = request.headers['authorization']?.[0];
  // Signature version 2, which boto3 and the AWS CLI still presign with unless told otherwise; new buckets refuse it.
  if (authorization?.startsWith('AWS ') || query.has('AWSAccessKeyId')) throw new AuthFault('old-signature');
  if (authorization !== undefined) return fromHeader(authorization, request);
  return query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm') ? fromQuery(query) : undefined;
}

function fromHeader(authorization: string, request: Signable): Claim {
  if (!authorization.startsWith(`${ALGORITHM} `)) throw new AuthFault('malformed', `the algorithm must be ${ALGORITHM}`);
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(',')
      .map((field) => splitOnce(field.trim())),
  );
  return {
    kind: 'header',
    ...readCredential(need(fields.get('Credential'), 'Credential')),
    signedHeaders: need(fields.get('SignedHeaders'), 'SignedHeaders').split(';'),
    signature: need(fields.get('Signature'), 'Signature'),
    amzDate: readDate(request),
    sessionToken: request.headers['x-amz-security-token']?.[0],
  };
}

function fromQuery(query: URLSearchParams): Claim {
  const get = (name: string): string => need(query.get(name), name);
  if (get('X-Amz-Algorithm') !== ALGORITHM) throw new AuthFault('malformed', `X-Amz-Algorithm must be ${ALGORITHM}`);
  const expiresS = Number(get('X-Amz-Expires'));
  if (!Number.isInteger(expiresS) || expiresS < 0 || expiresS > MAX_EXPIRES_S) {
    throw new AuthFault('malformed', `X-Amz-Expires must be between 0 and ${MAX_EXPIRES_S} seconds`);
  }
  return {
    kind: 'presigned',
    ...readCredential(get('X-Amz-Credential')),
    signedHeaders: get('X-Amz-SignedHeaders').split(';'),
    signature: get('X-Amz-Signature'),
    amzDate: get('X-Amz-Date'),
    sessionToken: query.get('X-Amz-Security-Token') ?? undefined,
    expiresS,
  };
}

function readCredential(text: string): Pick<Claim, 'accessKeyId' | 'scope'> {
  const [accessKeyId, date, region, service, end] = text.split('/');
  if (!accessKeyId || !date || !region || !service || end !== 'aws4_request') {
    throw new AuthFault('malformed', 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"');
  }
  return { accessKeyId, scope: { date, region, service } };
}

/** `x-amz-date`, else the `date` header. */
function readDate(request: Signable): string {
  const amzDate = request.headers['x-amz-date']?.[0];
  if (amzDate !== undefined) return amzDate;
  const ms = Date.parse(request.headers['date']?.[0] ?? '');
  if (Number.isNaN(ms)) throw new AuthFault('no-date');
  return formatAmzDate(ms);
}

/** `20261123T121314Z` of milliseconds since 1970. */
export function formatAmzDate(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** Milliseconds since 1970 of `20261123T121314Z`. @throws AuthFault no-date */
export function parseAmzDate(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const [, year, month, day, hour, minute, second] = parts ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) throw new AuthFault('no-date');
  return ms;
}

function splitOnce(field: string): [string, string] {
  const at = field.indexOf('=');
  return [field.slice(0, at), field.slice(at + 1)];
}

function need(value: string | null | undefined, name: string): string {
  if (value) return value;
  throw new AuthFault('malformed', `${name} is missing`);
}
