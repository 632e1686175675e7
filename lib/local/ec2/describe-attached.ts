import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { choose } from './choose';
import { applyFilters } from './filters';
import type { Filterable } from './filters';
import { renderInterface } from './instance-xml';
import { interfaceFilters } from './interface-filters';
import { zoneId } from './network';
import { page } from './paging';
import type { InstanceRecord, VolumeRecord } from './records';
import { set, tagSet, timestamp } from './render';
import { visibleInstances } from './state';

interface Attached {
  readonly volume: VolumeRecord;
  readonly instance: InstanceRecord;
  /** False once its instance is gone. */
  readonly inUse: boolean;
}

/** Volumes live as long as their instance, or, when they are not deleted with it, until its record is forgotten. */
export function describeVolumes({ state, params }: Ec2Call): XmlFields {
  const instances = state.instances.all().flatMap((i) => state.lag.shown(i) ?? []);
  const all = instances.flatMap((instance) => {
    const inUse = instance.state !== 'terminated';
    return instance.volumes.filter((v) => inUse || !v.deleteOnTermination).map((volume): Attached => ({ volume, instance, inUse }));
  });
  const chosen = choose(all, params, { parameter: 'VolumeId', set: 'volumeSet', kind: 'volume' }, (a) => a.volume.id);
  const fitting = applyFilters(chosen, params, VOLUME_FILTERS);
  const { items, nextToken } = page(fitting, params, (a) => a.volume.id);
  return { volumeSet: set(items.map(renderVolume)), nextToken };
}

const attached = (read: (a: Attached) => string) => (a: Attached) => (a.inUse ? read(a) : undefined);

/** Source: EC2 API reference, DescribeVolumes, Filters. */
const VOLUME_FILTERS: Filterable<Attached> = {
  values: {
    'volume-id': (a) => a.volume.id,
    'volume-type': (a) => a.volume.type,
    size: (a) => String(a.volume.sizeGiB),
    status: (a) => (a.inUse ? 'in-use' : 'available'),
    encrypted: (a) => String(a.volume.encrypted),
    'create-time': (a) => timestamp(a.instance.launchedAt),
    'availability-zone': (a) => a.instance.zone,
    'availability-zone-id': (a) => zoneId(a.instance.zone),
    'multi-attach-enabled': () => 'false',
    'snapshot-id': () => undefined,
    'attachment.attach-time': attached((a) => timestamp(a.instance.launchedAt)),
    'attachment.delete-on-termination': attached((a) => String(a.volume.deleteOnTermination)),
    'attachment.device': attached((a) => a.volume.device),
    'attachment.instance-id': attached((a) => a.instance.id),
    'attachment.status': attached(() => 'attached'),
  },
  tags: (a) => a.volume.tags,
};

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
  const all = visibleInstances(state).filter((i) => i.state !== 'terminated');
  const named = { parameter: 'NetworkInterfaceId', set: 'networkInterfaceIdSet', kind: 'interface' } as const;
  const chosen = choose(all, params, named, (i) => i.interface.id);
  const fitting = applyFilters(chosen, params, { values: interfaceFilters(state), tags: (i) => i.interface.tags });
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
