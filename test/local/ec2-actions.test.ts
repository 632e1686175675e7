import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  CreateSecurityGroupCommand,
  CreateTagsCommand,
  DeleteLaunchTemplateCommand,
  DeleteSecurityGroupCommand,
  DeleteTagsCommand,
  DescribeAccountAttributesCommand,
  DescribeAvailabilityZonesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeRegionsCommand,
  DescribeSecurityGroupsCommand,
  DescribeVolumesCommand,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { EC2Client, InstanceAttributeName } from '@aws-sdk/client-ec2';
import { withLocalCloud } from '../fakes/local-cloud';
import { IMAGES, launch, run, script } from './launching';

test('the status of instances that run is told, of others only when asked', async () => {
  await withLocalCloud({}, async (test) => {
    const { ec2, cloud } = test;
    const [up, down] = [await launch(test, { UserData: script('sleep 1000') }), await launch(test)];
    await cloud.ec2.whenState(up, 'running');
    await cloud.ec2.whenState(down, 'running');
    await cloud.ec2.kill(down);
    const { InstanceStatuses } = await ec2.send(new DescribeInstanceStatusCommand({}));
    expect(InstanceStatuses).toMatchObject([{ InstanceId: up, InstanceStatus: { Status: 'ok' }, SystemStatus: { Status: 'ok' } }]);
    const all = await ec2.send(new DescribeInstanceStatusCommand({ InstanceIds: [down, up], IncludeAllInstances: true }));
    expect(all.InstanceStatuses!.map((s) => s.InstanceState!.Name).sort()).toEqual(['running', 'terminated']);
  });
});

test('attributes of an instance are told one by one', async () => {
  await withLocalCloud({}, async (test) => {
    const InstanceId = await launch(test, { UserData: script('true'), InstanceInitiatedShutdownBehavior: 'terminate' });
    const attribute = (Attribute: InstanceAttributeName) => test.ec2.send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute }));
    expect((await attribute('userData')).UserData).toEqual({ Value: script('true') });
    expect((await attribute('instanceInitiatedShutdownBehavior')).InstanceInitiatedShutdownBehavior).toEqual({ Value: 'terminate' });
    expect((await attribute('instanceType')).InstanceType).toEqual({ Value: 'm7i.large' });
    expect((await attribute('groupSet')).Groups).toMatchObject([{ GroupName: 'default' }]);
    await expect(attribute('shoe' as InstanceAttributeName)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

test('types are offered in the region, in zones by name or id; the newest not in all of them', async () => {
  await withLocalCloud({}, async (test) => {
    const offered = async (LocationType: 'region' | 'availability-zone' | 'availability-zone-id', type: string) => {
      const Filters = [{ Name: 'instance-type', Values: [type] }];
      const { InstanceTypeOfferings } = await test.ec2.send(new DescribeInstanceTypeOfferingsCommand({ LocationType, Filters }));
      return InstanceTypeOfferings!.map((o) => o.Location);
    };
    expect(await offered('region', 'm7i.large')).toEqual(['us-east-1']);
    expect(await offered('availability-zone', 'm7i.large')).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c']);
    expect(await offered('availability-zone-id', 'm8g.large')).toEqual(['use1-az1', 'use1-az2']);
    const new8 = { InstanceType: 'm8g.large' as const, ImageId: IMAGES.arm64 };
    await expect(launch(test, { ...new8, Placement: { AvailabilityZone: 'us-east-1c' } })).rejects.toMatchObject({
      name: 'Unsupported',
      message:
        'Your requested instance type (m8g.large) is not supported in your requested Availability Zone (us-east-1c). ' +
        'Please retry your request by not specifying an Availability Zone or choosing us-east-1a, us-east-1b.',
    });
    await launch(test, new8);
  });
});

test('zones, regions and what the account may', async () => {
  await withLocalCloud({ region: 'ap-southeast-2' }, async ({ ec2 }) => {
    const { AvailabilityZones } = await ec2.send(new DescribeAvailabilityZonesCommand({ ZoneIds: ['apse2-az2'] }));
    expect(AvailabilityZones).toMatchObject([{ ZoneName: 'ap-southeast-2b', RegionName: 'ap-southeast-2' }]);
    const { Regions } = await ec2.send(new DescribeRegionsCommand({ Filters: [{ Name: 'region-name', Values: ['eu-central-*'] }] }));
    expect(Regions).toEqual([
      { RegionName: 'eu-central-1', Endpoint: 'ec2.eu-central-1.amazonaws.com', OptInStatus: 'opt-in-not-required' },
    ]);
    const { AccountAttributes } = await ec2.send(new DescribeAccountAttributesCommand({ AttributeNames: ['default-vpc'] }));
    expect(AccountAttributes).toMatchObject([
      { AttributeName: 'default-vpc', AttributeValues: [{ AttributeValue: expect.stringMatching(/^vpc-/) as string }] },
    ]);
    await expect(ec2.send(new DescribeRegionsCommand({ RegionNames: ['mars-1'] }))).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    });
  });
});

test('a security group goes when nothing is in it', async () => {
  await withLocalCloud({}, async (test) => {
    const { ec2 } = test;
    const { GroupId } = await ec2.send(new CreateSecurityGroupCommand({ GroupName: 'mine', Description: 'mine' }));
    const id = await launch(test, { SecurityGroupIds: [GroupId!] });
    await expect(ec2.send(new DeleteSecurityGroupCommand({ GroupId }))).rejects.toMatchObject({ name: 'DependencyViolation' });
    await test.cloud.ec2.whenState(id, 'running');
    await test.cloud.ec2.kill(id);
    await ec2.send(new DeleteSecurityGroupCommand({ GroupId }));
    await expect(ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId!] }))).rejects.toMatchObject({
      name: 'InvalidGroup.NotFound',
      message: `The security group '${GroupId}' does not exist`,
    });
    await expect(ec2.send(new DeleteSecurityGroupCommand({ GroupName: 'default' }))).rejects.toMatchObject({ name: 'CannotDelete' });
  });
});

test('a launch template made again with its token is the same one, with other data it is refused', async () => {
  await withLocalCloud({}, async ({ ec2 }) => {
    const make = (InstanceType: 'm7i.large' | 'c7i.large') =>
      ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: 'mine', ClientToken: 'token', LaunchTemplateData: { InstanceType } }));
    const { LaunchTemplate } = await make('m7i.large');
    expect((await make('m7i.large')).LaunchTemplate!.LaunchTemplateId).toBe(LaunchTemplate!.LaunchTemplateId);
    await expect(make('c7i.large')).rejects.toMatchObject({ name: 'IdempotentParameterMismatch' });
    const named = { LaunchTemplateName: 'mine' };
    await ec2.send(new CreateLaunchTemplateVersionCommand({ ...named, LaunchTemplateData: { InstanceType: 'c7i.large' } }));
    const versions = async (more: object) =>
      (await ec2.send(new DescribeLaunchTemplateVersionsCommand(more))).LaunchTemplateVersions!.map(
        (v) => v.LaunchTemplateData!.InstanceType,
      );
    expect(await versions({ ...named, MinVersion: '2' })).toEqual(['c7i.large']);
    expect(await versions({ ...named, Filters: [{ Name: 'is-default-version', Values: ['true'] }] })).toEqual(['m7i.large']);
    expect(await versions({ Versions: ['$Latest'] })).toContain('c7i.large');
    await expect(ec2.send(new DeleteLaunchTemplateCommand({ LaunchTemplateName: 'yours' }))).rejects.toMatchObject({
      message: 'The specified launch template, with template name yours, does not exist.',
    });
  });
});

type Try = (ec2: EC2Client, id: string) => Promise<unknown>;
const DryRun = true;

test.each<[string, Try]>([
  ['RunInstances', (ec2) => ec2.send(run({ DryRun }))],
  ['TerminateInstances', (ec2, id) => ec2.send(new TerminateInstancesCommand({ InstanceIds: [id], DryRun }))],
  ['StopInstances', (ec2, id) => ec2.send(new StopInstancesCommand({ InstanceIds: [id], DryRun }))],
  ['StartInstances', (ec2, id) => ec2.send(new StartInstancesCommand({ InstanceIds: [id], DryRun }))],
  ['RebootInstances', (ec2, id) => ec2.send(new RebootInstancesCommand({ InstanceIds: [id], DryRun }))],
  ['CreateTags', (ec2, id) => ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'a', Value: 'b' }], DryRun }))],
  ['DeleteTags', (ec2, id) => ec2.send(new DeleteTagsCommand({ Resources: [id], DryRun }))],
  ['CreateSecurityGroup', (ec2) => ec2.send(new CreateSecurityGroupCommand({ GroupName: 'a', Description: 'a', DryRun }))],
  ['DeleteSecurityGroup', (ec2) => ec2.send(new DeleteSecurityGroupCommand({ GroupName: 'rawcloud-local', DryRun }))],
  [
    'CreateLaunchTemplate',
    (ec2) => ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: 'a', LaunchTemplateData: { KeyName: 'k' }, DryRun })),
  ],
  ['DeleteLaunchTemplate', (ec2) => ec2.send(new DeleteLaunchTemplateCommand({ LaunchTemplateName: 'rawcloud-local', DryRun }))],
  ['DescribeInstances', (ec2) => ec2.send(new DescribeInstancesCommand({ DryRun }))],
  ['DescribeRegions', (ec2) => ec2.send(new DescribeRegionsCommand({ DryRun }))],
])('fails for a dry run of %s, which changes nothing', async (name, attempt) => {
  await withLocalCloud({}, async (test) => {
    // A group that instances are in cannot be deleted, even in a dry run.
    const id = await launch(test, { UserData: script('sleep 1000') });
    const before = await test.cloud.ec2.whenState(id, 'running');
    await expect(attempt(test.ec2, id)).rejects.toMatchObject({ name: 'DryRunOperation', $metadata: { httpStatusCode: 412 } });
    expect(test.cloud.ec2.instances()).toEqual([before]);
    const { SecurityGroups } = await test.ec2.send(new DescribeSecurityGroupsCommand({}));
    expect([name, SecurityGroups!.map((g) => g.GroupName).sort()]).toEqual([name, ['default', 'rawcloud-local']]);
    const { LaunchTemplateVersions } = await test.ec2.send(new DescribeLaunchTemplateVersionsCommand({ Versions: ['$Latest'] }));
    expect(LaunchTemplateVersions!.map((t) => t.LaunchTemplateName)).toEqual(['rawcloud-local']);
  });
});

test('fails for ids of nothing, in the words of each kind', async () => {
  await withLocalCloud({}, async (test) => {
    const tag = (...Resources: string[]) => test.ec2.send(new CreateTagsCommand({ Resources, Tags: [{ Key: 'a', Value: 'b' }] }));
    await expect(tag('shoe')).rejects.toMatchObject({ name: 'InvalidID', message: "The ID 'shoe' is not valid" });
    await expect(tag('vol-0123456789abcdef0')).rejects.toMatchObject({ name: 'InvalidVolume.NotFound' });
    await expect(test.ec2.send(new DescribeVolumesCommand({ VolumeIds: ['vol-0123456789abcdef0'] }))).rejects.toMatchObject({
      message: "The volume 'vol-0123456789abcdef0' does not exist.",
    });
  });
});

test('fails for all when one of several may not be stopped', async () => {
  await withLocalCloud({}, async (test) => {
    const [plain, spot] = [await launch(test), await launch(test, { InstanceMarketOptions: { MarketType: 'spot' } })];
    await test.cloud.ec2.whenState(plain, 'running');
    await expect(test.ec2.send(new StopInstancesCommand({ InstanceIds: [plain, spot] }))).rejects.toMatchObject({
      name: 'UnsupportedOperation',
    });
    expect(test.cloud.ec2.instances().map((i) => i.state)).not.toContain('stopping');
  });
});
