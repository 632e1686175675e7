import type { XmlFields } from '../xml';
import { privateDnsName } from './network';
import { PROFILE_ID } from '../imds/metadata';
import type { GroupRecord, InstanceRecord, InstanceState } from './records';
import { set, tagSet, timestamp } from './render';
import type { Ec2State } from './state';

/** Source: EC2 API reference, InstanceState. */
const STATE_CODES: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

export function renderState(state: InstanceState): XmlFields {
  return { code: STATE_CODES[state], name: state };
}

export function stateCode(state: InstanceState): string {
  return String(STATE_CODES[state]);
}

/** Token as the call gave it; calls without one show none. */
export function clientToken({ launch }: InstanceRecord): string {
  return launch.token.startsWith('none ') ? '' : launch.token;
}

/** Instances of one launch. */
export function renderReservation(state: Ec2State, instances: readonly InstanceRecord[]): XmlFields {
  return {
    reservationId: instances[0]?.reservation,
    ownerId: state.account,
    groupSet: '',
    instancesSet: set(instances.map((i) => renderInstance(state, i))),
  };
}

export function renderGroups({ groups }: Ec2State, ids: readonly string[]): XmlFields['groupSet'] {
  const known = ids.map((id) => groups.get(id)).filter((g): g is GroupRecord => g !== undefined);
  return set(known.map(({ id, name }) => ({ groupId: id, groupName: name })));
}

function renderInstance(state: Ec2State, i: InstanceRecord): XmlFields {
  const { network, account } = state;
  const gone = i.state === 'terminated';
  return {
    instanceId: i.id,
    imageId: i.imageId,
    instanceState: renderState(i.state),
    privateDnsName: gone ? '' : privateDnsName(i.interface.privateIp, network.region),
    dnsName: '',
    reason: i.transition,
    keyName: i.keyName,
    amiLaunchIndex: i.index,
    productCodes: '',
    instanceType: i.type,
    launchTime: timestamp(i.launchedAt),
    placement: { availabilityZone: i.zone, groupName: '', tenancy: 'default' },
    monitoring: { state: 'disabled' },
    ...(gone ? {} : { subnetId: i.subnetId, vpcId: network.vpcId, privateIpAddress: i.interface.privateIp, sourceDestCheck: true }),
    groupSet: gone ? '' : renderGroups(state, i.groupIds),
    stateReason: i.stateReason && { code: i.stateReason.code, message: i.stateReason.message },
    ...(i.spot ? { instanceLifecycle: 'spot', spotInstanceRequestId: i.spot.requestId } : {}),
    architecture: i.arch,
    rootDeviceType: 'ebs',
    rootDeviceName: i.volumes[0]?.device,
    blockDeviceMapping: gone ? '' : set(i.volumes.map((v) => renderAttached(v, i))),
    virtualizationType: 'hvm',
    clientToken: clientToken(i),
    tagSet: tagSet(i.tags),
    hypervisor: 'xen',
    networkInterfaceSet: gone ? '' : set([renderInterface(state, i)]),
    iamInstanceProfile:
      i.profile === undefined || gone ? undefined : { arn: `arn:aws:iam::${account}:instance-profile/${i.profile}`, id: PROFILE_ID },
    ebsOptimized: false,
    enaSupport: true,
    metadataOptions: {
      state: 'applied',
      httpTokens: i.metadata.tokens,
      httpPutResponseHopLimit: i.metadata.hopLimit,
      httpEndpoint: i.metadata.endpoint ?? 'enabled',
      httpProtocolIpv6: 'disabled',
      instanceMetadataTags: i.metadata.tags,
    },
  };
}

function renderAttached({ device, id, deleteOnTermination }: InstanceRecord['volumes'][number], { launchedAt }: InstanceRecord): XmlFields {
  return { deviceName: device, ebs: { volumeId: id, status: 'attached', attachTime: timestamp(launchedAt), deleteOnTermination } };
}

/** An interface, as DescribeInstances and DescribeNetworkInterfaces both show it. */
export function renderInterface(state: Ec2State, i: InstanceRecord): XmlFields {
  const { id, mac, privateIp, attachmentId } = i.interface;
  const privateDns = privateDnsName(privateIp, state.network.region);
  return {
    networkInterfaceId: id,
    subnetId: i.subnetId,
    vpcId: state.network.vpcId,
    description: '',
    ownerId: state.account,
    status: 'in-use',
    macAddress: mac,
    privateIpAddress: privateIp,
    privateDnsName: privateDns,
    sourceDestCheck: true,
    groupSet: renderGroups(state, i.groupIds),
    attachment: {
      attachmentId,
      deviceIndex: 0,
      networkCardIndex: 0,
      status: 'attached',
      attachTime: timestamp(i.launchedAt),
      deleteOnTermination: true,
    },
    privateIpAddressesSet: set([{ privateIpAddress: privateIp, privateDnsName: privateDns, primary: true }]),
    interfaceType: 'interface',
  };
}
