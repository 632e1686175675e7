import { findRawcloudError, RawcloudError, SPOT_ROLE_MISSING } from '../contract';
import type { ErrorCode, FailureClass } from '../contract';

/** What a failed AWS call means. */
export interface Classified {
  readonly class: FailureClass;
  readonly errorCode: ErrorCode;
  readonly retryable: boolean;
  readonly remedy?: string;
}

const kinds = {
  capacity: { class: 'capacity', errorCode: 'E_CAPACITY', retryable: false },
  quota: { class: 'quota', errorCode: 'E_QUOTA', retryable: false },
  permission: { class: 'permission', errorCode: 'E_PERMISSION', retryable: false },
  throttled: { class: 'throttled', errorCode: 'E_THROTTLED', retryable: true },
  request: { class: 'request', errorCode: 'E_AWS_REQUEST', retryable: false },
  missing: { class: 'credentials', errorCode: 'E_NO_CREDENTIALS', retryable: false },
  expired: { class: 'credentials', errorCode: 'E_CREDENTIALS_EXPIRED', retryable: false },
  unreachable: { class: 'unavailable', errorCode: 'E_ENDPOINT_DOWN', retryable: true },
  failing: { class: 'unavailable', errorCode: 'E_AWS', retryable: true },
} as const satisfies Record<string, Classified>;

const ASK_FOR_QUOTA =
  'Ask for more in Service Quotas, EC2, "Running On-Demand instances" of the VM type’s family (counted in vCPUs), or take smaller VMs.';
const SPOT_ROLE_REMEDY =
  'An administrator makes the role once: aws iam create-service-linked-role --aws-service-name spot.amazonaws.com. ' +
  'Or take VMs on demand: --spot-policy on-demand.';
const SIGN_IN = 'Sign in again: aws sso login (with --profile NAME when you use one), or renew the keys in your environment.';

/**
 * The one table of AWS error codes. Sources: EC2 API reference "Error codes", S3 API reference "Error responses",
 * STS and SSM API references "Common errors", Node's system errors.
 */
const TABLE: Readonly<Record<string, Classified>> = {
  InsufficientInstanceCapacity: kinds.capacity,
  InsufficientHostCapacity: kinds.capacity,
  InsufficientReservedInstanceCapacity: kinds.capacity,
  InsufficientCapacity: kinds.capacity,
  UnfulfillableCapacity: kinds.capacity,
  InsufficientVolumeCapacity: kinds.capacity,
  InsufficientFreeAddressesInSubnet: kinds.capacity,
  SpotMaxPriceTooLow: kinds.capacity,
  // The type does not exist in that zone: the next zone may have it.
  Unsupported: kinds.capacity,

  VcpuLimitExceeded: { ...kinds.quota, remedy: ASK_FOR_QUOTA },
  InstanceLimitExceeded: { ...kinds.quota, remedy: ASK_FOR_QUOTA },
  MaxSpotInstanceCountExceeded: { ...kinds.quota, remedy: 'Ask for more in Service Quotas, EC2, "All Standard Spot Instance Requests".' },
  VolumeLimitExceeded: { ...kinds.quota, remedy: 'Ask for more EBS storage in Service Quotas, or take a smaller --disk.' },
  AddressLimitExceeded: kinds.quota,
  PendingVerification: { ...kinds.quota, remedy: 'AWS is still verifying this account, which takes up to four hours; try again then.' },

  UnauthorizedOperation: kinds.permission,
  [SPOT_ROLE_MISSING]: { ...kinds.permission, remedy: SPOT_ROLE_REMEDY },
  AccessDenied: kinds.permission,
  AccessDeniedException: kinds.permission,
  OptInRequired: { ...kinds.permission, remedy: 'The account or region has to be activated first.' },

  RequestLimitExceeded: kinds.throttled,
  Throttling: kinds.throttled,
  ThrottlingException: kinds.throttled,
  ThrottledException: kinds.throttled,
  TooManyRequestsException: kinds.throttled,
  SlowDown: kinds.throttled,
  EC2ThrottledException: kinds.throttled,

  ExpiredToken: { ...kinds.expired, remedy: SIGN_IN },
  ExpiredTokenException: { ...kinds.expired, remedy: SIGN_IN },
  RequestExpired: { ...kinds.expired, remedy: `${SIGN_IN} If that does not help, set this machine’s clock.` },
  AuthFailure: { ...kinds.missing, remedy: 'AWS does not know these keys; check which profile and keys are in use.' },
  InvalidAccessKeyId: { ...kinds.missing, remedy: 'AWS does not know these keys; check which profile and keys are in use.' },
  InvalidClientTokenId: { ...kinds.missing, remedy: 'AWS does not know these keys; check which profile and keys are in use.' },
  UnrecognizedClientException: { ...kinds.missing, remedy: 'AWS does not know these keys; check which profile and keys are in use.' },
  InvalidSignatureException: { ...kinds.missing, remedy: 'The secret key does not fit the access key, or this machine’s clock is wrong.' },
  SignatureDoesNotMatch: { ...kinds.missing, remedy: 'The secret key does not fit the access key, or this machine’s clock is wrong.' },
  CredentialsProviderError: kinds.missing,
  TokenProviderError: { ...kinds.expired, remedy: SIGN_IN },
  RequestTimeTooSkewed: { ...kinds.request, remedy: 'Set this machine’s clock: it is more than a quarter of an hour off.' },

  ConditionalRequestConflict: kinds.failing,
  OperationAborted: kinds.failing,

  InternalError: kinds.failing,
  InternalFailure: kinds.failing,
  ServiceUnavailable: kinds.failing,
  Unavailable: kinds.failing,
  RequestTimeout: kinds.failing,
  TimeoutError: kinds.unreachable,
  ECONNREFUSED: kinds.unreachable,
  ECONNRESET: kinds.unreachable,
  EPIPE: kinds.unreachable,
  ETIMEDOUT: kinds.unreachable,
  ENOTFOUND: kinds.unreachable,
  EAI_AGAIN: kinds.unreachable,
  EHOSTUNREACH: kinds.unreachable,
  ENETUNREACH: kinds.unreachable,
};

/** Fields that SDK, fetch and Node errors carry. */
interface Failure {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly Code?: unknown;
  readonly cause?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** Classifies by the first known code along the chain of causes, else by HTTP status. */
export function classify(error: unknown): Classified & { readonly awsCode: string } {
  for (const failure of chain(error)) {
    for (const code of [failure.Code, failure.name, failure.code]) {
      const known = typeof code === 'string' ? TABLE[code] : undefined;
      if (known) return { ...known, awsCode: code as string };
    }
  }
  const [first] = chain(error);
  const awsCode = [first?.Code, first?.name].find((code) => typeof code === 'string') ?? 'Unknown';
  const status = first?.$metadata?.httpStatusCode;
  if (status !== undefined && status >= 500) return { ...kinds.failing, awsCode };
  if (status === 429) return { ...kinds.throttled, awsCode };
  if (status === 401 || status === 403) return { ...kinds.permission, awsCode };
  return status === undefined ? { ...kinds.failing, retryable: false, awsCode } : { ...kinds.request, awsCode };
}

function chain(error: unknown): Failure[] {
  const found: Failure[] = [];
  for (let at = error; typeof at === 'object' && at !== null && found.length < 8; at = (at as Failure).cause) {
    found.push(at);
    if (at instanceof AggregateError) found.push(...(at.errors as Failure[]).slice(0, 1));
  }
  return found;
}

/**
 * An error of an AWS call in our words.
 * @param what the call, as `ec2:RunInstances`
 */
export function toRawcloudError(error: unknown, what: string): RawcloudError {
  const known = findRawcloudError(error);
  if (known) return known;
  const { awsCode, errorCode, retryable, remedy, class: failure } = classify(error);
  const [first] = chain(error);
  const text = typeof first?.message === 'string' && first.message !== '' ? first.message : awsCode;
  const action = failure === 'permission' ? deniedAction(text) : undefined;
  const hint = action ? `Ask an administrator for ${action}.` : (remedy ?? DEFAULT_REMEDIES[errorCode]);
  return new RawcloudError(errorCode, `${what} failed with ${awsCode}: ${text}`, {
    retryable,
    data: {
      class: failure,
      awsCode,
      call: what,
      ...(action ? { action } : {}),
      ...(first?.$metadata?.requestId ? { requestId: first.$metadata.requestId } : {}),
    },
    ...(hint ? { remedy: hint } : {}),
    cause: error,
  });
}

const DEFAULT_REMEDIES: Partial<Record<ErrorCode, string>> = {
  E_NO_CREDENTIALS:
    'Sign in (aws sso login), name a profile (--profile, AWS_PROFILE), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. To try without an account: --local.',
  E_ENDPOINT_DOWN: 'Check the network, the region and AWS_ENDPOINT_URL.',
  E_CAPACITY: 'Try again later, or allow more VM types or zones.',
};

/** `… is not authorized to perform: ec2:RunInstances on resource: …` */
function deniedAction(message: string): string | undefined {
  return /not authorized to perform:? ([a-z0-9-]+:[A-Za-z*]+)/.exec(message)?.[1];
}

/** Runs a call and words its failure. */
export async function wording<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toRawcloudError(error, what);
  }
}
