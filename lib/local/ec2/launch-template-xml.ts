import type { XmlFields } from '../xml';
import type { DeviceSpec, LaunchSpec } from './launch-spec';
import { set, tagSet } from './render';

/** What a template holds, as DescribeLaunchTemplateVersions shows it. */
export function renderTemplateData(spec: LaunchSpec): XmlFields {
  return {
    imageId: spec.imageId,
    instanceType: spec.type,
    keyName: spec.keyName,
    userData: spec.userData,
    placement: spec.zone === undefined ? undefined : { availabilityZone: spec.zone },
    iamInstanceProfile: spec.profile === undefined ? undefined : { name: spec.profile },
    instanceInitiatedShutdownBehavior: spec.onShutdown,
    instanceMarketOptions: spec.spot && { marketType: 'spot', spotOptions: { maxPrice: spec.spot.maxPrice, spotInstanceType: 'one-time' } },
    creditSpecification: spec.credits === undefined ? undefined : { cpuCredits: spec.credits },
    securityGroupIdSet: set(spec.groupIds),
    securityGroupSet: set(spec.groupNames),
    metadataOptions: {
      httpTokens: spec.tokens,
      httpEndpoint: spec.httpEndpoint,
      httpPutResponseHopLimit: spec.hopLimit,
      instanceMetadataTags: spec.instanceTags,
    },
    blockDeviceMappingSet: set(spec.devices.map(renderDevice)),
    tagSpecificationSet: set(Object.entries(spec.tags).map(([resourceType, tags]) => ({ resourceType, tagSet: tagSet(tags) }))),
  };
}

function renderDevice(d: DeviceSpec): XmlFields {
  const { sizeGiB, type, iops, throughput, encrypted, deleteOnTermination } = d;
  return { deviceName: d.device, ebs: { volumeSize: sizeGiB, volumeType: type, iops, throughput, encrypted, deleteOnTermination } };
}
