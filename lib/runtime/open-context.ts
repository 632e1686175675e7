import { RawcloudError } from '../contract';
import { openAws } from '../aws/clients';
import type { AwsContext } from '../aws/clients';
import type { LocalConnection } from '../local/daemon';
import type { ConnectOptions } from './api';

/** AWS as the options say, or the local cloud. */
export interface OpenedContext {
  readonly context: AwsContext;
  readonly shippedNode?: LocalConnection['shippedNode'];
}

/** @throws E_USAGE when no region is known, E_LOCAL_CLOUD */
export async function openContext({ env, region, profile, local, onNotice }: ConnectOptions): Promise<OpenedContext> {
  if (!local) return { context: await openAws({ env, ...(region ? { region } : {}), ...(profile ? { profile } : {}) }) };
  const { ensureLocalCloud } = await import('../local/daemon.js');
  const cloud = await ensureLocalCloud({ env });
  for (const notice of cloud.notices) onNotice?.(notice);
  if (region && region !== cloud.region) {
    throw new RawcloudError('E_USAGE', `the local cloud has one region, ${cloud.region}; got ${region}`, { remedy: 'Leave out --region.' });
  }
  const context = await openAws({ env: {}, region: cloud.region, endpoint: cloud.url, credentials: cloud.credentials });
  return { context, shippedNode: cloud.shippedNode };
}
