import type { Client, ConnectOptions } from './api';
import { startTick } from './definition/start';
import type { ClientDeps } from './deps';
import { openDeps } from './open-deps';
import { reap } from './reap/pass';

/** What is done without a person: by the functions of a deployment, which hold nothing of what captures a command. */
export type Duties = Pick<Client, 'scaffold' | 'start' | 'reap' | 'close'>;

export function dutiesOf(deps: ClientDeps): Duties {
  const { name, region, account, bucket } = deps.scaffold;
  return {
    scaffold: { name, region, account, bucket },
    start: (request) => startTick(deps, request),
    reap: (options = {}) => reap({ ...deps, bus: deps.events, start: (request) => startTick(deps, request) }, options.signal),
    close: async () => deps.close?.(),
  };
}

/** @throws as {@link openDeps} */
export async function connectDuties(options: ConnectOptions): Promise<Duties> {
  return dutiesOf(await openDeps(options));
}
