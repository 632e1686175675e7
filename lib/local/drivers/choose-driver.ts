import { existsSync } from 'node:fs';
import path from 'node:path';
import { RawcloudError } from '../../contract';
import type { InstanceDriver, MachineSpec } from '../../contract';
import { machineDirectory } from './machine-directory';
import type { DriverChoice, DriverFacts } from './driver-choice';
import { createNamespaceDriver } from './namespace';
import { findWhyNoNamespaces } from './namespaces-work';
import { createProcessDriver } from './process';

/**
 * The driver for new machines. A machine that was begun by another goes on with that one.
 * @param options `image`: the directory of what every machine ships; `directory`: where machines lie
 * @throws E_LOCAL_CLOUD when namespaces were asked for and this machine cannot have them
 */
export async function chooseDriver(
  choice: DriverChoice,
  { image, directory }: { readonly image: Promise<string>; readonly directory: string },
): Promise<{ readonly driver: InstanceDriver; readonly facts: DriverFacts }> {
  const [imageDir, why] = await Promise.all([image, choice === 'process' ? undefined : findWhyNoNamespaces(directory)]);
  if (choice === 'namespace' && why !== undefined) {
    throw new RawcloudError('E_LOCAL_CLOUD', `this machine cannot have namespace machines: ${why}`, {
      remedy: 'Leave out --driver and RAWCLOUD_LOCAL_DRIVER, or set it to process.',
    });
  }
  const kind = choice === 'process' || why !== undefined ? 'process' : 'namespace';
  const drivers = { namespace: createNamespaceDriver({ imageDir }), process: createProcessDriver({ imageDir }) };
  const driver = eachWithItsOwn(drivers, drivers[kind]);
  return { driver, facts: { kind, ...(why === undefined ? {} : { why }) } };
}

/** A disk that one driver laid out is not for the other. */
function eachWithItsOwn(drivers: Readonly<Record<'namespace' | 'process', InstanceDriver>>, chosen: InstanceDriver): InstanceDriver {
  const driverOf = ({ root }: MachineSpec): InstanceDriver => {
    const { own, init } = machineDirectory(root);
    if (existsSync(path.join(own, 'fstab'))) return drivers.namespace;
    return existsSync(init) ? drivers.process : chosen;
  };
  return {
    kind: chosen.kind,
    start: (instance) => driverOf(instance).start(instance),
    adopt: (instance) => driverOf(instance).adopt(instance),
    entrance: async (instance) => driverOf(instance).entrance?.(instance),
    close: async () => drivers.namespace.close?.(),
  };
}
