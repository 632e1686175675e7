import { CreateLaunchTemplateCommand, CreateLaunchTemplateVersionCommand, DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import type { Instance, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { IMAGES, launch, run, script } from './launching';

async function instancesOf({ ec2 }: TestCloud, more: Partial<RunInstancesCommandInput>): Promise<Instance[]> {
  return (await ec2.send(run(more))).Instances ?? [];
}

const idsOf = (instances: readonly Instance[]): (string | undefined)[] => instances.map((i) => i.InstanceId);

test('a launch template gives what the call leaves out, by id or name, in its default, latest or a numbered version', async () => {
  await withLocalCloud({}, async (test) => {
    const { ec2 } = test;
    const SecurityGroupIds = [test.cloud.scaffold.securityGroupId];
    const data = { InstanceType: 'c7i.large' as const, SecurityGroupIds, MetadataOptions: { HttpPutResponseHopLimit: 1 } };
    const { LaunchTemplate } = await ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: 'mine', LaunchTemplateData: data }));
    const LaunchTemplateId = LaunchTemplate!.LaunchTemplateId!;
    const next = { LaunchTemplateId, SourceVersion: '1', LaunchTemplateData: { InstanceType: 'c7i.xlarge' as const } };
    await ec2.send(new CreateLaunchTemplateVersionCommand(next));
    const typeBy = async (LaunchTemplate: RunInstancesCommandInput['LaunchTemplate'], InstanceType?: 'm7i.large'): Promise<Instance> =>
      (await instancesOf(test, { InstanceType, LaunchTemplate }))[0]!;

    expect(await typeBy({ LaunchTemplateId })).toMatchObject({
      InstanceType: 'c7i.large',
      MetadataOptions: { HttpPutResponseHopLimit: 1 },
    });
    expect(await typeBy({ LaunchTemplateName: 'mine', Version: '$Latest' })).toMatchObject({
      InstanceType: 'c7i.xlarge',
      SecurityGroups: [{ GroupId: test.cloud.scaffold.securityGroupId }],
    });
    expect(await typeBy({ LaunchTemplateId, Version: '1' })).toMatchObject({ InstanceType: 'c7i.large' });
    expect(await typeBy({ LaunchTemplateId, Version: '2' }, 'm7i.large')).toMatchObject({ InstanceType: 'm7i.large' });
    await expect(typeBy({ LaunchTemplateId, Version: '3' })).rejects.toMatchObject({ name: 'InvalidLaunchTemplateId.VersionNotFound' });
    await expect(typeBy({ LaunchTemplateName: 'yours' })).rejects.toMatchObject({ name: 'InvalidLaunchTemplateName.NotFoundException' });
  });
});

test('zone, devices, tags and credits are as the call says', async () => {
  await withLocalCloud({}, async (test) => {
    const tags = (Value: string) => [{ Key: 'rawcloud:job', Value }];
    const [instance] = await instancesOf(test, {
      InstanceType: 't3.small',
      Placement: { AvailabilityZone: 'us-east-1c' },
      CreditSpecification: { CpuCredits: 'standard' },
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 30, VolumeType: 'gp3', DeleteOnTermination: true } }],
      TagSpecifications: [
        { ResourceType: 'instance', Tags: tags('i') },
        { ResourceType: 'volume', Tags: tags('v') },
        { ResourceType: 'network-interface', Tags: tags('n') },
      ],
    });
    expect(instance).toMatchObject({
      Placement: { AvailabilityZone: 'us-east-1c' },
      State: { Code: 0, Name: 'pending' },
      Tags: tags('i'),
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: true } }],
      PrivateIpAddress: expect.stringMatching(/^172\.31\.(3[2-9]|4[0-7])\.\d+$/) as string,
    });
  });
});

test('the same token gives the same instances: at once, twice at once, after the end and after a restart', async () => {
  await withLocalCloud({}, async (test) => {
    const call = { ClientToken: 'token', MinCount: 2, MaxCount: 2 };
    const [a, b] = await Promise.all([instancesOf(test, call), instancesOf(test, call)]);
    expect(idsOf(a)).toEqual(idsOf(b));
    for (const id of idsOf(a)) await test.cloud.ec2.kill(id!);
    expect(await instancesOf(test, call)).toMatchObject([{ State: { Name: 'terminated' } }, { State: { Name: 'terminated' } }]);
    const next = await test.restart();
    expect(idsOf(await instancesOf(next, call))).toEqual(idsOf(a));
    expect(next.cloud.ec2.instances()).toHaveLength(2);
  });
});

test('a token counts within its zone', async () => {
  await withLocalCloud({}, async (test) => {
    const at = (AvailabilityZone: string) => launch(test, { ClientToken: 'token', Placement: { AvailabilityZone } });
    const inA = await at('us-east-1a');
    expect(await at('us-east-1b')).not.toBe(inA);
    expect(await at('us-east-1a')).toBe(inA);
  });
});

test('fails when a token comes again with other parameters', async () => {
  await withLocalCloud({}, async (test) => {
    await launch(test, { ClientToken: 'token' });
    await expect(launch(test, { ClientToken: 'token', InstanceType: 'm7i.xlarge' })).rejects.toMatchObject({
      name: 'IdempotentParameterMismatch',
    });
    expect(test.cloud.ec2.instances()).toHaveLength(1);
  });
});

test('after a lost reply the same token finds what was launched', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.faults.arm({ operation: 'RunInstances', effect: { kind: 'lost-reply' } });
    await expect(launch(test, { ClientToken: 'token' })).rejects.toThrow();
    const [before] = test.cloud.ec2.instances();
    expect(await launch(test, { ClientToken: 'token' })).toBe(before!.id);
  });
});

test.each<[string, Partial<RunInstancesCommandInput>, string, RegExp]>([
  [
    'an image that is not there',
    { ImageId: 'ami-0123456789abcdef0' },
    'InvalidAMIID.NotFound',
    /'\[ami-0123456789abcdef0\]' does not exist/,
  ],
  ['an image that is no id', { ImageId: 'ami-1' }, 'InvalidAMIID.Malformed', /expecting "ami-..."/],
  ['no image', { ImageId: undefined }, 'MissingParameter', /ImageId/],
  [
    'a type that is not there',
    { InstanceType: 'm7i.gigantic' as 'm7i.large' },
    'InvalidParameterValue',
    /Invalid value 'm7i.gigantic' for InstanceType/,
  ],
  ['a type of another architecture', { ImageId: IMAGES.arm64 }, 'InvalidParameterValue', /architecture 'x86_64'.*'arm64'/],
  ['a zone that is not there', { Placement: { AvailabilityZone: 'us-east-1x' } }, 'InvalidParameterValue', /us-east-1x/],
  ['a group that is not there', { SecurityGroupIds: ['sg-0123456789abcdef0'] }, 'InvalidGroup.NotFound', /sg-0123456789abcdef0/],
  ['a subnet that is not there', { SubnetId: 'subnet-0123456789abcdef0' }, 'InvalidSubnetID.NotFound', /subnet-0/],
  ['user data over 16 KiB', { UserData: script('x'.repeat(16_384)) }, 'InvalidParameterValue', /16384/],
  ['user data that is not base64', { UserData: '#!/bin/bash' }, 'InvalidParameterValue', /BASE64/],
  [
    'a disk smaller than the image',
    { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 1 } }] },
    'InvalidParameterValue',
    /expect size >= 8GB/,
  ],
  ['counts the wrong way round', { MinCount: 3, MaxCount: 2 }, 'InvalidParameterValue', /MinCount/],
  ['a token over 64 characters', { ClientToken: 'x'.repeat(65) }, 'InvalidParameterValue', /64/],
  ['a parameter that the local cloud cannot honour', { CpuOptions: { CoreCount: 1 } }, 'UnsupportedOperation', /CpuOptions/],
  ['a dry run', { DryRun: true }, 'DryRunOperation', /would have succeeded/],
])('fails for %s', async (_, more, name, message) => {
  await withLocalCloud({}, async (test) => {
    await expect(launch(test, more)).rejects.toMatchObject({ name, message: expect.stringMatching(message) as string });
    expect(test.cloud.ec2.instances()).toEqual([]);
  });
});

test('without capacity in a zone the call is refused with the zones that have some; without a zone another is taken', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.ec2.noCapacity([{ vmType: 'm7i.large', zone: 'us-east-1a' }]);
    const inA = { Placement: { AvailabilityZone: 'us-east-1a' } };
    await expect(launch(test, inA)).rejects.toMatchObject({
      name: 'InsufficientInstanceCapacity',
      $metadata: { httpStatusCode: 500 },
      message: expect.stringMatching(
        /sufficient m7i.large capacity in the Availability Zone you requested \(us-east-1a\).*choosing us-east-1b, us-east-1c\./,
      ) as string,
    });
    expect((await instancesOf(test, {}))[0]!.Placement!.AvailabilityZone).not.toBe('us-east-1a');
    await launch(test, { ...inA, InstanceType: 'm7i.xlarge' });
    test.cloud.ec2.clearCapacity();
    await launch(test, inA);
  });
});

test('capacity comes back after the armed number of refusals', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.ec2.noCapacity([{ count: 2 }]);
    await expect(launch(test)).rejects.toMatchObject({ name: 'InsufficientInstanceCapacity' });
    await expect(launch(test)).rejects.toMatchObject({ name: 'InsufficientInstanceCapacity' });
    await launch(test);
  });
});

test('as many instances as there is room for are launched between the two counts', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.ec2.noCapacity([{ left: 3 }]);
    expect(await instancesOf(test, { MinCount: 1, MaxCount: 5 })).toHaveLength(3);
    await expect(launch(test)).rejects.toMatchObject({ name: 'InsufficientInstanceCapacity' });
    const { Reservations } = await test.ec2.send(new DescribeInstancesCommand({}));
    expect(Reservations).toHaveLength(1);
  });
});
