import { ServiceError } from '../service';
import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { dryRunEnds } from './dry-run';
import { notFound } from './errors';
import { required } from './query';
import { visibleInstances } from './state';

/** A volume that stayed when its instance ended. @throws VolumeInUse while the instance is there */
export async function deleteVolume({ state, params }: Ec2Call): Promise<XmlFields> {
  const id = required(params, 'VolumeId');
  const instance = state.instances.all().find((i) => i.volumes.some((v) => v.id === id));
  if (!instance) throw notFound('volume', [id]);
  if (instance.state !== 'terminated') throw new ServiceError(400, 'VolumeInUse', `Volume ${id} is currently attached to ${instance.id}`);
  if (instance.volumes.find((v) => v.id === id)!.deleteOnTermination) throw notFound('volume', [id]);
  dryRunEnds(params);
  await state.instances.put({ ...instance, volumes: instance.volumes.filter((v) => v.id !== id) });
  return { return: true };
}

/** Interfaces here live and end with their instance. @throws InvalidParameterValue, InvalidNetworkInterfaceID.NotFound */
export function deleteNetworkInterface({ state, params }: Ec2Call): XmlFields {
  const id = required(params, 'NetworkInterfaceId');
  const instance = visibleInstances(state).find((i) => i.interface.id === id && i.state !== 'terminated');
  if (!instance) throw notFound('interface', [id]);
  throw new ServiceError(400, 'InvalidParameterValue', `Network interface '${id}' is currently in use.`);
}
