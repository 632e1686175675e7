/** Whose doing a failure is: it decides the wording and who has to act. */
export type ErrorSource = 'user' | 'aws' | 'job' | 'internal';

/**
 * Every coded failure of the product: its source, and the exit code the CLI leaves with.
 * Add a code here first; `rawcloud explain` and the docs are made from this table.
 */
export const ERROR_CODES = {
  E_USAGE: { source: 'user', exitCode: 2, title: 'The command line or the request is not valid' },
  E_PATH_OUTSIDE: { source: 'user', exitCode: 2, title: 'A path in the command lies outside the synchronized tree' },
  E_ROOT_REFUSED: { source: 'user', exitCode: 2, title: 'The home directory or / cannot be synchronized' },
  E_TREE_TOO_LARGE: { source: 'user', exitCode: 2, title: 'The tree to synchronize is larger than allowed without asking' },
  E_FILE_CHANGED: { source: 'user', exitCode: 2, title: 'A file changed while it was being read' },
  E_PACKAGE: { source: 'user', exitCode: 119, title: 'A package of the environment cannot be carried' },
  E_ENVIRONMENT: { source: 'job', exitCode: 119, title: 'The environment could not be built on the VM' },
  E_LOGIN: { source: 'user', exitCode: 2, title: 'A login that was to be forwarded is not here' },
  E_HARDWARE: { source: 'user', exitCode: 2, title: 'No VM type fits the hardware asked for' },
  E_NO_JOB: { source: 'user', exitCode: 2, title: 'No such job' },
  E_AMBIGUOUS_JOB: { source: 'user', exitCode: 2, title: 'Several jobs fit' },
  E_JOB_STATE: { source: 'user', exitCode: 2, title: 'The job is not in a state that allows this' },
  E_NO_CREDENTIALS: { source: 'user', exitCode: 120, title: 'No AWS credentials found' },
  E_CREDENTIALS_EXPIRED: { source: 'user', exitCode: 120, title: 'The AWS credentials have expired' },
  E_NO_SCAFFOLDING: { source: 'user', exitCode: 120, title: 'The account has no rawcloud scaffolding in this region' },
  E_NO_ROLE: { source: 'user', exitCode: 120, title: 'The scaffolding has no such role for jobs' },
  E_NOT_BOOTSTRAPPED: { source: 'user', exitCode: 120, title: 'The account is not bootstrapped for deployments in this region' },
  E_NO_NETWORK: { source: 'user', exitCode: 120, title: 'There is no network to launch VMs in' },
  E_DEPLOY: { source: 'aws', exitCode: 120, title: 'The scaffolding could not be deployed' },
  E_ENDPOINT_DOWN: { source: 'aws', exitCode: 125, title: 'The AWS endpoint cannot be reached' },
  E_CAPACITY: { source: 'aws', exitCode: 120, title: 'AWS has no capacity for any offer of the plan' },
  E_QUOTA: { source: 'aws', exitCode: 120, title: 'An AWS quota is too low' },
  E_NOT_ALLOWED: { source: 'user', exitCode: 120, title: 'The scaffolding does not allow this' },
  E_PERMISSION: { source: 'aws', exitCode: 120, title: 'AWS denied a call' },
  E_THROTTLED: { source: 'aws', exitCode: 120, title: 'AWS throttled the calls for too long' },
  E_AWS_REQUEST: { source: 'aws', exitCode: 120, title: 'AWS refused the request' },
  E_AWS: { source: 'aws', exitCode: 125, title: 'AWS failed' },
  E_BOOT: { source: 'aws', exitCode: 121, title: 'The VM did not boot to the point of running the job' },
  E_LOST: { source: 'aws', exitCode: 123, title: 'The VM was lost' },
  E_EXEC_UNREACHABLE: { source: 'aws', exitCode: 120, title: 'Session Manager does not reach the VM' },
  E_EXEC_LOST: { source: 'aws', exitCode: 123, title: 'The session on the VM was lost' },
  E_TIMEOUT: { source: 'job', exitCode: 124, title: 'The job ran into its time limit' },
  E_STOPPED: { source: 'user', exitCode: 130, title: 'The job was stopped' },
  E_ABORTED: { source: 'user', exitCode: 130, title: 'The operation was aborted' },
  E_NEWER: { source: 'user', exitCode: 2, title: 'A record was written by a newer version of rawcloud' },
  E_RECORD: { source: 'internal', exitCode: 125, title: 'A record in the bucket is not valid' },
  E_INTEGRITY: { source: 'internal', exitCode: 125, title: 'Content does not have the hash it is stored under' },
  E_LOCAL_CLOUD: { source: 'internal', exitCode: 125, title: 'The local cloud could not do what was asked' },
  E_INTERNAL: { source: 'internal', exitCode: 125, title: 'A fault of rawcloud itself' },
} as const satisfies Record<string, { source: ErrorSource; exitCode: number; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

const BRAND = Symbol.for('rawcloud.error');

export interface RawcloudErrorOptions {
  /** What to do next, one or more sentences; shown on a line of its own. */
  readonly remedy?: string;
  /** True when the same call may succeed later without any change. @default false */
  readonly retryable?: boolean;
  /** Machine-readable particulars; must hold no secret. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error class of the product. The message says what happened, what was got and what is
 * allowed; `remedy` says what to do. Recognise it with {@link isRawcloudError}, which also works
 * across two installed copies of the package.
 */
export class RawcloudError extends Error {
  override readonly name = 'RawcloudError';
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  readonly retryable: boolean;
  readonly remedy: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: RawcloudErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.source = ERROR_CODES[code].source;
    this.retryable = options.retryable ?? false;
    this.remedy = options.remedy;
    this.data = options.data ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** The exit code the CLI leaves with when this error ends it. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode;
  }
}

/** True for a RawcloudError of any copy of the package. */
export function isRawcloudError(error: unknown): error is RawcloudError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

/** The first RawcloudError along the chain of causes, if any. */
export function findRawcloudError(error: unknown): RawcloudError | undefined {
  for (let at = error, depth = 0; at !== undefined && depth < 10; depth++) {
    if (isRawcloudError(at)) return at;
    at = at instanceof Error ? at.cause : undefined;
  }
  return undefined;
}
