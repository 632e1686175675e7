import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
} from '@aws-sdk/client-ec2';
import type { Instance } from '@aws-sdk/client-ec2';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { IMAGES, launch } from './launching';

async function found({ ec2 }: TestCloud, Name: string, ...Values: string[]): Promise<string[]> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters: [{ Name, Values }] }));
  return Reservations.flatMap((r) => r.Instances ?? []).map((i) => i.InstanceId!);
}

/** An instance that is different in all that can be, and one that is not. */
async function twoInstances(test: TestCloud): Promise<Instance> {
  const tags = [{ Key: 'who', Value: 'me*' }];
  const id = await launch(test, {
    ImageId: IMAGES.arm64,
    InstanceType: 'c7g.xlarge',
    ClientToken: 'token',
    KeyName: 'key',
    Placement: { AvailabilityZone: 'us-east-1c' },
    IamInstanceProfile: { Name: 'profile' },
    SecurityGroupIds: [test.cloud.scaffold.securityGroupId],
    InstanceMarketOptions: { MarketType: 'spot' },
    MetadataOptions: { HttpTokens: 'optional', HttpPutResponseHopLimit: 7, InstanceMetadataTags: 'enabled' },
    BlockDeviceMappings: [{ DeviceName: '/dev/sdx', Ebs: { VolumeSize: 3, DeleteOnTermination: false } }],
    TagSpecifications: [{ ResourceType: 'instance', Tags: tags }],
  });
  await launch(test, { Placement: { AvailabilityZone: 'us-east-1a' } });
  const { Reservations } = await test.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations![0]!.Instances![0]!;
}

/** Filters that only the first instance fits, and with what. */
const TELLING: readonly [name: string, value: (i: Instance) => string | undefined][] = [
  ['architecture', () => 'arm64'],
  ['availability-zone', () => 'us-east-1c'],
  ['availability-zone-id', () => 'use1-az3'],
  ['block-device-mapping.delete-on-termination', () => 'false'],
  ['block-device-mapping.device-name', () => '/dev/sdx'],
  ['block-device-mapping.volume-id', (i) => i.BlockDeviceMappings?.[1]?.Ebs?.VolumeId],
  ['client-token', () => 'token'],
  ['iam-instance-profile.arn', () => 'arn:aws:iam::123456789012:instance-profile/profile'],
  ['iam-instance-profile.name', () => 'pro?ile'],
  ['image-id', (i) => i.ImageId],
  ['instance-id', (i) => i.InstanceId],
  ['instance-lifecycle', () => 'spot'],
  ['instance-type', () => 'c7g.*'],
  ['instance.group-id', (i) => i.SecurityGroups?.[0]?.GroupId],
  ['instance.group-name', () => 'rawcloud-local'],
  ['key-name', () => 'key'],
  ['metadata-options.http-tokens', () => 'optional'],
  ['metadata-options.http-put-response-hop-limit', () => '7'],
  ['metadata-options.instance-metadata-tags', () => 'enabled'],
  ['network-interface.network-interface-id', (i) => i.NetworkInterfaces?.[0]?.NetworkInterfaceId],
  ['network-interface.addresses.private-ip-address', (i) => i.PrivateIpAddress],
  ['network-interface.attachment.attachment-id', (i) => i.NetworkInterfaces?.[0]?.Attachment?.AttachmentId],
  ['network-interface.group-id', (i) => i.SecurityGroups?.[0]?.GroupId],
  ['network-interface.mac-address', (i) => i.NetworkInterfaces?.[0]?.MacAddress],
  ['network-interface.subnet-id', (i) => i.SubnetId],
  ['private-dns-name', (i) => i.PrivateDnsName],
  ['private-ip-address', (i) => i.PrivateIpAddress],
  ['spot-instance-request-id', (i) => i.SpotInstanceRequestId],
  ['subnet-id', (i) => i.SubnetId],
  ['tag:who', () => 'me\\*'],
  ['tag-key', () => 'w?o'],
  ['tag-value', () => 'me*'],
];

/** Filters that both fit. */
const SHARED: readonly [name: string, value: string][] = [
  ['block-device-mapping.status', 'attached'],
  ['hypervisor', 'xen'],
  ['instance-state-code', '16'],
  ['instance-state-name', 'runn*'],
  ['launch-index', '0'],
  ['launch-time', '20??-*'],
  ['network-interface.owner-id', '123456789012'],
  ['network-interface.status', 'in-use'],
  ['owner-id', '123456789012'],
  ['platform-details', 'Linux/UNIX'],
  ['root-device-name', '/dev/xvda'],
  ['root-device-type', 'ebs'],
  ['tenancy', 'default'],
  ['virtualization-type', 'hvm'],
  ['vpc-id', 'vpc-*'],
];

/** Filters for what no local instance has. */
const NOBODY = ['ip-address', 'dns-name', 'network-interface.association.public-ip', 'platform', 'product-code', 'state-reason-code'];

test('each filter finds what it says, and only that', async () => {
  await withLocalCloud({}, async (test) => {
    const instance = await twoInstances(test);
    const all = test.cloud.ec2.instances().map((i) => i.id);
    for (const id of all) await test.cloud.ec2.whenState(id, 'running');
    for (const [name, value] of TELLING)
      expect([name, await found(test, name, 'nothing', value(instance)!)]).toEqual([name, [instance.InstanceId]]);
    for (const [name, value] of SHARED) expect([name, await found(test, name, value)]).toEqual([name, all]);
    for (const name of NOBODY) expect([name, await found(test, name, '*')]).toEqual([name, []]);
    expect(await found(test, 'tag:who', 'me?')).toEqual([instance.InstanceId]);
    expect(await found(test, 'tag:who', 'me\\?')).toEqual([]);
    expect(await found(test, 'reservation-id', (await reservation(test, instance.InstanceId!))!)).toEqual([instance.InstanceId]);
  });
});

async function reservation({ ec2 }: TestCloud, id: string): Promise<string | undefined> {
  return (await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).Reservations![0]!.ReservationId;
}

test('volumes, interfaces, images and types have filters of their own', async () => {
  await withLocalCloud({}, async (test) => {
    const { ec2 } = test;
    const instance = await twoInstances(test);
    const volumes = await ec2.send(
      new DescribeVolumesCommand({
        Filters: [
          { Name: 'attachment.device', Values: ['/dev/sdx'] },
          { Name: 'size', Values: ['3'] },
        ],
      }),
    );
    expect(volumes.Volumes).toMatchObject([{ Attachments: [{ InstanceId: instance.InstanceId }] }]);
    const nics = await ec2.send(
      new DescribeNetworkInterfacesCommand({ Filters: [{ Name: 'private-ip-address', Values: [instance.PrivateIpAddress!] }] }),
    );
    expect(nics.NetworkInterfaces).toMatchObject([{ Attachment: { InstanceId: instance.InstanceId } }]);
    const named = {
      Filters: [
        { Name: 'architecture', Values: ['arm64'] },
        { Name: 'name', Values: ['rawcloud-*'] },
      ],
    };
    expect((await ec2.send(new DescribeImagesCommand({ ...named, Owners: ['amazon'] }))).Images).toMatchObject([{ ImageId: IMAGES.arm64 }]);
    expect((await ec2.send(new DescribeImagesCommand({ ...named, Owners: ['self'] }))).Images).toEqual([]);
    const types = await ec2.send(
      new DescribeInstanceTypesCommand({
        Filters: [
          { Name: 'vcpu-info.default-vcpus', Values: ['2'] },
          { Name: 'memory-info.size-in-mib', Values: ['16384'] },
          { Name: 'processor-info.supported-architecture', Values: ['arm64'] },
          { Name: 'supported-usage-class', Values: ['spot'] },
        ],
      }),
    );
    expect(types.InstanceTypes!.map((t) => t.InstanceType)).toEqual(['r6g.large', 'r7g.large', 'r8g.large']);
  });
});

test('fails for a filter with more values than EC2 takes', async () => {
  await withLocalCloud({}, async (test) => {
    const ids = Array.from({ length: 201 }, (_, i) => `i-${i}`);
    await expect(found(test, 'instance-id', ...ids)).rejects.toMatchObject({ name: 'FilterLimitExceeded' });
  });
});
