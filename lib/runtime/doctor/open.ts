import { DEFAULT_SCAFFOLD_NAME, systemClock, VERSION } from '../../contract';
import type { Check } from '../../contract';
import { createAccountLook } from '../../aws/account-look';
import { createEc2Compute } from '../../aws/ec2-compute';
import { createS3Store } from '../../aws/s3-store';
import type { ConnectOptions } from '../api';
import { openContext } from '../open-context';
import { readMarket } from '../market/read';
import { examine } from './examine';

/** An examination of the account that the environment points at. */
export interface Doctor {
  /** Checks as they come. */
  examine(options?: { signal?: AbortSignal }): AsyncIterable<Check>;
  close(): Promise<void>;
}

/**
 * Unlike `connect` it needs neither credentials nor scaffolding: what is missing is what it tells.
 * @throws E_USAGE when no region is known, E_LOCAL_CLOUD
 */
export async function openDoctor(options: ConnectOptions): Promise<Doctor> {
  const { context } = await openContext(options);
  const deps = {
    look: createAccountLook(context),
    scaffold: options.scaffold ?? DEFAULT_SCAFFOLD_NAME,
    local: options.local ?? false,
    version: VERSION,
    now: () => systemClock.now(),
    premises: ({ bucket, account, region }: { bucket: string; account: string; region: string }) => {
      const store = createS3Store(context, { bucket, account });
      return {
        store,
        compute: createEc2Compute(context),
        market: async (signal?: AbortSignal) => (await readMarket(store, region, signal))?.market,
      };
    },
  };
  return {
    examine: ({ signal } = {}) => examine(deps, signal),
    close: async () => context.close(),
  };
}
