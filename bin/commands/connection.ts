import type { Client, ConnectOptions } from '../../lib/runtime/api';
import type { Context } from '../context';
import type { CliIo } from '../io';
import type { ConnectionOptions } from '../options';

/** A client that does not close in this time is left behind: the process ends anyway. */
const CLOSE_WITHIN_MS = 500;

/** Connects, lends the client, and closes it whatever happens. */
export async function withClient<T>(context: Context, options: ConnectionOptions, use: (client: Client) => Promise<T>): Promise<T> {
  const client = await context.io.connect(connectOptions(context, options));
  try {
    return await use(client);
  } finally {
    await closeSoon(client, context.io);
  }
}

/** What `connect` needs, from options and environment. */
export function connectOptions(
  { io, err }: Pick<Context, 'io' | 'err'>,
  options: ConnectionOptions & { readonly quiet?: boolean },
): ConnectOptions {
  const { region, profile, scaffold } = options;
  return {
    env: io.env,
    cwd: io.cwd,
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(scaffold === undefined ? {} : { scaffold }),
    local: options.local ?? isOn(io.env['RAWCLOUD_LOCAL']),
    ...(options.json || options.quiet ? {} : { onNotice: ({ text }): void => void err.write(`${text}\n`) }),
  };
}

/** Whether a switch of the environment is on: set, and neither '0' nor 'false'. */
export function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}

/** Closes the client; gives up on one that hangs. */
export async function closeSoon(client: Client, { clock }: Pick<CliIo, 'clock'>): Promise<void> {
  const timer = new AbortController();
  const patience = clock.sleep(CLOSE_WITHIN_MS, timer.signal).catch(() => undefined);
  await Promise.race([client.close(), patience]);
  timer.abort();
}
