import type { IncomingHttpHeaders } from 'node:http';

/** Who signed a request. */
export interface Principal {
  readonly accessKeyId: string;
  readonly account: string;
  /** `arn:aws:iam::123456789012:user/developer`, `arn:aws:sts::123456789012:assumed-role/<role>/<instance id>` */
  readonly arn: string;
  /** `aws:userid`: `AIDA…` of the developer, `<role id>:<instance id>` of a VM. */
  readonly userId: string;
  /** 'vm' is also who else has a session of a role, as a function. */
  readonly kind: 'developer' | 'vm';
  /** Name of the role. */
  readonly role?: string;
}

/** A request whose signature has been checked. */
export interface ServiceRequest {
  readonly id: string;
  readonly method: string;
  /** Path as sent, still percent-encoded, without the query. */
  readonly rawPath: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Payload with aws-chunked framing removed and its checksums and signatures verified while it is read. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Checksums that the client sent and that were found right, base64 by algorithm (`crc32`); complete once the body is read. */
  readonly checksums?: ReadonlyMap<string, string>;
  readonly principal: Principal;
  readonly region: string;
  /** Aborted when the client went away before it had the whole answer. */
  readonly aborted: AbortSignal;
}

export interface ServiceResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/** An error in the service's own format (XML of S3, XML of EC2, JSON of SSM) is made by the service from this. */
export class ServiceError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly extra: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** One AWS service of the local cloud. `name` is the service of the credential scope: `s3`, `ec2`, `sts`, `ssm`. */
export interface Service {
  readonly name: string;
  /** Name of the operation for faults, logs and the call record: `PutObject`, `RunInstances`. Must not consume the body of S3 requests. */
  operation(request: Pick<ServiceRequest, 'method' | 'rawPath' | 'query' | 'headers'>, form?: URLSearchParams): string;
  /**
   * What the call is about, for faults, errors and the call record: `bucket/key`, an instance id, a parameter's name.
   * Must not consume the body. @default - the form's `InstanceId.*` and `ResourceId.*`, joined by commas, else ''
   */
  resource?(request: Pick<ServiceRequest, 'method' | 'rawPath' | 'query' | 'headers'>, form?: URLSearchParams): string;
  handle(request: ServiceRequest): Promise<ServiceResponse>;
  /** An error as this service words it. */
  renderError(error: ServiceError, requestId: string, resource: string): ServiceResponse;
}

/** One line of `calls.jsonl`: every call that the local cloud saw. Holds no secret and no payload. */
export interface CallRecord {
  readonly at: number;
  readonly service: string;
  readonly operation: string;
  readonly principal: string;
  readonly resource: string;
  readonly status: number;
  readonly code?: string;
  readonly bytesIn: number;
}

/** What goes wrong on demand. Consumed `count` times, in order of arming. */
export interface Fault {
  /** `RunInstances`, `PutObject`, `s3:*`, `*` */
  readonly operation: string;
  /** Only when the resource (S3 key without the bucket, instance id) matches this regular expression. */
  readonly resource?: string;
  /** Only in this region, by the scope of the signature. @default - in any */
  readonly region?: string;
  /** Let this many matching calls through first. @default 0 */
  readonly skip?: number;
  /** @default 1 */
  readonly count?: number;
  readonly effect:
    | { readonly kind: 'error'; readonly status: number; readonly code: string; readonly message?: string }
    /** The call is carried out, the connection is cut before the answer. */
    | { readonly kind: 'lost-reply' }
    | { readonly kind: 'delay'; readonly ms: number };
}
