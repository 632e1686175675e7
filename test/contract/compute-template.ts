import {
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
} from '@aws-sdk/client-ec2';
import type { Filter, Instance, NetworkInterface, Volume } from '@aws-sdk/client-ec2';
import { TAGS, userData } from '../../lib/contract';
import type { ComputeFixture, ComputeTests } from './compute-suite';

/** What a VM gets from the launch template, and what a launch makes beside it. */
export const testTemplate: ComputeTests = ({ test }, fixture) => {
  test('a VM has the security group of the template', async () => {
    const { scaffold } = fixture();
    expect((await launched(fixture())).SecurityGroups).toMatchObject([{ GroupId: scaffold.securityGroupId }]);
  });

  test('a VM has the metadata options of the template', async () => {
    const { MetadataOptions } = await launched(fixture());
    expect(MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpPutResponseHopLimit: 1, HttpEndpoint: 'enabled' });
  });

  test('a VM says which template it is from', async () => {
    const { scaffold, launch } = fixture();
    expect((await launch()).tags).toMatchObject({
      'aws:ec2launchtemplate:id': scaffold.launchTemplateId,
      'aws:ec2launchtemplate:version': scaffold.launchTemplateVersion,
    });
  });

  test('a VM has the instance profile of the template', async () => {
    const shown = await launched(fixture());
    expect(shown.IamInstanceProfile?.Arn).toMatch(/^arn:aws:iam::\d{12}:instance-profile\//);
  });

  test('a VM has our user data', async () => {
    const { bucket, region, roleId } = fixture().scaffold;
    const text = await attribute(fixture(), 'userData');
    expect(Buffer.from(text, 'base64').toString()).toBe(userData({ bucket, region, roleId }));
  });

  test('a VM that powers itself off is terminated', async () => {
    expect(await attribute(fixture(), 'instanceInitiatedShutdownBehavior')).toBe('terminate');
  });

  test('a VM has one disk of the size asked for, tagged, that goes with it', async () => {
    const shown = await launched(fixture(), 40);
    expect(shown.BlockDeviceMappings).toMatchObject([{ DeviceName: shown.RootDeviceName, Ebs: { DeleteOnTermination: true } }]);
    expect(await volumes(fixture(), ofJob(fixture()))).toMatchObject([{ Size: 40, VolumeType: 'gp3' }]);
  });

  test('a VM has one network interface that goes with it', async () => {
    const { NetworkInterfaces } = await launched(fixture());
    expect(NetworkInterfaces).toMatchObject([{ Attachment: { DeviceIndex: 0, DeleteOnTermination: true } }]);
  });

  test('the network interface of a VM is tagged', async () => {
    const { NetworkInterfaces } = await launched(fixture());
    const NetworkInterfaceId = NetworkInterfaces![0]!.NetworkInterfaceId!;
    expect(await interfaces(fixture(), ofJob(fixture()))).toMatchObject([{ NetworkInterfaceId }]);
  });

  test('a VM that is gone leaves no disk', async () => {
    const { BlockDeviceMappings, InstanceId } = await launched(fixture());
    const disk = [{ Name: 'volume-id', Values: [BlockDeviceMappings![0]!.Ebs!.VolumeId!] }];
    expect(await volumes(fixture(), disk)).toHaveLength(1);
    await end(fixture(), InstanceId!);
    expect(await volumes(fixture(), disk)).toEqual([]);
  });

  test('a VM that is gone leaves no network interface', async () => {
    const { NetworkInterfaces, InstanceId } = await launched(fixture());
    const card = [{ Name: 'network-interface-id', Values: [NetworkInterfaces![0]!.NetworkInterfaceId!] }];
    expect(await interfaces(fixture(), card)).toHaveLength(1);
    await end(fixture(), InstanceId!);
    expect(await interfaces(fixture(), card)).toEqual([]);
  });
};

async function launched({ aws, launch, job }: ComputeFixture, diskGiB = 30): Promise<Instance> {
  const { id } = await launch({ spec: { job, hardware: { arch: 'x86_64', diskGiB, region: aws.region, spotPolicy: 'on-demand' } } });
  const { Reservations } = await (await aws.ec2()).send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations![0]!.Instances![0]!;
}

async function end({ compute, whenGone }: ComputeFixture, id: string): Promise<void> {
  await compute.terminate([id]);
  await whenGone([id]);
}

async function attribute(fixture: ComputeFixture, Attribute: 'userData' | 'instanceInitiatedShutdownBehavior'): Promise<string> {
  const { id: InstanceId } = await fixture.launch();
  const found = await (await fixture.aws.ec2()).send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute }));
  return (Attribute === 'userData' ? found.UserData : found.InstanceInitiatedShutdownBehavior)?.Value ?? '';
}

/** Disks and interfaces are found by the tag of the job, as the reaper finds what was left behind. */
const ofJob = ({ job }: ComputeFixture): Filter[] => [{ Name: `tag:${TAGS.job}`, Values: [job] }];

async function volumes({ aws }: ComputeFixture, Filters: Filter[]): Promise<Volume[] | undefined> {
  return (await (await aws.ec2()).send(new DescribeVolumesCommand({ Filters }))).Volumes;
}

async function interfaces({ aws }: ComputeFixture, Filters: Filter[]): Promise<NetworkInterface[] | undefined> {
  return (await (await aws.ec2()).send(new DescribeNetworkInterfacesCommand({ Filters }))).NetworkInterfaces;
}
