import { bucketKeys, decodeJson, GrantSchema } from '../contract';
import type { Clock, Grant, Store } from '../contract';
import type { CredentialsServer } from './credentials-server';
import { textOf } from './verdict';

export interface RenewalOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly vm: string;
  /** The grant that the server's credentials are from. */
  readonly grant: Grant;
  readonly server: CredentialsServer;
  readonly signal: AbortSignal;
  readonly onRenewed: () => void;
  readonly say: (line: string) => void;
}

const LOOK_EVERY_MS = 30_000;

/** Looks for a renewed grant once half of the life of the credentials in use is over, until aborted. */
export async function renewCredentials({ clock, grant, server, signal, say, ...options }: RenewalOptions): Promise<void> {
  let { serial } = grant;
  let issuedAt = clock.now();
  while (!signal.aborted && server.expiresAt !== undefined) {
    const half = issuedAt + (server.expiresAt - issuedAt) / 2;
    await clock.sleep(Math.max(LOOK_EVERY_MS, half - clock.now()), signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const renewed = await takeGrant(options, signal);
      if (!renewed?.credentials || renewed.serial <= serial) continue;
      serial = renewed.serial;
      issuedAt = clock.now();
      server.renew(renewed.credentials);
      options.onRenewed();
    } catch (error) {
      if (!signal.aborted) say(`rawcloud: cannot renew the job's credentials: ${textOf(error)}`);
    }
  }
}

/** A grant that lies there now; it is deleted once read. */
async function takeGrant({ store, vm }: Pick<RenewalOptions, 'store' | 'vm'>, signal: AbortSignal): Promise<Grant | undefined> {
  const found = await store.get(bucketKeys.grant(vm), { signal });
  if (found === 'absent' || found === 'unchanged') return undefined;
  const grant = decodeJson(GrantSchema, found.body, 'a renewed grant');
  await store.delete(bucketKeys.grant(vm));
  return grant;
}
