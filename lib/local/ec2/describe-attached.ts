import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { notFound } from './errors';
import { applyFilters } from './filters';
import { renderInterface } from './instance-xml';
import { page } from './paging';
import { texts } from './query';
import type { InstanceRecord, VolumeRecord } from './records';
import { set, tagSet, timestamp } from './render';

interface Attached {
  readonly volume: VolumeRecord;
  readonly instance: InstanceRecord;
  /** False once its instance is gone. */
  readonly inUse: boolean;
}

/** Volumes live as long as their instance, or, when they are not deleted with it, until its record is forgotten. */
export function describeVolumes({ state, params }: Ec2Call): XmlFields {
  const all = state.instances.all().flatMap((instance) => {
    const inUse = instance.state !== 'terminated';
    return instance.volumes.filter((v) => inUse || !v.deleteOnTermination).map((volume): Attached => ({ volume, instance, inUse }));
  });
  const ids = texts(params, 'VolumeId');
  const missing = ids.filter((id) => !all.some((a) => a.volume.id === id));
  if (missing.length > 0) throw notFound('volume', missing);
  const fitting = applyFilters(ids.length > 0 ? all.filter((a) => ids.includes(a.volume.id)) : all, params, {
    values: {
      'volume-id': (a) => a.volume.id,
      status: (a) => (a.inUse ? 'in-use' : 'available'),
      'availability-zone': (a) => a.instance.zone,
      'attachment.instance-id': (a) => (a.inUse ? a.instance.id : undefined),
    },
    tags: (a) => a.volume.tags,
  });
  const { items, nextToken } = page(fitting, params, (a) => a.volume.id);
  return { volumeSet: set(items.map(renderVolume)), nextToken };
}

function renderVolume({ volume, instance, inUse }: Attached): XmlFields {
  const time = timestamp(instance.launchedAt);
  const attachment = { volumeId: volume.id, instanceId: instance.id, device: volume.device, status: 'attached', attachTime: time };
  return {
    volumeId: volume.id,
    size: volume.sizeGiB,
    availabilityZone: instance.zone,
    status: inUse ? 'in-use' : 'available',
    createTime: time,
    attachmentSet: inUse ? set([{ ...attachment, deleteOnTermination: volume.deleteOnTermination }]) : '',
    volumeType: volume.type,
    iops: volume.iops,
    throughput: volume.throughput,
    encrypted: volume.encrypted,
    tagSet: tagSet(volume.tags),
  };
}

export function describeNetworkInterfaces({ state, params }: Ec2Call): XmlFields {
  const all = state.instances.all().filter((i) => i.state !== 'terminated');
  const ids = texts(params, 'NetworkInterfaceId');
  const missing = ids.filter((id) => !all.some((i) => i.interface.id === id));
  if (missing.length > 0) throw notFound('interface', missing);
  const fitting = applyFilters(ids.length > 0 ? all.filter((i) => ids.includes(i.interface.id)) : all, params, {
    values: {
      'network-interface-id': (i) => i.interface.id,
      'attachment.instance-id': (i) => i.id,
      'subnet-id': (i) => i.subnetId,
      'vpc-id': () => state.network.vpcId,
      'availability-zone': (i) => i.zone,
      'group-id': (i) => i.groupIds,
      status: () => 'in-use',
    },
    tags: (i) => i.interface.tags,
  });
  const { items, nextToken } = page(fitting, params, (i) => i.interface.id);
  return { networkInterfaceSet: set(items.map((i) => renderWhole(state, i))), nextToken };
}

function renderWhole(state: Ec2Call['state'], i: InstanceRecord): XmlFields {
  const shared = renderInterface(state, i);
  const attachment = {
    attachmentId: i.interface.attachmentId,
    instanceId: i.id,
    instanceOwnerId: state.account,
    deviceIndex: 0,
    status: 'attached',
    deleteOnTermination: true,
  };
  return { ...shared, availabilityZone: i.zone, attachment, tagSet: tagSet(i.interface.tags) };
}
