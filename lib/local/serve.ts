import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { VERSION } from '../contract';
import { startLocalCloud } from './cloud';
import type { LocalCloudOptions } from './cloud';
import { removeCloudFile, writeCloudFile } from './cloud-file';
import { createControl } from './control';

export interface ServeOptions extends Omit<LocalCloudOptions, 'control'> {
  /** Ends it; machines live on and are adopted by the next start. */
  readonly signal: AbortSignal;
}

/**
 * Is the local cloud until the signal aborts or somebody asks it to end. `cloud.json` in the state directory tells how to
 * reach it, from the moment it can be reached until it begins to end.
 * @throws E_LOCAL_CLOUD
 */
export async function serveLocalCloud({ signal, ...options }: ServeOptions): Promise<void> {
  const token = randomBytes(32).toString('hex');
  const asked = new AbortController();
  let keepMachines = true;
  const onShutdown = (wish: { readonly keepMachines: boolean }): void => {
    keepMachines = wish.keepMachines;
    asked.abort();
  };
  const cloud = await startLocalCloud({ ...options, control: (running) => createControl(running, { token, onShutdown }) });
  const { url, port, region, credentials, stateDir, driver } = cloud;
  try {
    await writeCloudFile(stateDir, {
      v: 1,
      pid: process.pid,
      port,
      url,
      region,
      token,
      credentials,
      version: VERSION,
      driver: driver.kind,
    });
    const end = AbortSignal.any([signal, asked.signal]);
    if (!end.aborted) await once(end, 'abort');
  } finally {
    await removeCloudFile(stateDir);
    await cloud.close({ keepMachines });
  }
}
