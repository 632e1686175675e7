import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Credentials } from '../contract';

/**
 * The job's AWS identity, served as AWS SDKs expect it of a container's agent: they ask again before the end comes,
 * so what is renewed here is renewed there. Source: SDK reference guide, "Container credential provider".
 */
export class CredentialsServer {
  readonly token = randomBytes(24).toString('hex');
  readonly #server = createServer((request, response) => {
    const given = Buffer.from(request.headers.authorization ?? '');
    const known = Buffer.from(this.token);
    const allowed = given.byteLength === known.byteLength && timingSafeEqual(given, known) && request.url === '/credentials';
    response.writeHead(allowed ? 200 : 403, { 'content-type': 'application/json' });
    response.end(allowed ? JSON.stringify(wire(this.#credentials)) : '{"Code":"AccessDenied","Message":"wrong or no token"}');
  });
  #credentials: Credentials;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** @returns the address for AWS_CONTAINER_CREDENTIALS_FULL_URI */
  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    this.#server.unref();
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/credentials`;
  }

  renew(credentials: Credentials): void {
    this.#credentials = credentials;
  }

  get expiresAt(): number | undefined {
    return this.#credentials.expiresAt === undefined ? undefined : Date.parse(this.#credentials.expiresAt);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
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
