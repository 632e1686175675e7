import { DescribeLaunchTemplatesCommand, DescribeLaunchTemplateVersionsCommand, DescribeSecurityGroupsCommand } from '@aws-sdk/client-ec2';
import type { ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
} from '@aws-sdk/client-s3';
import { ListTagsForResourceCommand } from '@aws-sdk/client-ssm';
import type { AwsContext } from '../../lib/aws/clients';
import { readParameter } from '../../lib/aws/parameters';
import { scaffoldParameterName, TAGS, userData, VERSION } from '../../lib/contract';
import type { Scaffold } from '../../lib/contract';
import { describeContract } from '../contract/contract-tests';
import { DEVIATIONS } from '../contract/deviations';
import { CdkApp } from './cdk';
import { iam } from './iam';
import { ACCOUNT, openMoto, readScaffold, REGION } from './moto';
import { listed, passedOver } from './not-shown';

/** aws-cdk-lib validates each template by rules that take seconds to load. */
jest.setTimeout(120_000);

/** Not the one that the other tests use: this one goes. */
const NAME = 'team-a';

let aws: AwsContext;
let app: CdkApp;
let scaffold: Scaffold;

beforeAll(async () => {
  aws = await openMoto();
  app = await CdkApp.synthesize(NAME);
  await app.deploy();
  scaffold = await readScaffold(aws, NAME);
});

afterAll(async () => {
  await app.close();
  aws.close();
});

describeContract({ suite: 'the scaffolding', place: 'moto' }, DEVIATIONS, ({ test }) => {
  test('is found by its parameter, which names what is there', async () => {
    expect(scaffold).toEqual({
      v: 1,
      name: NAME,
      account: ACCOUNT,
      region: REGION,
      bucket: expect.stringMatching(/^rawcloud-team-a-/) as string,
      roleId: expect.stringMatching(/^AROA[A-Z0-9]+$/) as string,
      launchTemplateId: expect.stringMatching(/^lt-/) as string,
      launchTemplateVersion: '1',
      securityGroupId: expect.stringMatching(/^sg-/) as string,
      zones: ['us-east-1a', 'us-east-1b', 'us-east-1c', 'us-east-1d', 'us-east-1e', 'us-east-1f'],
      version: VERSION,
    });
  });

  test('tags its parameter', async () => {
    const about = { ResourceType: 'Parameter', ResourceId: scaffoldParameterName(NAME) } as const;
    const { TagList } = await (await aws.ssm()).send(new ListTagsForResourceCommand(about));
    expect(TagList).toContainEqual({ Key: TAGS.scaffold, Value: NAME });
  });

  test('has a bucket that encrypts', async () => {
    const s3 = await aws.s3();
    const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand({ Bucket: scaffold.bucket }));
    expect(ServerSideEncryptionConfiguration?.Rules).toMatchObject([{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }]);
  });

  test('has a bucket that the public cannot be let into', async () => {
    const found = await (await aws.s3()).send(new GetPublicAccessBlockCommand({ Bucket: scaffold.bucket }));
    expect(found.PublicAccessBlockConfiguration).toMatchObject({ BlockPublicAcls: true, RestrictPublicBuckets: true });
  });

  test('has a bucket that drops uploads that nobody finishes', async () => {
    const { Rules } = await (await aws.s3()).send(new GetBucketLifecycleConfigurationCommand({ Bucket: scaffold.bucket }));
    expect(Rules).toMatchObject([{ Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }]);
  });

  test('has a bucket whose grants only VMs may read', async () => {
    const { Policy } = await (await aws.s3()).send(new GetBucketPolicyCommand({ Bucket: scaffold.bucket }));
    const { Statement } = JSON.parse(Policy!) as { Statement: unknown[] };
    expect(Statement).toContainEqual(expect.objectContaining({ Sid: 'PrivateGrantsForVmsOnly', Effect: 'Deny' }));
  });

  test('has a role that EC2 may take and that may only what stands in our six statements', async () => {
    const RoleName = await roleName();
    const role = await iam('GetRole', { RoleName: RoleName! });
    expect(role.document('AssumeRolePolicyDocument')).toMatchObject({
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ec2.amazonaws.com' } }],
    });
    const policy = await iam('GetRolePolicy', { RoleName: RoleName!, PolicyName: 'bucket' });
    const { Statement } = policy.document('PolicyDocument') as { Statement: { Sid: string; Resource: string | string[] }[] };
    expect(Statement.map((s) => s.Sid)).toEqual([
      'OwnGrant',
      'ReadContent',
      'ReadJob',
      'WriteOwnDirectory',
      'WriteEnvironments',
      'WriteTasks',
    ]);
    const resources = Statement.flatMap((s) => s.Resource);
    expect(resources.filter((r) => !r.startsWith(`arn:aws:s3:::${scaffold.bucket}/v1/`))).toEqual([]);
    expect(resources).toContain(`arn:aws:s3:::${scaffold.bucket}/v1/jobs/*/vm/\${aws:userid}/*`);
    expect((await iam('ListAttachedRolePolicies', { RoleName: RoleName! })).texts('PolicyArn')).toEqual([]);
  });

  test('has an instance profile with that role, which the template names', async () => {
    const { IamInstanceProfile } = await templateData();
    const [, InstanceProfileName] = IamInstanceProfile!.Arn!.split('/');
    const profile = await iam('GetInstanceProfile', { InstanceProfileName: InstanceProfileName! });
    expect(profile.text('Arn')).toBe(IamInstanceProfile!.Arn);
    expect(profile.text('RoleId')).toBe(scaffold.roleId);
  });

  test('has a security group that lets nothing in and everything out', async () => {
    const groups = new DescribeSecurityGroupsCommand({ GroupIds: [scaffold.securityGroupId] });
    const { SecurityGroups } = await (await aws.ec2()).send(groups);
    expect(SecurityGroups).toMatchObject([{ IpPermissions: [], IpPermissionsEgress: [{ IpProtocol: '-1' }] }]);
    expect(SecurityGroups![0]!.Tags).toContainEqual({ Key: TAGS.scaffold, Value: NAME });
  });

  test('has a launch template with our user data, IMDSv2 only, and neither image nor type', async () => {
    const data = await templateData();
    const { bucket, region, roleId } = scaffold;
    expect(Buffer.from(data.UserData!, 'base64').toString()).toBe(userData({ bucket, region, roleId }));
    expect(data).toMatchObject({
      InstanceInitiatedShutdownBehavior: 'terminate',
      SecurityGroupIds: [scaffold.securityGroupId],
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1, HttpEndpoint: 'enabled', InstanceMetadataTags: 'disabled' },
      TagSpecifications: [{ ResourceType: 'network-interface', Tags: [{ Key: TAGS.scaffold, Value: NAME }] }],
    });
    expect(data).not.toHaveProperty('ImageId');
    expect(data).not.toHaveProperty('InstanceType');
  });

  test('stands beside another of another name', async () => {
    const other = await readScaffold(aws, 'default');
    expect(other.bucket).not.toBe(scaffold.bucket);
    expect(other.roleId).not.toBe(scaffold.roleId);
    expect(other.launchTemplateId).not.toBe(scaffold.launchTemplateId);
  });

  test('is what the CDK takes for deployed: nothing differs, and deploying again changes nothing', async () => {
    expect(await app.diff()).toMatch(/Number of stacks with differences: 0/);
    await app.deploy();
    expect(await readScaffold(aws, NAME)).toEqual(scaffold);
  });

  test('is deployed whole, but for the types of resources that moto is known to pass over', async () => {
    const types = Object.values(await app.resources()).map(({ Type }) => Type);
    expect(await passedOver(types)).toEqual(listed(types));
  });

  test('leaves, when destroyed, nothing but the bucket, which is to stay; and can be laid down again', async () => {
    const before = scaffold;
    const all = { parameter: true, role: true, profile: true, securityGroup: true, launchTemplate: true, bucket: true };
    expect(await left(before)).toEqual(all);
    await app.destroy();
    const nothing = { parameter: false, role: false, profile: false, securityGroup: false, launchTemplate: false };
    expect(await left(before)).toEqual({ ...nothing, bucket: true });

    await app.deploy();
    scaffold = await readScaffold(aws, NAME);
    expect(await left(scaffold)).toEqual(all);
    expect(scaffold.bucket).not.toBe(before.bucket);
  });
});

async function roleName(roleId = scaffold.roleId): Promise<string | undefined> {
  const roles = await iam('ListRoles', { MaxItems: '1000' });
  return roles.texts('RoleName')[roles.texts('RoleId').indexOf(roleId)];
}

async function templateData(): Promise<ResponseLaunchTemplateData> {
  const { launchTemplateId: LaunchTemplateId, launchTemplateVersion } = scaffold;
  const versions = { LaunchTemplateId, Versions: [launchTemplateVersion] };
  const { LaunchTemplateVersions } = await (await aws.ec2()).send(new DescribeLaunchTemplateVersionsCommand(versions));
  return LaunchTemplateVersions![0]!.LaunchTemplateData!;
}

/** What is there of a scaffolding. */
async function left({ name, roleId, bucket }: Scaffold): Promise<Record<string, boolean>> {
  const [ec2, s3] = [await aws.ec2(), await aws.s3()];
  const named = (...values: string[]) => [{ Name: `tag:${TAGS.scaffold}`, Values: values }];
  const groups = await ec2.send(new DescribeSecurityGroupsCommand({ Filters: named(name) }));
  const templates = await ec2.send(new DescribeLaunchTemplatesCommand({ Filters: named(name) }));
  const profiles = await iam('ListInstanceProfiles');
  return {
    parameter: (await readParameter(aws, scaffoldParameterName(name))) !== undefined,
    role: (await roleName(roleId)) !== undefined,
    profile: profiles.texts('InstanceProfileName').some((profile) => profile.startsWith(`RawCloud-${name}-`)),
    securityGroup: groups.SecurityGroups!.length > 0,
    launchTemplate: templates.LaunchTemplates!.length > 0,
    bucket: await s3.send(new HeadBucketCommand({ Bucket: bucket })).then(
      () => true,
      () => false,
    ),
  };
}
