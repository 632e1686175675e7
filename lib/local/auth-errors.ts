import { ServiceError } from './service';

/** What can be wrong with a request's signature. */
export type AuthFaultKind =
  | 'missing'
  | 'malformed'
  | 'old-signature'
  | 'no-date'
  | 'unsigned-headers'
  | 'unknown-key'
  | 'wrong-token'
  | 'expired-token'
  | 'skewed'
  | 'expired-url'
  | 'bad-signature';

/** A request that could not be authenticated; each service words it its own way, see {@link authError}. */
export class AuthFault extends Error {
  constructor(
    readonly kind: AuthFaultKind,
    /** Goes into the error's text where the services tell particulars. */
    readonly detail = '',
    readonly extra: Readonly<Record<string, string>> = {},
  ) {
    super(`${kind} ${detail}`);
  }
}

type Wording = readonly [status: number, code: string, message: string];
type Wordings = Readonly<Record<AuthFaultKind, Wording>>;

const S3: Wordings = {
  missing: [403, 'AccessDenied', 'Access Denied'],
  malformed: [400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed'],
  'old-signature': [400, 'InvalidRequest', 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.'],
  'no-date': [403, 'AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header'],
  'unsigned-headers': [403, 'AccessDenied', 'There were headers present in the request which were not signed'],
  'unknown-key': [403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.'],
  'wrong-token': [400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.'],
  'expired-token': [400, 'ExpiredToken', 'The provided token has expired.'],
  skewed: [403, 'RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.'],
  'expired-url': [403, 'AccessDenied', 'Request has expired'],
  'bad-signature': [
    403,
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  ],
};

/** EC2 does not tell an unknown key from a wrong signature. */
const EC2_REFUSAL: Wording = [401, 'AuthFailure', 'AWS was not able to validate the provided access credentials'];
const EC2_EXPIRED: Wording = [400, 'RequestExpired', 'Request has expired.'];
const EC2: Wordings = {
  missing: [400, 'MissingAuthenticationToken', 'Request is missing Authentication Token'],
  malformed: [400, 'IncompleteSignature', 'The request signature does not conform to AWS standards'],
  'old-signature': [400, 'IncompleteSignature', 'The request signature does not conform to AWS standards'],
  'no-date': [400, 'IncompleteSignature', 'The request signature does not conform to AWS standards'],
  'unsigned-headers': EC2_REFUSAL,
  'unknown-key': EC2_REFUSAL,
  'wrong-token': EC2_REFUSAL,
  'expired-token': EC2_EXPIRED,
  skewed: EC2_EXPIRED,
  'expired-url': EC2_EXPIRED,
  'bad-signature': EC2_REFUSAL,
};

const INVALID_TOKEN = 'The security token included in the request is invalid.';
const SIGNATURE =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

/** The wordings that STS, IAM and the JSON services share; they differ in codes and status. */
function common(
  codes: { token: string; signature: string; missing: string; incomplete: string; expired: string },
  status: number,
): Wordings {
  return {
    missing: [status, codes.missing, 'Request is missing Authentication Token'],
    malformed: [status, codes.incomplete, 'Authorization header is malformed'],
    'old-signature': [status, codes.incomplete, 'Authorization header is malformed'],
    'no-date': [status, codes.incomplete, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."],
    'unsigned-headers': [status, codes.signature, SIGNATURE],
    'unknown-key': [status, codes.token, INVALID_TOKEN],
    'wrong-token': [status, codes.token, INVALID_TOKEN],
    'expired-token': [status, codes.expired, 'The security token included in the request is expired'],
    skewed: [status, codes.signature, 'Signature expired'],
    'expired-url': [status, codes.signature, 'Signature expired'],
    'bad-signature': [status, codes.signature, SIGNATURE],
  };
}

const STS = common(
  {
    token: 'InvalidClientTokenId',
    signature: 'SignatureDoesNotMatch',
    missing: 'MissingAuthenticationToken',
    incomplete: 'IncompleteSignature',
    expired: 'ExpiredToken',
  },
  403,
);
const JSON_SERVICES = common(
  {
    token: 'UnrecognizedClientException',
    signature: 'InvalidSignatureException',
    missing: 'MissingAuthenticationTokenException',
    incomplete: 'IncompleteSignatureException',
    expired: 'ExpiredTokenException',
  },
  400,
);

const BY_SERVICE: Readonly<Record<string, Wordings>> = { s3: S3, ec2: EC2, sts: STS, iam: STS };

/** The fault in the words of `service`. */
export function authError(service: string, fault: AuthFault): ServiceError {
  const [status, code, message] = (BY_SERVICE[service] ?? JSON_SERVICES)[fault.kind];
  return new ServiceError(status, code, fault.detail ? `${message.replace(/\.$/, '')}: ${fault.detail}` : message, fault.extra);
}
