import type { Client, ConnectOptions } from './api';
import { createClient } from './client';
import { openDeps } from './open-deps';

/**
 * A client for the account (or the local cloud) that the environment points at.
 * @throws E_NO_CREDENTIALS, E_NO_SCAFFOLDING, E_ENDPOINT_DOWN, E_LOCAL_CLOUD
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  return createClient(await openDeps(options));
}
