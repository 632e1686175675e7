import { randomBytes } from 'node:crypto';
import { invalidParameter, malformed, missingParameter, notFound, unsupported } from './errors';
import { isId, randomId, spotRequestId } from './ids';
import type { Image } from './images';
import { INSTANCE_TYPES } from './instance-types';
import type { InstanceType } from './instance-types';
import { candidates, placeLaunch } from './placement';
import type { Counts } from './placement';
import type { DeviceSpec, LaunchSpec } from './launch-spec';
import { macAddress, privateIp } from './network';
import type { InstanceRecord, VolumeRecord } from './records';
import type { Ec2State } from './state';

/** Counts and identity of one call of RunInstances. */
export interface LaunchCall extends Counts {
  readonly launch: InstanceRecord['launch'];
}

/**
 * The instances that a merged launch specification asks for: checked, placed, not yet anywhere.
 * @throws MissingParameter, InvalidParameterValue, Invalid….NotFound, and what {@link placeLaunch} throws
 */
export function planLaunch(state: Ec2State, spec: LaunchSpec, call: LaunchCall): InstanceRecord[] {
  const { image, type, groupIds } = checkLaunch(state, spec);
  const { subnet, count } = placeLaunch(state, spec, type, call);
  const reservation = randomId('r');
  const launchedAt = state.now();
  return Array.from({ length: count }, (_, index) => {
    const id = randomId('i');
    return {
      v: 1,
      id,
      reservation,
      index,
      state: 'pending',
      transition: '',
      launchedAt,
      imageId: image.id,
      type: type.name,
      arch: type.arch,
      zone: subnet.zone,
      subnetId: subnet.id,
      groupIds,
      ...(spec.keyName === undefined ? {} : { keyName: spec.keyName }),
      ...(spec.profile === undefined ? {} : { profile: spec.profile }),
      userData: spec.userData ?? '',
      // A one-time request has nothing to start a stopped VM with.
      onShutdown: spec.spot ? 'terminate' : (spec.onShutdown ?? 'stop'),
      metadata: {
        tokens: spec.tokens ?? 'required',
        ...(spec.httpEndpoint === undefined ? {} : { endpoint: spec.httpEndpoint }),
        tags: spec.instanceTags ?? 'disabled',
        hopLimit: spec.hopLimit ?? 2,
      },
      ...(spec.credits === undefined ? {} : { credits: spec.credits }),
      tags: spec.tags['instance'] ?? {},
      volumes: volumesOf(image, spec),
      interface: {
        id: randomId('eni'),
        attachmentId: randomId('eni-attach'),
        mac: macAddress(id),
        privateIp: privateIp(subnet, id),
        tags: spec.tags['network-interface'] ?? {},
      },
      launch: { ...call.launch, count },
      ...(spec.spot === undefined
        ? {}
        : { spot: { ...spec.spot, requestId: spotRequestId(), tags: spec.tags['spot-instances-request'] ?? {} } }),
      dead: false,
      imds: { secret: randomBytes(32).toString('base64'), port: 0 },
    };
  });
}

/**
 * What can be told of a launch without placing it: all that a dry run looks at.
 * @throws MissingParameter, InvalidParameterValue, Invalid….NotFound
 */
export function checkLaunch(state: Ec2State, spec: LaunchSpec): { image: Image; type: InstanceType; groupIds: string[] } {
  const image = findImage(state, spec.imageId);
  const type = findType(spec.type ?? 'm1.small');
  if (type.arch !== image.arch) throw architectureMismatch(type, image);
  candidates(state, spec);
  volumesOf(image, spec);
  return { image, type, groupIds: groupsOf(state, spec) };
}

function findImage({ images }: Ec2State, id: string | undefined): Image {
  if (id === undefined) throw missingParameter('ImageId');
  const image = images.find((i) => i.id === id);
  if (!image) throw isId('ami', id) ? notFound('image', [id]) : malformed('image', id);
  return image;
}

function findType(name: string): InstanceType {
  const type = INSTANCE_TYPES.get(name);
  if (!type) throw invalidParameter(`Invalid value '${name}' for InstanceType.`);
  return type;
}

function architectureMismatch(type: InstanceType, image: Image): Error {
  return invalidParameter(
    `The architecture '${type.arch}' of the specified instance type does not match the architecture '${image.arch}' of the specified AMI. ` +
      'Specify an instance type and an AMI that have matching architectures, and try again. ' +
      "You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.",
  );
}

function groupsOf({ groups, network }: Ec2State, spec: LaunchSpec): string[] {
  const missing = spec.groupIds.filter((id) => !groups.get(id));
  if (missing.length > 0) throw notFound('group', missing);
  const named = spec.groupNames.map((name) => {
    const group = groups.all().find((g) => g.name === name);
    if (!group) throw notFound('group', [name]);
    return group.id;
  });
  const ids = [...spec.groupIds, ...named];
  return ids.length > 0 ? ids : [network.defaultGroupId];
}

function volumesOf(image: Image, spec: LaunchSpec): VolumeRecord[] {
  const root: DeviceSpec = { device: image.rootDevice, sizeGiB: image.rootGiB, deleteOnTermination: true };
  const asked = new Map(spec.devices.map((d) => [d.device, d]));
  const devices = [{ ...root, ...asked.get(image.rootDevice) }, ...spec.devices.filter((d) => d.device !== image.rootDevice)];
  return devices.map((d) => {
    if (d.sizeGiB === undefined) throw unsupported(`the block device ${d.device} without a size`);
    if (d.device === image.rootDevice && d.sizeGiB < image.rootGiB) {
      throw invalidParameter(
        `Volume of size ${d.sizeGiB}GB is smaller than snapshot '${image.snapshotId}', expect size >= ${image.rootGiB}GB`,
      );
    }
    const type = d.type ?? 'gp3';
    return {
      id: randomId('vol'),
      device: d.device,
      sizeGiB: d.sizeGiB,
      type,
      // The baseline of gp3. Source: EBS user guide, "General Purpose SSD volumes".
      ...(type === 'gp3' ? { iops: d.iops ?? 3000, throughput: d.throughput ?? 125 } : d.iops === undefined ? {} : { iops: d.iops }),
      encrypted: d.encrypted ?? false,
      deleteOnTermination: d.deleteOnTermination ?? d.device === image.rootDevice,
      tags: spec.tags['volume'] ?? {},
    };
  });
}
