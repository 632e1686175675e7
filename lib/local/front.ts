import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthFault, authError } from './auth-errors';
import { bodyOf, readBody } from './body';
import type { Calls } from './calls';
import { sha256Hex, type Signable } from './canonical';
import { type Claim, readClaim } from './claim';
import type { Faults } from './faults';
import { declaredPayloadHash, openPayload } from './payload';
import type { Principals } from './principals';
import { discard, send } from './send';
import { type Fault, type Service, ServiceError, type ServiceRequest, type ServiceResponse } from './service';
import { verify } from './sigv4';
import { unknownService } from './unknown-service';

export interface FrontOptions {
  readonly services: readonly Service[];
  readonly principals: Pick<Principals, 'find'>;
  readonly faults: Faults;
  readonly calls: Pick<Calls, 'record'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of faults of the local cloud itself, which the client sees as 500 InternalError. */
  readonly onError: (error: unknown) => void;
}

/** Bodies of the services other than S3 are held in memory; the largest of theirs is user data of 16 KiB. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** One request on its way through: filled in as far as it gets, so that the record tells what is known. */
interface Exchange {
  readonly id: string;
  readonly request: Signable & { readonly query: URLSearchParams };
  readonly req: IncomingMessage;
  service: Service;
  operation: string;
  resource: string;
  principal: string;
  bytesIn: number;
  effect: Fault['effect'] | undefined;
}

/** Authenticates a request, lets faults strike, has its service carry it out, answers and records. */
export class Front {
  readonly #options: FrontOptions;
  readonly #services: ReadonlyMap<string, Service>;
  #date = { second: 0, text: '' };

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#services = new Map(options.services.map((s) => [s.name, s]));
  }

  async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const at = this.#options.now();
    const exchange = this.#open(req);
    const gone = new AbortController();
    res.once('close', () => res.writableFinished || gone.abort());
    let code: string | undefined;
    const reply = await this.#carryOut(exchange, gone.signal).catch((error: unknown) => {
      const told = this.#toServiceError(error, exchange, gone.signal);
      code = told.code;
      return exchange.service.renderError(told, exchange.id, exchange.resource);
    });
    const { service, operation, principal, resource, bytesIn } = exchange;
    this.#options.calls.record({
      at,
      service: service.name,
      operation,
      principal,
      resource,
      status: reply.status,
      ...(code ? { code } : {}),
      bytesIn,
    });
    if (exchange.effect?.kind === 'lost-reply' || gone.signal.aborted) {
      await discard(reply);
      req.socket.destroy();
      return;
    }
    res.sendDate = false;
    await send(res, reply, this.#head(exchange), req.method !== 'HEAD');
    // What is left of a refused body must be read, or the next request on the connection never comes.
    if (!req.readableEnded) req.resume();
  }

  #open(req: IncomingMessage): Exchange {
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    const rawQuery = mark < 0 ? '' : url.slice(mark + 1);
    const rawPath = mark < 0 ? url : url.slice(0, mark);
    const request = { method: req.method ?? 'GET', rawPath, rawQuery, headers: req.headersDistinct, query: new URLSearchParams(rawQuery) };
    const service = this.#service(guessService(req));
    return { id: randomUUID(), request, req, service, operation: '', resource: '', principal: '', bytesIn: 0, effect: undefined };
  }

  async #carryOut(exchange: Exchange, aborted: AbortSignal): Promise<ServiceResponse> {
    const claim = readClaim(exchange.request, exchange.request.query);
    if (claim) exchange.service = this.#service(claim.scope.service);
    const streamed = exchange.service.name === 's3';
    const body = streamed ? undefined : await readBody(counted(exchange), MAX_BODY_BYTES);
    this.#name(exchange, body);
    if (!claim) throw new AuthFault('missing');
    const request = body ? this.#buffered(exchange, claim, body, aborted) : this.#streamed(exchange, claim, aborted);
    exchange.principal = request.principal.arn;
    await this.#strike(exchange, request.region, aborted);
    return exchange.service.handle(request);
  }

  #name(exchange: Exchange, body: Buffer | undefined): void {
    const shape = { ...exchange.request, headers: exchange.req.headers };
    const isForm = exchange.req.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    const form = body && (isForm ? new URLSearchParams(body.toString('utf8')) : shape.query);
    exchange.operation = exchange.service.operation(shape, form);
    exchange.resource = exchange.service.resource?.(shape, form) ?? formResource(form);
  }

  #buffered(exchange: Exchange, claim: Claim, body: Buffer, aborted: AbortSignal): ServiceRequest {
    const verified = this.#verify(exchange, claim, sha256Hex(body));
    return this.#request(exchange, { body: bodyOf(body), principal: verified.principal, region: claim.scope.region, aborted });
  }

  #streamed(exchange: Exchange, claim: Claim, aborted: AbortSignal): ServiceRequest {
    const { headers } = exchange.req;
    const payloadHash = declaredPayloadHash(headers, claim.kind === 'presigned');
    const verified = this.#verify(exchange, claim, payloadHash);
    const ownChecksums = exchange.operation !== 'CompleteMultipartUpload';
    const payload = openPayload(counted(exchange), { headers, payloadHash, verified, ownChecksums });
    return this.#request(exchange, { ...payload, principal: verified.principal, region: claim.scope.region, aborted });
  }

  #verify(exchange: Exchange, claim: Claim, payloadHash: string): ReturnType<typeof verify> {
    const { principals, now } = this.#options;
    return verify(exchange.request, claim, principals.find(claim.accessKeyId), payloadHash, now());
  }

  #request(exchange: Exchange, rest: Pick<ServiceRequest, 'body' | 'checksums' | 'principal' | 'region' | 'aborted'>): ServiceRequest {
    const { method, rawPath, query } = exchange.request;
    return { id: exchange.id, method, rawPath, query, headers: exchange.req.headers, ...rest };
  }

  async #strike(exchange: Exchange, region: string, aborted: AbortSignal): Promise<void> {
    const effect = this.#options.faults.take(exchange.service.name, exchange.operation, exchange.resource, region);
    exchange.effect = effect;
    if (effect?.kind === 'delay') await sleep(effect.ms, undefined, { signal: aborted });
    if (effect?.kind === 'error')
      throw new ServiceError(effect.status, effect.code, effect.message ?? `${effect.code} (a fault of the local cloud, armed on purpose)`);
  }

  #toServiceError(error: unknown, exchange: Exchange, aborted: AbortSignal): ServiceError {
    if (error instanceof ServiceError) return error;
    if (error instanceof AuthFault) return authError(exchange.service.name, error);
    // A client that left in the middle of its own body is nobody's fault; nobody reads this answer.
    if (aborted.aborted || exchange.req.destroyed) return new ServiceError(400, 'RequestTimeout', 'The client closed the connection');
    this.#options.onError(error);
    return new ServiceError(500, 'InternalError', 'We encountered an internal error. Please try again.');
  }

  #service(name: string): Service {
    return this.#services.get(name) ?? unknownService(name, [...this.#services.keys()]);
  }

  #head(exchange: Exchange): Record<string, string> {
    const { id, service } = exchange;
    const second = service.name === 's3' ? 'x-amz-id-2' : 'x-amzn-requestid';
    return { date: this.#now(), 'x-amz-request-id': id, [second]: id };
  }

  /** Formatting the date costs more than looking it up. */
  #now(): string {
    const second = Math.floor(this.#options.now() / 1000);
    if (second !== this.#date.second) this.#date = { second, text: new Date(second * 1000).toUTCString() };
    return this.#date.text;
  }
}

/** Services by what stands before the operation in `X-Amz-Target`. */
const TARGETS: Readonly<Record<string, string>> = {
  AmazonSSM: 'ssm',
  AWSEvents: 'events',
  AWSPriceListService: 'pricing',
  ServiceQuotasV20190624: 'servicequotas',
  secretsmanager: 'secretsmanager',
};

/** Whose words an answer takes when the request does not say whom it is for. */
function guessService(req: IncomingMessage): string {
  const byTarget = TARGETS[req.headers['x-amz-target']?.toString().split('.')[0] ?? ''];
  if (byTarget) return byTarget;
  const isForm = req.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return req.method === 'POST' && isForm ? 'ec2' : 's3';
}

function formResource(form: URLSearchParams | undefined): string {
  return [...(form ?? [])].flatMap(([name, value]) => (/^(InstanceId|ResourceId)(\.\d+)?$/.test(name) ? [value] : [])).join(',');
}

/** The bytes of the request as they come, counted. Leaving early must not close the connection: the answer still needs it. */
async function* counted(exchange: Exchange): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => exchange.req.iterator({ destroyOnReturn: false }) };
  for await (const chunk of chunks) {
    exchange.bytesIn += chunk.byteLength;
    yield chunk;
  }
}
