import type { IncomingMessage } from 'node:http';
import { redactKey } from '../../contract';
import type { Clock, Credentials } from '../../contract';
import { toRawcloudError } from '../errors';
import { Connections, readBody } from './call';
import { encodeUri, queryString, sha256Hex, signRequest } from './sign';

export interface WireOptions {
  readonly region: string;
  readonly bucket: string;
  /** One address for all, path style, as in the local cloud. @default - the bucket's own host at AWS */
  readonly endpoint?: string;
  /** Called for every request; `fresh` after a service has called the last ones expired. */
  readonly credentials: (fresh: boolean) => Promise<Credentials>;
  readonly clock: Clock;
}

export interface WireRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Of the body. @default - computed */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

/** An answer that is not a failure, or one of those that have a meaning for a store. */
export interface WireAnswer {
  readonly status: number;
  /** S3's error code when the status is 400 or above. */
  readonly code?: string;
  readonly message: IncomingMessage;
}

const TRIES = 8;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** Answers with a meaning of their own, not failures: the store reads them. */
const MEANINGFUL: readonly number[] = [304, 404, 409, 412, 416];

/** Signed requests to one bucket, tried again with growing, random pauses while that makes sense. */
export class WireClient {
  readonly #connections = new Connections();

  constructor(private readonly options: WireOptions) {}

  async send(request: WireRequest): Promise<WireAnswer> {
    let fresh = false;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(request, fresh);
      } catch (cause) {
        request.signal?.throwIfAborted();
        const error = toRawcloudError(cause, describe(request));
        const expired: boolean = !fresh && error.code === 'E_CREDENTIALS_EXPIRED';
        if (attempt >= TRIES || !(error.retryable || expired)) throw error;
        fresh = expired;
      }
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
      await this.options.clock.sleep(pauseMs * (0.5 + jitter(attempt, request.key) / 2), request.signal);
    }
  }

  close(): void {
    this.#connections.close();
  }

  async #attempt(request: WireRequest, fresh: boolean): Promise<WireAnswer> {
    const { region, clock } = this.options;
    const query = request.query ?? {};
    const { origin, path } = this.#address(request.key);
    const signable = {
      method: request.method,
      path,
      query,
      headers: { ...request.headers, host: new URL(origin).host },
      payloadHash: request.sha256 ?? sha256Hex(request.body ?? ''),
    };
    const headers = signRequest(signable, await this.options.credentials(fresh), region, clock.now());
    const search = queryString(query);
    const message = await this.#connections.send({
      method: request.method,
      origin: new URL(origin),
      path: search ? `${path}?${search}` : path,
      headers,
      ...(request.body ? { body: request.body } : {}),
      ...(request.signal ? { signal: request.signal } : {}),
    });
    return this.#judge(request, message);
  }

  async #judge(request: WireRequest, message: IncomingMessage): Promise<WireAnswer> {
    const status = message.statusCode ?? 0;
    if (status < 300) return { status, message };
    const text = (await readBody(message)).toString('utf8');
    const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '';
    // Who may not list gets this for keys that are not there: to a VM the two are one.
    if (status === 403 && code === 'AccessDenied' && request.method === 'GET') return { status, code, message };
    if (MEANINGFUL.includes(status)) return { status, code, message };
    const reason = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? `HTTP ${status}`;
    throw Object.assign(new Error(reason), { name: code || `Http${status}`, $metadata: { httpStatusCode: status } });
  }

  #address(key: string): { origin: string; path: string } {
    const { endpoint, bucket, region } = this.options;
    const encoded = key.split('/').map(encodeUri).join('/');
    if (endpoint) return { origin: endpoint.replace(/\/$/, ''), path: `/${bucket}/${encoded}` };
    return { origin: `https://${bucket}.s3.${region}.amazonaws.com`, path: `/${encoded}` };
  }
}

function describe(request: WireRequest): string {
  const action = { GET: 'GetObject', PUT: 'PutObject', POST: 'PutObject', DELETE: 'DeleteObject' }[request.method];
  return `s3:${action} of ${redactKey(request.key)}`;
}

/** Spreads retries between 0 and 1: different for every key and attempt, so that VMs do not come back in step. */
function jitter(attempt: number, key: string): number {
  return parseInt(sha256Hex(`${attempt} ${key} ${process.pid}`).slice(0, 6), 16) / 0xff_ff_ff;
}

/** @throws as the table of AWS's codes has it, when an answer that must be a success is not one */
export function mustSucceed({ status, code, message }: WireAnswer, what: string): IncomingMessage {
  if (status < 300) return message;
  const name = code || `Http${status}`;
  throw toRawcloudError(Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } }), what);
}
