import { ensureLocalCloud, localReset, localStart, localStatus, localStop } from './daemon';
import type { DaemonOptions, LocalConnection, LocalStatus } from './daemon';
import { DRIVER_VARIABLE, parseDriverChoice } from './drivers/driver-choice';
import { defaultStateDir } from './state-directory';

/** `rawcloud local …`, with the process environment taken once. */
export interface LocalCloudCommands {
  /** Starts it unless it runs. @param driver what machines shall be: auto, namespace or process @throws E_USAGE, E_LOCAL_CLOUD */
  start(driver?: string): Promise<LocalStatus>;
  /** Ends it and its VMs. @returns false when it did not run */
  stop(): Promise<boolean>;
  status(): Promise<LocalStatus>;
  /** Ends it and deletes its state. */
  reset(): Promise<void>;
  /** Is the local cloud until the signal aborts. */
  serve(signal: AbortSignal): Promise<void>;
}

/** @param entry the CLI's script @default - this package's */
export function localCloud(env: DaemonOptions['env'], entry?: string): LocalCloudCommands {
  const options: DaemonOptions = { env, ...(entry === undefined ? {} : { entry }) };
  return {
    start: (driver) => localStart(driver === undefined ? options : { ...options, driver }),
    stop: async () => (await localStop(options)).stopped,
    status: () => localStatus(options),
    reset: async () => void (await localReset(options)),
    serve: async (signal) => {
      const { serveLocalCloud } = await import('./serve.js');
      await serveLocalCloud({ stateDir: defaultStateDir(env), driver: parseDriverChoice(env[DRIVER_VARIABLE]), signal });
    },
  };
}

export { ensureLocalCloud, localReset, localStart, localStatus, localStop };
export type { DaemonOptions, LocalConnection, LocalStatus };
