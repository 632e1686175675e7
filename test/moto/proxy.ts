import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { URL as MOTO } from './moto';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * What happens to a call, as `cloudformation:CreateStack` or `s3:PUT`. Whoever throws hangs up.
 * @param forward has moto answer it
 */
export type Rule = (call: string, forward: () => Promise<Answer>) => Promise<Answer>;

/** Stands between a client and moto, so that what moto answers does not arrive, or arrives otherwise. */
export class Proxy {
  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  static async open(rule: Rule): Promise<Proxy> {
    const server = createServer((asked, answered) => void serve(rule, asked, answered).catch(() => asked.destroy()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(`http://localhost:${(server.address() as AddressInfo).port}`, server);
  }

  /** As when a network goes: what is under way is cut off, and nobody answers any more. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

async function serve(rule: Rule, asked: IncomingMessage, answered: ServerResponse): Promise<void> {
  const body = await bytesOf(asked);
  const { status, headers, body: said } = await rule(nameOf(asked, body), () => forward(asked, body));
  const { 'transfer-encoding': _chunked, ...rest } = headers;
  const length = asked.method === 'HEAD' ? {} : { 'content-length': String(said.byteLength) };
  answered.writeHead(status, { ...rest, ...length }).end(said);
}

/** With the host that the client has signed. */
function forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  const { expect: _kept, ...rest } = headers;
  return new Promise((resolve, reject) => {
    const made = request(`${MOTO}${url}`, { ...(method === undefined ? {} : { method }), headers: rest, agent: false }, (answer) => {
      bytesOf(answer).then((said) => resolve({ status: answer.statusCode!, headers: answer.headers, body: said }), reject);
    });
    made.once('error', reject).end(body);
  });
}

function nameOf({ method, headers }: IncomingMessage, body: Buffer): string {
  const service = /\/([\w-]+)\/aws4_request/.exec(headers.authorization ?? '')?.[1];
  const target = String(headers['x-amz-target'] ?? '')
    .split('.')
    .at(-1);
  return `${service}:${target || (/(?:^|&)Action=(\w+)/.exec(body.toString('latin1'))?.[1] ?? method)}`;
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
