import { createHash } from 'node:crypto';
import { RawcloudError } from '../../contract';
import type { Arch, Offer } from '../../contract';
import type { ClientDeps } from '../deps';
import { planOffers, typeByName } from '../plan/offers';
import type { NormalRequest } from '../request';

/** Architecture of the VM: as asked, else as the VM type has it, else as this machine has it. @throws E_HARDWARE */
export function archOf(deps: Pick<ClientDeps, 'local' | 'arch'>, request: NormalRequest): Arch {
  const asked = request.arch ?? (request.vmTypes?.[0] ? typeByName(request.vmTypes[0]).arch : deps.arch);
  if (deps.local && asked !== deps.arch) {
    throw new RawcloudError('E_HARDWARE', `the local cloud's VMs are this machine (${deps.arch}), but ${asked} was asked for`, {
      remedy: `Leave out --arch and --vm-type, or run it on AWS.`,
    });
  }
  return asked;
}

/** The plan's offers. Which zone comes first depends on the job, so that jobs spread. */
export function offersFor(deps: Pick<ClientDeps, 'scaffold'>, request: NormalRequest, arch: Arch, job: string): Offer[] {
  const { zones, region } = deps.scaffold;
  const first = zones.length === 0 ? 0 : createHash('sha256').update(job).digest().readUInt32BE() % zones.length;
  return planOffers({
    ...(request.vmTypes ? { vmTypes: request.vmTypes } : {}),
    cpu: request.cpu,
    memoryGiB: request.memoryGiB,
    arch,
    region,
    zones: [...zones.slice(first), ...zones.slice(0, first)],
  });
}
