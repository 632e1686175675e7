import { bucketKeys, decodeJson, GrantSchema } from '../contract';
import type { Clock, Credentials, Store } from '../contract';
import { CredentialsServer } from './credentials-server';

/** Between two looks for renewed credentials, once it is time. */
const LOOK_MS = 30_000;

/** What a job is for AWS, while it runs. */
export interface JobIdentity {
  /** @returns where the job finds its credentials, and what it shows there */
  start(): Promise<{ readonly url: string; readonly token: string }>;
  /** End of the credentials, milliseconds since 1970; undefined when they do not tell, or renew by themselves. */
  readonly until: number | undefined;
  close(): Promise<void>;
}

export interface IdentityOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly vm: string;
  readonly credentials: Credentials;
  /** Of the grant that they came in. */
  readonly serial: number;
  readonly onRenewed: (until: number | undefined) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** The caller's AWS identity: served to the job, and renewed from later grants once half of its life is over. */
export class Identity implements JobIdentity {
  readonly #server: CredentialsServer;
  readonly #over = new AbortController();
  #renewing: Promise<void> = Promise.resolve();
  #serial: number;
  #credentials: Credentials;

  constructor(private readonly options: IdentityOptions) {
    this.#server = new CredentialsServer(async () => this.#credentials);
    this.#serial = options.serial;
    this.#credentials = options.credentials;
  }

  async start(): Promise<{ readonly url: string; readonly token: string }> {
    const url = await this.#server.start();
    this.#renewing = this.#renew();
    return { url, token: this.#server.token };
  }

  get until(): number | undefined {
    const { expiresAt } = this.#credentials;
    return expiresAt === undefined ? undefined : Date.parse(expiresAt);
  }

  async close(): Promise<void> {
    this.#over.abort();
    this.#server.close();
    await this.#renewing;
  }

  async #renew(): Promise<void> {
    const { clock } = this.options;
    const { signal } = this.#over;
    let issuedAt = clock.now();
    while (!signal.aborted && this.until !== undefined) {
      const half = issuedAt + (this.until - issuedAt) / 2;
      await clock.sleep(Math.max(LOOK_MS, half - clock.now()), signal).catch(() => undefined);
      if (!signal.aborted && (await this.#look(signal))) issuedAt = clock.now();
    }
  }

  /** @returns whether there were newer credentials */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { store, vm, onRenewed, onTrouble } = this.options;
    try {
      const found = await store.get(bucketKeys.grant(vm), { signal });
      if (found === 'absent' || found === 'unchanged') return false;
      const grant = decodeJson(GrantSchema, found.body, 'a renewed grant');
      await store.delete(bucketKeys.grant(vm), { signal });
      if (grant.serial <= this.#serial || !grant.credentials) return false;
      this.#serial = grant.serial;
      this.#credentials = grant.credentials;
      onRenewed(this.until);
      return true;
    } catch (error) {
      if (!signal.aborted) onTrouble(error);
      return false;
    }
  }
}
