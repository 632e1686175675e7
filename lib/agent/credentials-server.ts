import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Credentials } from '../contract';

/**
 * The job's AWS identity, served as AWS SDKs expect it of a container's agent: they ask again before the end comes,
 * so what is renewed here is renewed there. Source: SDK reference guide, "Container credential provider".
 */
export class CredentialsServer {
  readonly token = randomBytes(24).toString('hex');
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  /** @param provide asked each time that the job asks; a failure of it is answered with 500, which SDKs try again */
  constructor(private readonly provide: () => Promise<Credentials>) {}

  /** @returns the address for AWS_CONTAINER_CREDENTIALS_FULL_URI */
  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    this.#server.unref();
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/credentials`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#isAllowed(request)) return reply(response, 403, { Code: 'AccessDenied', Message: 'wrong or no token' });
    try {
      reply(response, 200, wire(await this.provide()));
    } catch {
      // Said by who provides; the job learns only that there are none just now.
      reply(response, 500, { Code: 'InternalError', Message: 'there are no credentials just now' });
    }
  }

  #isAllowed({ headers, url }: IncomingMessage): boolean {
    const given = Buffer.from(headers.authorization ?? '');
    const known = Buffer.from(this.token);
    return given.byteLength === known.byteLength && timingSafeEqual(given, known) && url === '/credentials';
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function wire(c: Credentials): Readonly<Record<string, string | undefined>> {
  // SDKs want an end, and some sessions do not tell theirs.
  return {
    AccessKeyId: c.accessKeyId,
    SecretAccessKey: c.secretAccessKey,
    Token: c.sessionToken ?? '',
    Expiration: c.expiresAt ?? '2099-01-01T00:00:00Z',
  };
}
