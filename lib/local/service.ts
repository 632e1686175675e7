import type { IncomingHttpHeaders } from 'node:http';

/** Who signed a request. */
export interface Principal {
  readonly accessKeyId: string;
  readonly account: string;
  /** `arn:aws:iam::123456789012:user/developer`, `arn:aws:sts::123456789012:assumed-role/<role>/<instance id>` */
  readonly arn: string;
  /** `aws:userid`: `AIDA…` of the developer, `<role id>:<instance id>` of a VM. */
  readonly userId: string;
  readonly kind: 'developer' | 'vm';
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
  readonly principal: Principal;
  readonly region: string;
  /** True when a lost-reply fault is armed for this call: handle it, the server then cuts the connection. */
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
  /** Only when the resource (S3 key, instance id) matches this regular expression. */
  readonly resource?: string;
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
