import type { Credentials } from '../contract';
import { CredentialsServer } from './credentials-server';
import type { JobIdentity } from './identity';

export interface RoleIdentityOptions {
  /** Credentials of the VM's role as they are now. */
  readonly roleCredentials: () => Promise<Credentials>;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * The VM's role as the job's AWS identity. The metadata service, which the job itself does not reach, is asked whenever
 * an SDK asks: what it hands out renews by itself, for as long as the VM lives.
 */
export class RoleIdentity implements JobIdentity {
  /** Nobody has to renew them. */
  readonly until = undefined;
  readonly #server = new CredentialsServer(() => this.#provide());

  constructor(private readonly options: RoleIdentityOptions) {}

  async start(): Promise<{ readonly url: string; readonly token: string }> {
    return { url: await this.#server.start(), token: this.#server.token };
  }

  async close(): Promise<void> {
    this.#server.close();
  }

  async #provide(): Promise<Credentials> {
    const { roleCredentials, onTrouble } = this.options;
    // Once more: a session token of the metadata service may have ended, and SDKs wait for a second at most.
    return roleCredentials()
      .catch(() => roleCredentials())
      .catch((error: unknown) => {
        onTrouble(error);
        throw error;
      });
  }
}
