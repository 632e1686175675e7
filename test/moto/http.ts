import { request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { KEYS, REGION, URL } from './moto';

export interface Sent {
  readonly method?: 'GET' | 'POST';
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** @default - that of most tests */
  readonly region?: string;
  /** @default - moto of all tests */
  readonly url?: string;
}

/** One request to a service of which the product needs no SDK client. moto tells services by the credential's scope, and checks no signatures. */
export function send(service: string, sent: Sent): Promise<{ status: number; body: string }> {
  const { method = 'POST', path = '/', headers, body = '', region = REGION, url = URL } = sent;
  const scope = `Credential=${KEYS.accessKeyId}/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=none`;
  return new Promise((resolve, reject) => {
    const all = { authorization: `AWS4-HMAC-SHA256 ${scope}`, ...headers };
    const made = request(url + path, { method, headers: all, agent: false }, (answer) => {
      textOf(answer).then((text) => resolve({ status: answer.statusCode ?? 0, body: text }), reject);
    });
    made.on('error', reject);
    made.end(body);
  });
}

/** An operation of a service that speaks JSON. @throws with its answer */
export async function callJson(service: string, target: string, input: object, region?: string): Promise<unknown> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  return parsed(target, await send(service, { headers, body: JSON.stringify(input), ...(region ? { region } : {}) }));
}

/** What lies at a path of a service whose operations are paths. @throws with its answer */
export async function getJson(service: string, path: string, region?: string): Promise<unknown> {
  return parsed(path, await send(service, { method: 'GET', path, ...(region ? { region } : {}) }));
}

function parsed(what: string, { status, body }: { status: number; body: string }): unknown {
  if (status !== 200) throw new Error(`${what} failed with ${status}: ${body}`);
  return JSON.parse(body) as unknown;
}
