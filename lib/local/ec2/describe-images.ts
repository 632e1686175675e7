import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { malformed, notFound } from './errors';
import { applyFilters } from './filters';
import type { Filterable } from './filters';
import { isId } from './ids';
import type { Image } from './images';
import { page } from './paging';
import { texts } from './query';
import { set } from './render';

/** Amazon's, which stand for its Linux. */
const OWNER = '137112412989';
const CREATED = '2026-11-01T00:00:00.000Z';
const DESCRIPTION = 'The host of the local cloud, standing for Amazon Linux 2023';

/** Source: EC2 API reference, DescribeImages, Filters. */
const FILTERS: Filterable<Image> = {
  values: {
    'image-id': (i) => i.id,
    name: (i) => i.name,
    architecture: (i) => i.arch,
    state: () => 'available',
    description: () => DESCRIPTION,
    'creation-date': () => CREATED,
    'is-public': () => 'true',
    'image-type': () => 'machine',
    hypervisor: () => 'xen',
    'ena-support': () => 'true',
    'imds-support': () => 'v2.0',
    'manifest-location': (i) => `amazon/${i.name}`,
    'owner-alias': () => 'amazon',
    'owner-id': () => OWNER,
    platform: () => undefined,
    'platform-details': () => 'Linux/UNIX',
    'root-device-name': (i) => i.rootDevice,
    'root-device-type': () => 'ebs',
    'virtualization-type': () => 'hvm',
    'usage-operation': () => 'RunInstances',
    'block-device-mapping.device-name': (i) => i.rootDevice,
    'block-device-mapping.snapshot-id': (i) => i.snapshotId,
    'block-device-mapping.volume-size': (i) => String(i.rootGiB),
    'block-device-mapping.volume-type': () => 'gp3',
    'block-device-mapping.delete-on-termination': () => 'true',
    'block-device-mapping.encrypted': () => 'false',
  },
  tags: () => ({}),
};

export function describeImages({ state, params }: Ec2Call): XmlFields {
  const ids = texts(params, 'ImageId');
  const bad = ids.find((id) => !isId('ami', id));
  if (bad !== undefined) throw malformed('image', bad);
  const missing = ids.filter((id) => !state.images.some((i) => i.id === id));
  if (missing.length > 0) throw notFound('image', missing);
  const owners = texts(params, 'Owner');
  const owned = owners.length === 0 || owners.some((o) => o === 'amazon' || o === OWNER);
  const chosen = ids.length > 0 ? state.images.filter((i) => ids.includes(i.id)) : state.images;
  const fitting = applyFilters(owned ? chosen : [], params, FILTERS);
  const { items, nextToken } = page(fitting, params, (i) => i.id, { min: 1, max: 1000 });
  return { imagesSet: set(items.map(render)), nextToken };
}

function render(i: Image): XmlFields {
  const ebs = { snapshotId: i.snapshotId, volumeSize: i.rootGiB, deleteOnTermination: true, volumeType: 'gp3', encrypted: false };
  return {
    imageId: i.id,
    imageLocation: `amazon/${i.name}`,
    imageState: 'available',
    imageOwnerId: OWNER,
    imageOwnerAlias: 'amazon',
    isPublic: true,
    architecture: i.arch,
    imageType: 'machine',
    name: i.name,
    description: DESCRIPTION,
    rootDeviceType: 'ebs',
    rootDeviceName: i.rootDevice,
    blockDeviceMapping: set([{ deviceName: i.rootDevice, ebs }]),
    virtualizationType: 'hvm',
    hypervisor: 'xen',
    enaSupport: true,
    imdsSupport: 'v2.0',
    creationDate: CREATED,
    platformDetails: 'Linux/UNIX',
    usageOperation: 'RunInstances',
  };
}
