import {
  CreateLaunchTemplateCommand,
  CreateSecurityGroupCommand,
  CreateTagsCommand,
  DeleteLaunchTemplateCommand,
  DeleteTagsCommand,
  DescribeAvailabilityZonesCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  CreateVpcCommand,
  EC2Client,
  paginateDescribeInstances,
} from '@aws-sdk/client-ec2';
import type { Filter } from '@aws-sdk/client-ec2';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { IMAGES, launch, run, script } from './launching';

async function found({ ec2 }: TestCloud, ...Filters: Filter[]): Promise<string[]> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
  return Reservations.flatMap((r) => r.Instances ?? []).map((i) => i.InstanceId!);
}

const tagged = (Key: string, Value: string) => ({ TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key, Value }] }] });

test('instances are found by filters, all of which must fit, with wildcards', async () => {
  await withLocalCloud({}, async (test) => {
    const a = await launch(test, {
      ...tagged('rawcloud:job', 'abc'),
      ClientToken: 'token-a',
      Placement: { AvailabilityZone: 'us-east-1a' },
    });
    const b = await launch(test, {
      ...tagged('rawcloud:job', 'xyz'),
      InstanceType: 'm7i.xlarge',
      Placement: { AvailabilityZone: 'us-east-1b' },
    });
    await test.cloud.ec2.whenState(b, 'running');
    await test.cloud.ec2.kill(b);
    expect(await found(test)).toEqual([a, b]);
    expect(await found(test, { Name: 'tag:rawcloud:job', Values: ['abc', 'other'] })).toEqual([a]);
    expect(await found(test, { Name: 'tag:rawcloud:job', Values: ['?y*'] })).toEqual([b]);
    expect(await found(test, { Name: 'tag-key', Values: ['rawcloud:*'] })).toEqual([a, b]);
    expect(await found(test, { Name: 'client-token', Values: ['token-a'] })).toEqual([a]);
    expect(await found(test, { Name: 'instance-type', Values: ['m7i.xlarge'] })).toEqual([b]);
    expect(await found(test, { Name: 'availability-zone', Values: ['us-east-1a'] })).toEqual([a]);
    expect(await found(test, { Name: 'instance-state-name', Values: ['terminated'] })).toEqual([b]);
    expect(await found(test, { Name: 'instance-id', Values: [a, b] }, { Name: 'tag:rawcloud:job', Values: ['xyz'] })).toEqual([b]);
    expect(await found(test, { Name: 'tag:none', Values: ['*'] })).toEqual([]);
    await expect(found(test, { Name: 'shoe-size', Values: ['43'] })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

test('a long list comes in pages', async () => {
  await withLocalCloud({ bootMs: 60_000 }, async (test) => {
    await test.ec2.send(run({ MinCount: 7, MaxCount: 7 }));
    await test.ec2.send(run({ MinCount: 5, MaxCount: 5 }));
    const pages: number[] = [];
    const ids = new Set<string>();
    for await (const page of paginateDescribeInstances({ client: test.ec2, pageSize: 5 }, {})) {
      const instances = (page.Reservations ?? []).flatMap((r) => r.Instances ?? []);
      pages.push(instances.length);
      for (const i of instances) ids.add(i.InstanceId!);
    }
    expect(pages).toEqual([5, 5, 2]);
    expect(ids.size).toBe(12);
    await expect(test.ec2.send(new DescribeInstancesCommand({ MaxResults: 4 }))).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

test('fails for instances that are not there', async () => {
  await withLocalCloud({}, async ({ ec2 }) => {
    const describe = (...InstanceIds: string[]) => ec2.send(new DescribeInstancesCommand({ InstanceIds }));
    await expect(describe('i-0123456789abcdef0')).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
      message: "The instance ID 'i-0123456789abcdef0' does not exist",
    });
    await expect(describe('i-0123456789abcdef0', 'i-0123456789abcdef1')).rejects.toMatchObject({
      message: "The instance IDs 'i-0123456789abcdef0, i-0123456789abcdef1' do not exist",
    });
    await expect(describe('nonsense')).rejects.toMatchObject({ name: 'InvalidInstanceID.Malformed' });
  });
});

test('volumes and interfaces are those of instances, and go with them', async () => {
  await withLocalCloud({}, async (test) => {
    const { ec2, cloud } = test;
    const Tags = [{ Key: 'rawcloud:job', Value: 'abc' }];
    const id = await launch(test, {
      UserData: script('sleep 1000'),
      TagSpecifications: [
        { ResourceType: 'volume', Tags },
        { ResourceType: 'network-interface', Tags },
      ],
      BlockDeviceMappings: [{ DeviceName: '/dev/sdb', Ebs: { VolumeSize: 5, DeleteOnTermination: false } }],
    });
    const Filters = [{ Name: 'tag:rawcloud:job', Values: ['abc'] }];
    const volumes = async () => (await ec2.send(new DescribeVolumesCommand({ Filters }))).Volumes;
    const interfaces = async () => (await ec2.send(new DescribeNetworkInterfacesCommand({ Filters }))).NetworkInterfaces;
    expect((await volumes())!.map((v) => [v.Size, v.State, v.VolumeType, v.Attachments![0]!.InstanceId])).toEqual(
      expect.arrayContaining([
        [8, 'in-use', 'gp3', id],
        [5, 'in-use', 'gp3', id],
      ]),
    );
    expect(await interfaces()).toMatchObject([{ Status: 'in-use', Attachment: { InstanceId: id }, TagSet: Tags }]);
    await cloud.ec2.whenState(id, 'running');
    await cloud.ec2.kill(id);
    expect(await volumes()).toMatchObject([{ Size: 5, State: 'available', Attachments: [] }]);
    expect(await interfaces()).toEqual([]);
  });
});

test('tags are set, changed, found and removed', async () => {
  await withLocalCloud({}, async (test) => {
    const { ec2 } = test;
    const id = await launch(test, tagged('rawcloud:until', 'noon'));
    await ec2.send(
      new CreateTagsCommand({
        Resources: [id],
        Tags: [
          { Key: 'rawcloud:until', Value: 'night' },
          { Key: 'b', Value: '<&>' },
        ],
      }),
    );
    const tags = async () =>
      (await ec2.send(new DescribeTagsCommand({ Filters: [{ Name: 'resource-id', Values: [id] }] }))).Tags!.map(
        (t) => `${t.ResourceType} ${t.Key}=${t.Value}`,
      );
    expect(await tags()).toEqual(['instance b=<&>', 'instance rawcloud:until=night']);
    await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: 'b' }, { Key: 'rawcloud:until', Value: 'other' }] }));
    expect(await tags()).toEqual(['instance rawcloud:until=night']);
    await expect(
      ec2.send(new CreateTagsCommand({ Resources: ['i-0123456789abcdef0'], Tags: [{ Key: 'a', Value: '' }] })),
    ).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
    });
    const many = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    await expect(ec2.send(new CreateTagsCommand({ Resources: [id], Tags: many }))).rejects.toMatchObject({ name: 'TagLimitExceeded' });
    await expect(ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'aws:x', Value: '' }] }))).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    });
  });
});

test('a launch template is shown as it was made, and gone when deleted', async () => {
  await withLocalCloud({}, async ({ ec2 }) => {
    const LaunchTemplateData = {
      UserData: script('true'),
      IamInstanceProfile: { Name: 'profile' },
      InstanceInitiatedShutdownBehavior: 'terminate' as const,
      MetadataOptions: { HttpTokens: 'required' as const, HttpPutResponseHopLimit: 1 },
      TagSpecifications: [{ ResourceType: 'network-interface' as const, Tags: [{ Key: 'a', Value: 'b' }] }],
      SecurityGroupIds: ['sg-0123456789abcdef0'],
    };
    const { LaunchTemplate } = await ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: 'mine', LaunchTemplateData }));
    expect(LaunchTemplate).toMatchObject({ LaunchTemplateName: 'mine', DefaultVersionNumber: 1, LatestVersionNumber: 1 });
    const named = { LaunchTemplateName: 'mine' };
    const { LaunchTemplateVersions } = await ec2.send(new DescribeLaunchTemplateVersionsCommand(named));
    expect(LaunchTemplateVersions).toMatchObject([{ VersionNumber: 1, DefaultVersion: true, LaunchTemplateData }]);
    await expect(ec2.send(new CreateLaunchTemplateCommand({ ...named, LaunchTemplateData }))).rejects.toMatchObject({
      name: 'InvalidLaunchTemplateName.AlreadyExistsException',
    });
    await ec2.send(new DeleteLaunchTemplateCommand(named));
    const { LaunchTemplates } = await ec2.send(new DescribeLaunchTemplatesCommand({}));
    expect(LaunchTemplates!.map((t) => t.LaunchTemplateName)).toEqual(['rawcloud-local']);
  });
});

test('there is a default VPC with a subnet in each zone, and security groups', async () => {
  await withLocalCloud({}, async ({ ec2 }) => {
    const { AvailabilityZones } = await ec2.send(new DescribeAvailabilityZonesCommand({}));
    expect(AvailabilityZones!.map((z) => z.ZoneName)).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c']);
    const { Vpcs } = await ec2.send(new DescribeVpcsCommand({ Filters: [{ Name: 'isDefault', Values: ['true'] }] }));
    expect(Vpcs).toMatchObject([{ IsDefault: true, CidrBlock: '172.31.0.0/16' }]);
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: 'vpc-id', Values: [Vpcs![0]!.VpcId!] }] }));
    expect(Subnets!.map((s) => s.AvailabilityZone).sort()).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c']);
    const { GroupId } = await ec2.send(new CreateSecurityGroupCommand({ GroupName: 'mine', Description: 'of mine' }));
    const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId!] }));
    expect(SecurityGroups).toMatchObject([{ GroupName: 'mine', Description: 'of mine', VpcId: Vpcs![0]!.VpcId, IpPermissions: [] }]);
  });
});

test('images and instance types', async () => {
  await withLocalCloud({}, async ({ ec2 }) => {
    const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [IMAGES.arm64] }));
    expect(Images).toMatchObject([
      { Architecture: 'arm64', RootDeviceName: '/dev/xvda', State: 'available', BlockDeviceMappings: [{ DeviceName: '/dev/xvda' }] },
    ]);
    const { InstanceTypes } = await ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: ['m7g.xlarge'] }));
    expect(InstanceTypes).toMatchObject([{ InstanceType: 'm7g.xlarge', VCpuInfo: { DefaultVCpus: 4 }, MemoryInfo: { SizeInMiB: 16_384 } }]);
    await expect(ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: ['m0.tiny' as 'm7g.large'] }))).rejects.toMatchObject({
      name: 'InvalidInstanceType',
    });
    await expect(ec2.send(new DescribeImagesCommand({ ImageIds: ['ami-0123456789abcdef0'] }))).rejects.toMatchObject({
      name: 'InvalidAMIID.NotFound',
    });
  });
});

test('fails for actions that the local cloud does not have', async () => {
  await withLocalCloud({}, async ({ ec2 }) => {
    await expect(ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).rejects.toMatchObject({
      name: 'InvalidAction',
      $metadata: { httpStatusCode: 400 },
    });
  });
});

test('fails for VMs, whose role may do nothing in EC2', async () => {
  await withLocalCloud({}, async (test) => {
    const curl = 'curl -sf -H "X-aws-ec2-metadata-token: $token" "$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest';
    const read = `token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/api/token")
      ${curl}/meta-data/iam/security-credentials/rawcloud-local-vm" >keys.new && echo >>keys.new && mv keys.new keys; sleep 1000`;
    const id = await launch(test, { UserData: script(read), LaunchTemplate: { LaunchTemplateId: test.cloud.scaffold.launchTemplateId } });
    const keys = JSON.parse(await test.line(id, 'keys')) as Record<'AccessKeyId' | 'SecretAccessKey' | 'Token', string>;
    const credentials = { accessKeyId: keys.AccessKeyId, secretAccessKey: keys.SecretAccessKey, sessionToken: keys.Token };
    const vm = new EC2Client({ endpoint: test.cloud.url, region: 'us-east-1', credentials, maxAttempts: 1 });
    await expect(vm.send(new DescribeInstancesCommand({}))).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
    vm.destroy();
  });
});
