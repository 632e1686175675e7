import http from 'node:http';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';

export interface Call {
  readonly method: string;
  readonly origin: URL;
  /** Path and query as they were signed: a URL would take a key's `..` for a directory. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
}

/** No byte for this long ends a call. */
const IDLE_MS = 30_000;

/** Connections that stay open between calls: a new one costs a round trip or three. */
export class Connections {
  readonly #agents = {
    'http:': new http.Agent({ keepAlive: true, maxSockets: 16 }),
    'https:': new https.Agent({ keepAlive: true, maxSockets: 16 }),
  };

  /** Sends a request. @returns the answer's head; its body is to be read or destroyed */
  send(call: Call): Promise<IncomingMessage> {
    const secure = call.origin.protocol === 'https:';
    const { request } = secure ? https : http;
    const headers = call.body ? { ...call.headers, 'content-length': String(call.body.byteLength) } : call.headers;
    return new Promise((resolve, reject) => {
      const options = {
        method: call.method,
        path: call.path,
        headers,
        agent: this.#agents[secure ? 'https:' : 'http:'],
        timeout: IDLE_MS,
        signal: call.signal,
      };
      const sent = request(call.origin, options, resolve);
      sent.on('timeout', () => sent.destroy(Object.assign(new Error(`no byte for ${IDLE_MS / 1000} s`), { code: 'ETIMEDOUT' })));
      sent.on('error', reject);
      sent.end(call.body);
    });
  }

  close(): void {
    Object.values(this.#agents).forEach((agent) => agent.destroy());
  }
}

/** The whole body of an answer. */
export async function readBody(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
