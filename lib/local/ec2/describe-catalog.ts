import { ServiceError } from '../service';
import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { notFound } from './errors';
import { applyFilters } from './filters';
import type { Image } from './images';
import { INSTANCE_TYPES } from './instance-types';
import type { InstanceType } from './instance-types';
import { page } from './paging';
import { texts } from './query';
import { set } from './render';

export function describeImages({ state, params }: Ec2Call): XmlFields {
  const ids = texts(params, 'ImageId');
  const missing = ids.filter((id) => !state.images.some((i) => i.id === id));
  if (missing.length > 0) throw notFound('image', missing);
  const chosen = ids.length > 0 ? state.images.filter((i) => ids.includes(i.id)) : state.images;
  const fitting = applyFilters(chosen, params, {
    values: {
      'image-id': (i) => i.id,
      name: (i) => i.name,
      architecture: (i) => i.arch,
      state: () => 'available',
      'root-device-type': () => 'ebs',
      'virtualization-type': () => 'hvm',
      'owner-alias': () => 'amazon',
    },
    tags: () => ({}),
  });
  return { imagesSet: set(fitting.map(renderImage)) };
}

function renderImage(i: Image): XmlFields {
  const ebs = { snapshotId: i.snapshotId, volumeSize: i.rootGiB, deleteOnTermination: true, volumeType: 'gp3', encrypted: false };
  return {
    imageId: i.id,
    imageLocation: `amazon/${i.name}`,
    imageState: 'available',
    imageOwnerId: '137112412989',
    imageOwnerAlias: 'amazon',
    isPublic: true,
    architecture: i.arch,
    imageType: 'machine',
    name: i.name,
    description: 'The host of the local cloud, standing for Amazon Linux 2023',
    rootDeviceType: 'ebs',
    rootDeviceName: i.rootDevice,
    blockDeviceMapping: set([{ deviceName: i.rootDevice, ebs }]),
    virtualizationType: 'hvm',
    hypervisor: 'xen',
    enaSupport: true,
    imdsSupport: 'v2.0',
    creationDate: '2026-11-01T00:00:00.000Z',
    platformDetails: 'Linux/UNIX',
    usageOperation: 'RunInstances',
  };
}

export function describeInstanceTypes({ params }: Ec2Call): XmlFields {
  const names = texts(params, 'InstanceType');
  const missing = names.filter((n) => !INSTANCE_TYPES.has(n));
  if (missing.length > 0) {
    throw new ServiceError(400, 'InvalidInstanceType', `The following supplied instance types do not exist: [${missing.join(', ')}]`);
  }
  const all = [...INSTANCE_TYPES.values()];
  const fitting = applyFilters(names.length > 0 ? all.filter((t) => names.includes(t.name)) : all, params, {
    values: {
      'instance-type': (t) => t.name,
      'processor-info.supported-architecture': (t) => t.arch,
      'vcpu-info.default-vcpus': (t) => String(t.vcpu),
      'memory-info.size-in-mib': (t) => String(t.memoryMiB),
      'burstable-performance-supported': (t) => String(t.burstable),
      'current-generation': () => 'true',
    },
  });
  const { items, nextToken } = page(fitting, params, (t) => t.name);
  return { instanceTypeSet: set(items.map(renderType)), nextToken };
}

function renderType(t: InstanceType): XmlFields {
  return {
    instanceType: t.name,
    currentGeneration: true,
    bareMetal: false,
    hypervisor: 'nitro',
    burstablePerformanceSupported: t.burstable,
    supportedUsageClasses: set(['on-demand', 'spot']),
    supportedRootDeviceTypes: set(['ebs']),
    processorInfo: { supportedArchitectures: set([t.arch]) },
    vCpuInfo: { defaultVCpus: t.vcpu },
    memoryInfo: { sizeInMiB: t.memoryMiB },
  };
}
