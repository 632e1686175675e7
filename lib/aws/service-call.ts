import type { AwsContext } from './clients';
import { toRawcloudError } from './errors';
import { Connections, readBody } from './wire/call';
import { sha256Hex, signRequest } from './wire/sign';

/** One POST to a service whose SDK client would be larger than the three calls that are made of it. */
export interface ServiceCall {
  /** Service of the credential scope, as `pricing`. */
  readonly service: string;
  /** Region of the credential scope: not always the caller's own. */
  readonly region: string;
  /** Host at AWS; one address serves all in the local cloud. */
  readonly host: string;
  /** As IAM calls it, for errors: `pricing:GetProducts`. */
  readonly what: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** While that makes sense. @default 3 */
  readonly tries?: number;
}

/** Who calls: the part of an {@link AwsContext} that a call takes. */
export type ServiceCaller = Pick<AwsContext, 'clock' | 'credentials'> & { readonly endpoint?: string };

const TRIES = 3;
const FIRST_PAUSE_MS = 500;

/** The answer's body. @throws RawcloudError by the table of AWS errors */
export async function callService(context: ServiceCaller, call: ServiceCall, signal?: AbortSignal): Promise<string> {
  const connections = new Connections();
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptCall(context, connections, call, signal);
      } catch (cause) {
        signal?.throwIfAborted();
        const error = toRawcloudError(cause, call.what);
        if (attempt >= (call.tries ?? TRIES) || !error.retryable) throw error;
      }
      await context.clock.sleep(FIRST_PAUSE_MS * attempt, signal);
    }
  } finally {
    connections.close();
  }
}

async function attemptCall(context: ServiceCaller, connections: Connections, call: ServiceCall, signal?: AbortSignal): Promise<string> {
  const origin = new URL(context.endpoint ?? `https://${call.host}`);
  const body = Buffer.from(call.body);
  const signable = { method: 'POST', path: '/', query: {}, headers: { ...call.headers, host: origin.host }, payloadHash: sha256Hex(body) };
  const headers = signRequest(signable, await context.credentials(), call.region, context.clock.now(), call.service);
  const message = await connections.send({ method: 'POST', origin, path: '/', headers, body, ...(signal ? { signal } : {}) });
  const text = (await readBody(message)).toString('utf8');
  const status = message.statusCode ?? 0;
  if (status < 300) return text;
  throw Object.assign(new Error(messageOf(text)), { name: codeOf(text), $metadata: { httpStatusCode: status } });
}

/** Of JSON (`"__type":"ns#Code"`) and XML (`<Code>`) alike. */
function codeOf(text: string): string {
  const code = /"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"/.exec(text)?.[1] ?? /<Code>([^<]*)<\/Code>/.exec(text)?.[1];
  return code ?? 'Unknown';
}

function messageOf(text: string): string {
  return /"[Mm]essage"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? text.slice(0, 200);
}

/** A call of AWS's JSON protocol, version 1.1. @param target as `AWSPriceListService.GetProducts` */
export function jsonCall(call: Omit<ServiceCall, 'headers' | 'body'>, target: string, input: object): ServiceCall {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  return { ...call, headers, body: JSON.stringify(input) };
}

/** What a region's host names end with. */
export function dnsSuffix(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
