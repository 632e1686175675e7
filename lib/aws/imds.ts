import { request } from 'node:http';
import { RawcloudError } from '../contract';
import type { Clock, Credentials } from '../contract';

/** Life of a session token, seconds; IMDSv2 allows up to six hours. */
const TOKEN_S = 21_600;
/** Role credentials are asked for again this long before they end. */
const RENEW_MS = 5 * 60_000;

/** The instance metadata service, version 2: only what the agent needs. */
export class Imds {
  #token: Promise<string> | undefined;
  #credentials: { readonly value: Credentials; readonly until: number } | undefined;

  constructor(
    private readonly baseUrl: string,
    private readonly clock: Clock,
  ) {}

  /** Credentials of the VM's role, renewed when they come to their end. */
  async roleCredentials(): Promise<Credentials> {
    if (this.#credentials && this.clock.now() < this.#credentials.until - RENEW_MS) return this.#credentials.value;
    const role = (await this.get('/latest/meta-data/iam/security-credentials/')).trim().split('\n')[0] ?? '';
    const found = JSON.parse(await this.get(`/latest/meta-data/iam/security-credentials/${role}`)) as Readonly<Record<string, string>>;
    const value: Credentials = {
      accessKeyId: found['AccessKeyId'] ?? '',
      secretAccessKey: found['SecretAccessKey'] ?? '',
      sessionToken: found['Token'] ?? '',
      expiresAt: found['Expiration'] ?? '',
    };
    this.#credentials = { value, until: Date.parse(value.expiresAt ?? '') };
    return value;
  }

  /** Forgets credentials that a service has called expired. */
  forget(): void {
    this.#credentials = undefined;
  }

  /** A document under /latest/. @throws E_AWS also when it is not there */
  async get(path: string): Promise<string> {
    const found = await this.find(path);
    if (found !== undefined) return found;
    throw new RawcloudError('E_AWS', `IMDS has no ${path}`, { retryable: true });
  }

  /** A document under /latest/; undefined when it is not there. */
  async find(path: string): Promise<string | undefined> {
    this.#token ??= this.#call('PUT', '/latest/api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_S) }) as Promise<string>;
    try {
      return await this.#call('GET', path, { 'x-aws-ec2-metadata-token': await this.#token });
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  #call(method: string, path: string, headers: Readonly<Record<string, string>>): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, this.baseUrl), { method, headers, timeout: 5_000 }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (answer.statusCode === 200) resolve(text);
          else if (answer.statusCode === 404 && method === 'GET') resolve(undefined);
          else reject(new RawcloudError('E_AWS', `IMDS answered ${answer.statusCode} to ${method} ${path}`, { retryable: true }));
        });
      });
      call.on('timeout', () =>
        call.destroy(new RawcloudError('E_AWS', `IMDS did not answer ${method} ${path} within 5 s`, { retryable: true })),
      );
      call.on('error', reject);
      call.end();
    });
  }
}
