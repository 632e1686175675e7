import { createHash } from 'node:crypto';
import { RawcloudError } from '../../contract';
import type { Arch, Offer } from '../../contract';
import type { ClientDeps } from '../deps';
import type { Hardware } from '../plan/hardware';
import type { MarketView } from '../plan/market';
import { planOffers } from '../plan/offers';
import { withinQuotas } from '../plan/quota-check';
import { archByName } from '../plan/vm-type';
import type { NormalRequest } from '../request';

/** Architecture of the VM: as asked, else as the VM type's name says, else as this machine has it. @throws E_HARDWARE */
export function archOf(deps: Pick<ClientDeps, 'local' | 'arch'>, request: NormalRequest): Arch {
  const asked = request.arch ?? (request.vmTypes?.[0] ? archByName(request.vmTypes[0]) : deps.arch);
  if (deps.local && asked !== deps.arch) {
    throw new RawcloudError('E_HARDWARE', `the local cloud's VMs are this machine (${deps.arch}), but ${asked} was asked for`, {
      remedy: `Leave out --arch and --vm-type, or run it on AWS.`,
    });
  }
  return asked;
}

/** Hardware as the plan takes it. Which zone comes first depends on the job, so that jobs spread. */
export function hardwareOf(
  deps: Pick<ClientDeps, 'scaffold'>,
  request: Pick<NormalRequest, 'vmTypes' | 'families' | 'cpu' | 'memoryGiB' | 'spotPolicy'>,
  arch: Arch,
  job: string,
): Hardware {
  const { zones, region, subnets = [] } = deps.scaffold;
  const privateZones = subnets.filter((subnet) => !subnet.public).map(({ zone }) => zone);
  const first = zones.length === 0 ? 0 : createHash('sha256').update(job).digest().readUInt32BE() % zones.length;
  const { vmTypes, families, cpu, memoryGiB, spotPolicy } = request;
  return {
    ...(vmTypes ? { vmTypes } : {}),
    ...(families ? { families } : {}),
    cpu,
    memoryGiB,
    arch,
    region,
    zones: [...zones.slice(first), ...zones.slice(0, first)],
    spotPolicy,
    ...(privateZones.length > 0 ? { privateZones } : {}),
  };
}

/** The plan's offers. @throws E_HARDWARE, E_QUOTA */
export function offersFor(hardware: Hardware, market: MarketView): Offer[] {
  return withinQuotas(planOffers(hardware, market), market);
}
