import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { App, Aws, CloudFormationValidatePlugin, Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import type { Environment } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Port, SecurityGroup, Subnet, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { AccountRootPrincipal, Group, ManagedPolicy, Role, User } from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { RawCloud, SpotPolicy } from '../../lib';
import type { RawCloudProps } from '../../lib';
import {
  anyVmOf,
  bucketStatements,
  execDocument,
  parseScaffold,
  scaffoldParameterName,
  userData,
  vmRoleStatements,
  VERSION,
} from '../../lib/contract';
import { deployedAs, resolve } from './resolve';

/** aws-cdk-lib validates each template by rules that take seconds to load. */
jest.setTimeout(120_000);

const ROLE_ID = 'AROAEXAMPLEEXAMPLE123';
const deployed = deployedAs({ '.RoleId': ROLE_ID, '.GroupId': 'sg-0123456789abcdef0', '.LatestVersionNumber': '3' });

/** One for all, as it loads its rules once. */
const validation = new CloudFormationValidatePlugin();

let outdir: string;
let template: Template;
let stack: Stack;
beforeAll(() => {
  outdir = mkdtempSync(path.join(os.tmpdir(), 'cdk-out-'));
  ({ template, stack } = synthesize());
});
afterAll(() => rmSync(outdir, { recursive: true }));

/** With what CloudFormation's own rules find as errors. */
function synthesize(props?: RawCloudProps, env?: Environment): { template: Template; stack: Stack } {
  const app = new App({ outdir: mkdtempSync(path.join(outdir, 'app-')), context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
  Validations.of(app).addPlugins(validation);
  const stack = new Stack(app, 'Test', env ? { env } : {});
  new RawCloud(stack, 'RawCloud', props);
  return { template: Template.fromStack(stack), stack };
}

/** The properties of the only resource of a type, after deployment. */
function propertiesOf(template: Template, type: string): Record<string, unknown> {
  const found = Object.values(template.findResources(type));
  expect(found).toHaveLength(1);
  return resolve(found[0]!['Properties'], deployed) as Record<string, unknown>;
}

/** What the name of the bucket becomes in {@link deployed}. */
function bucketNameOf(template: Template): string {
  return deployed(Object.keys(template.findResources('AWS::S3::Bucket'))[0]!);
}

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: object;
}

/** What the policies of a role say whose logical id begins so. */
function statementsOf(template: Template, role: string): Statement[] {
  const ofRole = { Properties: { Roles: [{ Ref: Match.stringLikeRegexp(`^${role}`) }] } };
  // The CDK moves what is too long for a role into managed ones.
  const policies = ['Policy', 'ManagedPolicy'].flatMap((kind) => Object.values(template.findResources(`AWS::IAM::${kind}`, ofRole)));
  return policies.flatMap((policy) => (policy['Properties'] as { PolicyDocument: { Statement: Statement[] } }).PolicyDocument.Statement);
}

/** As the template has them: plain JSON. */
const sameShape = (statements: readonly object[]) => JSON.parse(JSON.stringify(statements)) as unknown;

test('holds these resources, and no custom one', () => {
  const types = Object.values(template.toJSON()['Resources'] as Record<string, { Type: string }>).map(({ Type }) => Type);
  expect(types.sort()).toEqual([
    'AWS::EC2::LaunchTemplate',
    'AWS::EC2::SecurityGroup',
    'AWS::Events::Rule',
    'AWS::IAM::InstanceProfile',
    'AWS::IAM::Policy',
    'AWS::IAM::Policy',
    'AWS::IAM::Role',
    'AWS::IAM::Role',
    'AWS::IAM::Role',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::Lambda::Function',
    'AWS::Lambda::Function',
    'AWS::Lambda::Permission',
    'AWS::Logs::LogGroup',
    'AWS::Logs::LogGroup',
    'AWS::S3::Bucket',
    'AWS::S3::BucketPolicy',
    'AWS::SQS::Queue',
    'AWS::SQS::QueuePolicy',
    'AWS::SSM::Parameter',
  ]);
});

// IAM refuses the whole policy.
test('has no statement about nothing, before there is a job', () => {
  expect(JSON.stringify(template.toJSON())).not.toMatch(/"(Resource|Action)":\[\]/);
});

test('is validated by CloudFormation’s own rules', () => {
  const app = new App({ outdir: mkdtempSync(path.join(outdir, 'app-')), context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
  Validations.of(app).addPlugins(validation);
  new CfnBucket(new Stack(app, 'Test'), 'Bucket', { accessControl: 'Anybody' });
  expect(() => app.synth()).toThrow();
});

test('synthesizes without warnings, errors or a lookup', () => {
  expect(Annotations.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
  expect(Annotations.fromStack(stack).findError('*', Match.anyValue())).toEqual([]);
  const assembly = (stack.node.root as App).synth();
  expect(assembly.manifest.missing ?? []).toEqual([]);
});

describe('bucket', () => {
  test('is private, encrypted, not versioned, and drops unfinished uploads', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      VersioningConfiguration: Match.absent(),
      LifecycleConfiguration: {
        Rules: [{ Id: 'AbortUnfinishedUploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }],
      },
    });
  });

  test('stays with its policy when the stack goes', () => {
    template.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    template.allResources('AWS::S3::BucketPolicy', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test('goes with the stack when asked to', () => {
    const { template } = synthesize({ removalPolicy: RemovalPolicy.DESTROY });
    template.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
    template.allResources('AWS::S3::BucketPolicy', { DeletionPolicy: 'Delete' });
  });

  test('refuses plain HTTP, and private grants to all but the VMs of the role', () => {
    const { PolicyDocument } = propertiesOf(template, 'AWS::S3::BucketPolicy') as { PolicyDocument: { Statement: object[] } };
    const arn = deployed(`${Object.keys(template.findResources('AWS::S3::Bucket'))[0]!}.Arn`);
    const [insecure, ...ours] = PolicyDocument.Statement;
    expect(insecure).toMatchObject({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
    expect(ours.map((statement) => ({ ...statement, Principal: '*' }))).toEqual(
      sameShape(bucketStatements(arn, { userIds: [anyVmOf(ROLE_ID)] })),
    );
  });

  test('allows nobody anything by its policy: a principal of all is only denied', () => {
    const { PolicyDocument } = propertiesOf(template, 'AWS::S3::BucketPolicy') as { PolicyDocument: { Statement: { Effect: string }[] } };
    expect(PolicyDocument.Statement.map(({ Effect }) => Effect)).toEqual(['Deny', 'Deny']);
  });
});

describe('role of the VMs', () => {
  test('may what the contract says and nothing else', () => {
    const [found] = Object.values(
      template.findResources('AWS::IAM::Role', { Properties: { Description: Match.stringLikeRegexp('VMs read') } }),
    );
    const role = resolve(found!['Properties'], deployed) as { Policies: { PolicyDocument: { Statement: object[] } }[] };
    const arn = deployed(`${Object.keys(template.findResources('AWS::S3::Bucket'))[0]!}.Arn`);
    expect(role.Policies).toHaveLength(1);
    expect(role.Policies[0]!.PolicyDocument.Statement).toEqual(sameShape(vmRoleStatements(arn)));
    expect(role).not.toHaveProperty('ManagedPolicyArns');
  });

  test('is for EC2 only', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: { Statement: [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' } }] },
    });
  });
});

test('the security group lets nothing in and belongs to the default VPC', () => {
  template.hasResourceProperties('AWS::EC2::SecurityGroup', {
    VpcId: Match.absent(),
    SecurityGroupIngress: Match.absent(),
    SecurityGroupEgress: Match.absent(),
  });
});

describe('launch template', () => {
  test('ends VMs that power off, wants IMDSv2, and names neither image nor type nor network', () => {
    template.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: {
        IamInstanceProfile: { Arn: Match.anyValue() },
        SecurityGroupIds: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('VmSecurityGroup'), 'GroupId'] }],
        InstanceInitiatedShutdownBehavior: 'terminate',
        MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1, HttpEndpoint: 'enabled' },
        TagSpecifications: [{ ResourceType: 'network-interface', Tags: [{ Key: 'rawcloud:scaffold', Value: 'default' }] }],
        ImageId: Match.absent(),
        InstanceType: Match.absent(),
        NetworkInterfaces: Match.absent(),
        CreditSpecification: Match.absent(),
      },
    });
  });

  test('carries the bootstrap of the contract with bucket, region and role id, within the 16 KB of EC2', () => {
    const { LaunchTemplateData } = propertiesOf(template, 'AWS::EC2::LaunchTemplate') as { LaunchTemplateData: { UserData: string } };
    const text = Buffer.from(LaunchTemplateData.UserData, 'base64').toString('utf8');
    expect(text).toBe(userData({ bucket: bucketNameOf(template), region: 'eu-central-1', roleId: ROLE_ID }));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16_384);
  });
});

describe('parameter', () => {
  test('reads as the scaffolding that the runtime expects', () => {
    const { Name, Type, Value } = propertiesOf(template, 'AWS::SSM::Parameter') as Record<string, string>;
    expect({ Name, Type }).toEqual({ Name: scaffoldParameterName('default'), Type: 'String' });
    expect(parseScaffold(Value!)).toEqual({
      v: 1,
      name: 'default',
      account: '123456789012',
      region: 'eu-central-1',
      bucket: bucketNameOf(template),
      roleId: ROLE_ID,
      launchTemplateId: deployed(Object.keys(template.findResources('AWS::EC2::LaunchTemplate'))[0]!),
      launchTemplateVersion: '3',
      securityGroupId: 'sg-0123456789abcdef0',
      zones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
      version: VERSION,
    });
  });

  test('stays the same text in a stack whose account and region are known', () => {
    const { template } = synthesize({}, { account: '123456789012', region: 'eu-central-1' });
    const { Value } = propertiesOf(template, 'AWS::SSM::Parameter') as Record<string, string>;
    expect(parseScaffold(Value!)).toMatchObject({ account: '123456789012', region: 'eu-central-1', zones: expect.any(Array) });
  });
});

const KEY_ARN = 'arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef';

describe('what a company brings along', () => {
  function withProps(make: (stack: Stack) => RawCloudProps): Template {
    const stack = new Stack(new App({ outdir: mkdtempSync(path.join(outdir, 'app-')) }), 'Test');
    new RawCloud(stack, 'RawCloud', make(stack)).grantRun(new Role(stack, 'Developer', { assumedBy: new AccountRootPrincipal() }));
    return Template.fromStack(stack);
  }

  test('a key: the bucket is encrypted with it, and VMs, functions and who runs jobs may use it', () => {
    const template = withProps((stack) => ({ encryptionKey: new Key(stack, 'Key') }));
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
      },
    });
    const mayUse = Object.values(template.findResources('AWS::IAM::Policy')).filter((p) =>
      JSON.stringify(p).includes('kms:GenerateDataKey'),
    );
    const roles = mayUse.flatMap((policy) => (policy['Properties'] as { Roles: { Ref: string }[] }).Roles.map(({ Ref }) => Ref));
    expect(roles.map((id) => id.replace(/[0-9A-F]{8}$/, '')).sort()).toEqual([
      'Developer',
      'RawCloudLaunchRole',
      'RawCloudReaperRole',
      'RawCloudVmRole',
    ]);
  });

  test.each<[string, (stack: Stack) => IKey, object]>([
    ['a key', (stack) => new Key(stack, 'Key'), { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] }],
    [
      'the alias of a key',
      (stack) => new Alias(stack, 'Alias', { aliasName: 'alias/data', targetKey: new Key(stack, 'Key') }),
      { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] },
    ],
    ['an imported key', (stack) => Key.fromKeyArn(stack, 'Key', KEY_ARN), expect.stringMatching(KEY_ARN) as object],
  ])('%s is used through S3 for the bucket alone, by roles, users and groups', (_what, keyOf, resource) => {
    const stack = new Stack(new App({ outdir: mkdtempSync(path.join(outdir, 'app-')) }), 'Test');
    const cloud = new RawCloud(stack, 'RawCloud', { encryptionKey: keyOf(stack) });
    cloud.grantRun(new Role(stack, 'Developer', { assumedBy: new AccountRootPrincipal() }));
    cloud.grantRun(new User(stack, 'User'));
    cloud.grantRead(new Group(stack, 'Group'));
    const found = Template.fromStack(stack);
    const policies = ['Policy', 'ManagedPolicy'].flatMap((kind) => Object.values(found.findResources(`AWS::IAM::${kind}`)));
    const uses = policies
      .flatMap((policy) => (policy['Properties'] as { PolicyDocument: { Statement: Statement[] } }).PolicyDocument.Statement)
      .filter(({ Action }) => JSON.stringify(Action).includes('kms:'));
    // VM, launch function, reaper, role, and the managed policies of who runs jobs and who looks at them.
    expect(uses).toHaveLength(6);
    const bucket = { 'Fn::GetAtt': [expect.stringMatching(/^RawCloudBucket/), 'Arn'] };
    for (const { Resource, Condition } of uses) {
      expect(Resource).toEqual(resource);
      expect(Condition).toEqual({
        StringLike: {
          'kms:ViaService': 's3.*',
          'kms:EncryptionContext:aws:s3:arn': [bucket, { 'Fn::Join': ['', [bucket, '/*']] }],
        },
      });
    }
  });

  test('tags: in the template, the parameter, and the conditions of every launch', () => {
    const template = withProps(() => ({ vmTags: { CostCenter: '4711', Stack: Aws.STACK_NAME } }));
    const { LaunchTemplateData } = propertiesOf(template, 'AWS::EC2::LaunchTemplate') as {
      LaunchTemplateData: { TagSpecifications: { ResourceType: string; Tags: object[] }[] };
    };
    const specs = LaunchTemplateData.TagSpecifications;
    expect(specs.map(({ ResourceType }) => ResourceType)).toEqual(['instance', 'volume', 'network-interface']);
    for (const { Tags } of specs) expect(Tags).toContainEqual({ Key: 'CostCenter', Value: '4711' });
    const { Value } = propertiesOf(template, 'AWS::SSM::Parameter') as { Value: string };
    expect(parseScaffold(Value).vmTags).toEqual({ CostCenter: '4711', Stack: 'value-of-AWS::StackName' });
    const conditions = JSON.stringify(
      template.findResources('AWS::IAM::Policy', { Properties: { Roles: [{ Ref: Match.stringLikeRegexp('Developer') }] } }),
    );
    expect(conditions).toContain('"aws:RequestTag/rawcloud:scaffold":"default","aws:RequestTag/CostCenter":"4711"');
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['one of ours', { 'rawcloud:job': 'x' }, /'rawcloud:job' is reserved; allowed are keys that are not Name/],
    ['one of AWS', { 'AWS:x': 'x' }, /'AWS:x' is reserved/],
    ['a key that is too long', { ['k'.repeat(129)]: 'x' }, /keys of 1 to 128/],
    ['a value that is too long', { k: 'x'.repeat(257) }, /values of up to 256/],
    ['a control character', { 'a\nb': 'x' }, /"a\\nb" holds a control character/],
    ['a key that is a token', { [Aws.STACK_NAME]: 'x' }, /allowed are tokens as values only/],
    ['46 tags', Object.fromEntries(Array.from({ length: 46 }, (_, i) => [`k${i}`, 'x'])), /46 tags are too many; allowed are 45/],
  ])('fails on %s as a tag', (_what, vmTags, message) => {
    expect(() => withProps(() => ({ vmTags }))).toThrow(message);
  });

  test('limits: in the parameter, and as far as IAM knows them in the conditions of every launch', () => {
    const template = withProps(() => ({
      maxLifetime: Duration.hours(12),
      maxVms: 20,
      allowedVmTypes: ['m7i.*', 'c7i.*'],
      allowedSpotPolicies: [SpotPolicy.SPOT],
    }));
    const { Value } = propertiesOf(template, 'AWS::SSM::Parameter') as { Value: string };
    expect(parseScaffold(Value).limits).toEqual({ lifetimeS: 43_200, vms: 20, vmTypes: ['m7i.*', 'c7i.*'], spotPolicies: ['spot'] });
    const launches = statementsOf(template, 'Developer').filter(({ Action }) => Action === 'ec2:RunInstances');
    const [vms] = launches.filter(({ Resource }) => JSON.stringify(Resource).includes(':instance/*'));
    expect(vms!.Condition).toMatchObject({
      StringEquals: { 'aws:RequestTag/rawcloud:scaffold': 'default', 'ec2:InstanceMarketType': ['spot'] },
      StringLike: { 'ec2:InstanceType': ['m7i.*', 'c7i.*'] },
    });
    const [others] = launches.filter(({ Resource }) => JSON.stringify(Resource).includes(':volume/*'));
    expect(others!.Condition).not.toHaveProperty('StringLike');
  });

  test.each<[string, RawCloudProps, RegExp]>([
    ['a lifetime of a second', { maxLifetime: Duration.seconds(1) }, /maxLifetime of 1 s is not possible; allowed are 60 s to 30 days/],
    ['no VMs', { maxVms: 0 }, /maxVms of 0 is not possible/],
    ['a number that is a token', { maxVms: Token.asNumber({ Ref: 'Most' }) }, /'maxVms' must be known before the deployment/],
    ['a duration that is a token', { maxLifetime: Duration.hours(Token.asNumber({ Ref: 'Most' })) }, /'maxLifetime' must be known/],
    ['a type that is a token', { allowedVmTypes: [Aws.REGION] }, /'allowedVmTypes' must be known/],
  ])('fails on %s as a limit', (_what, props, message) => {
    expect(() => withProps(() => props)).toThrow(message);
  });

  test('regions that the reaper watches: in the parameter, none included, and refused when they are no regions', () => {
    const named = (watchedRegions?: string[]) => {
      const { Value } = propertiesOf(synthesize(watchedRegions ? { watchedRegions } : {}).template, 'AWS::SSM::Parameter');
      return parseScaffold(Value as string).watchedRegions;
    };
    expect([named(), named([]), named(['eu-west-1', 'us-gov-east-1'])]).toEqual([undefined, [], ['eu-west-1', 'us-gov-east-1']]);
    expect(() => synthesize({ watchedRegions: ['eu-west-1', 'Ireland'] })).toThrow(
      /'watchedRegions' has 'Ireland'; allowed are .*'eu-west-1'/,
    );
  });

  test('metrics: the reaper’s function is told, alarms find them, and ask for none that is never written', () => {
    const app = new App({ outdir: mkdtempSync(path.join(outdir, 'app-')) });
    const cloud = new RawCloud(new Stack(app, 'Counts'), 'RawCloud', { name: 'team', metrics: true });
    const all = [cloud.metricLeftoversFound(), cloud.metricLeftoversRemoved(), cloud.metricUnproved(), cloud.metricJobsFailed()];
    expect(all.map((metric) => metric.metricName)).toEqual(['LeftoversFound', 'LeftoversRemoved', 'Unproved', 'JobsFailed']);
    cloud.metricJobsFailed({ period: Duration.hours(1) }).createAlarm(cloud, 'Alarm', { threshold: 1, evaluationPeriods: 1 });
    const template = Template.fromStack(Stack.of(cloud));
    const metric = { Namespace: 'rawcloud', MetricName: 'JobsFailed', Dimensions: [{ Name: 'Scaffolding', Value: 'team' }] };
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { ...metric, Statistic: 'Sum', Period: 3600 });
    const variables = Object.values(template.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => (Properties as { Environment: { Variables: object } }).Environment.Variables,
    );
    expect(variables).toEqual([{ RAWCLOUD_SCAFFOLD: 'team' }, { RAWCLOUD_SCAFFOLD: 'team', RAWCLOUD_METRICS: 'on' }]);
    expect(() => new RawCloud(new Stack(app, 'Silent'), 'RawCloud').metricUnproved()).toThrow(
      /no metric 'Unproved' unless RawCloud has `metrics: true`/,
    );
  });

  test('a permissions boundary: every role of the scaffolding has it', () => {
    const template = withProps((stack) => ({
      permissionsBoundary: ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'company-boundary'),
    }));
    const roles = Object.entries(template.findResources('AWS::IAM::Role')).filter(([id]) => !id.startsWith('Developer'));
    expect(roles).toHaveLength(3);
    for (const [, role] of roles)
      expect(JSON.stringify((role['Properties'] as Record<string, unknown>)['PermissionsBoundary'])).toContain('policy/company-boundary');
  });
});

describe('a VPC that is brought along', () => {
  const inVpc = (
    props: (vpc: Vpc, stack: Stack) => RawCloudProps,
    then: (cloud: RawCloud, vpc: Vpc, stack: Stack) => void = () => undefined,
  ): Template => {
    const stack = new Stack(new App({ outdir: mkdtempSync(path.join(outdir, 'app-')) }), 'Test', {
      env: { account: '123456789012', region: 'eu-central-1' },
    });
    const vpc = new Vpc(stack, 'Vpc', { availabilityZones: ['eu-central-1a', 'eu-central-1b'], natGateways: 1 });
    const cloud = new RawCloud(stack, 'RawCloud', { vpc, ...props(vpc, stack) });
    cloud.grantRun(new Role(stack, 'Developer', { assumedBy: new AccountRootPrincipal() }));
    then(cloud, vpc, stack);
    return Template.fromStack(stack);
  };
  const facts = (template: Template) => parseScaffold((propertiesOf(template, 'AWS::SSM::Parameter') as { Value: string }).Value);

  test('its private subnets are in the parameter with their zones, and launches are narrowed to them', () => {
    const template = inVpc(() => ({}));
    const { zones, subnets } = facts(template);
    expect(zones).toEqual(['eu-central-1a', 'eu-central-1b']);
    expect(subnets).toEqual([
      { id: expect.stringContaining('VpcPrivateSubnet1Subnet') as string, zone: 'eu-central-1a', public: false },
      { id: expect.stringContaining('VpcPrivateSubnet2Subnet') as string, zone: 'eu-central-1b', public: false },
    ]);
    const [from] = statementsOf(template, 'Developer').filter(({ Resource }) => JSON.stringify(Resource).includes(':security-group/'));
    const resources = (resolve(from!.Resource, deployed) as string[]).filter((arn) => arn.includes(':subnet/'));
    expect(resources).toEqual(subnets!.map(({ id }) => `arn:aws:ec2:eu-central-1:123456789012:subnet/${id}`));
  });

  test('its public subnets count as such, and the group of the VMs belongs to the VPC and lets nothing in', () => {
    const template = inVpc(() => ({ vpcSubnets: { subnetType: SubnetType.PUBLIC } }));
    expect(facts(template).subnets!.map((subnet) => subnet.public)).toEqual([true, true]);
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'rawcloud: VMs, nothing in, everything out',
      VpcId: { Ref: Match.stringLikeRegexp('^Vpc') },
      SecurityGroupIngress: Match.absent(),
    });
  });

  test('groups of yours are those of the VMs, and launches are narrowed to them', () => {
    const template = inVpc((vpc, stack) => ({
      securityGroups: [new SecurityGroup(stack, 'One', { vpc }), new SecurityGroup(stack, 'Two', { vpc })],
    }));
    const { LaunchTemplateData } = propertiesOf(template, 'AWS::EC2::LaunchTemplate') as {
      LaunchTemplateData: { SecurityGroupIds: string[] };
    };
    expect(LaunchTemplateData.SecurityGroupIds).toHaveLength(2);
    template.resourceCountIs('AWS::EC2::SecurityGroup', 2);
    const [from] = statementsOf(template, 'Developer').filter(({ Resource }) => JSON.stringify(Resource).includes(':security-group/'));
    expect(JSON.stringify(from!.Resource).match(/security-group\//g)).toHaveLength(2);
  });

  test('what VMs may connect to says so by their connections', () => {
    const template = inVpc(
      () => ({}),
      (cloud, vpc, stack) => new SecurityGroup(stack, 'Database', { vpc }).connections.allowFrom(cloud, Port.tcp(5432)),
    );
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      FromPort: 5432,
      GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Database'), 'GroupId'] },
      SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^RawCloud'), 'GroupId'] },
    });
  });

  test('fails on two subnets in one zone, on none, on subnets without a VPC and on an unknown zone', () => {
    const both = (vpc: Vpc): RawCloudProps => ({ vpcSubnets: { subnets: [...vpc.publicSubnets, ...vpc.privateSubnets] } });
    expect(() => inVpc(both)).toThrow(/several subnets in eu-central-1a, eu-central-1b; allowed is one for each zone/);
    expect(() => inVpc(() => ({ securityGroups: [] }))).toThrow(/'securityGroups' is empty/);
    expect(() => synthesize({ vpcSubnets: { subnetType: SubnetType.PUBLIC } })).toThrow(/give 'vpc' as well/);
    const unknown = (_vpc: Vpc, stack: Stack): RawCloudProps => ({
      vpcSubnets: { subnets: [Subnet.fromSubnetId(stack, 'Brought', 'subnet-1')] },
    });
    expect(() => inVpc(unknown)).toThrow(/zone of subnet 'Brought' is not known; import it with Subnet\.fromSubnetAttributes/);
  });
});

describe('name', () => {
  test('tells several apart by parameter and tags', () => {
    const { template } = synthesize({ name: 'team-a' });
    template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/rawcloud/team-a/scaffold' });
    for (const type of ['AWS::S3::Bucket', 'AWS::IAM::Role', 'AWS::EC2::SecurityGroup']) {
      template.hasResourceProperties(type, { Tags: Match.arrayWith([{ Key: 'rawcloud:scaffold', Value: 'team-a' }]) });
    }
    template.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      TagSpecifications: [{ ResourceType: 'launch-template', Tags: [{ Key: 'rawcloud:scaffold', Value: 'team-a' }] }],
    });
  });

  test('fails on a name that could be no part of the parameter, and says what is allowed', () => {
    const attempt = () => synthesize({ name: 'Team A' });
    expect(attempt).toThrow(/'Team A' is not valid; allowed are 1 to 32 lower-case letters/);
  });
});

describe('allowExec', () => {
  /** Actions of Systems Manager that somebody with `grantRun` has. */
  function granted(props: RawCloudProps): Statement[] {
    const app = new App({ outdir: mkdtempSync(path.join(outdir, 'app-')) });
    const own = new Stack(app, 'Test');
    new RawCloud(own, 'RawCloud', props).grantRun(new Role(own, 'Developer', { assumedBy: new AccountRootPrincipal() }));
    const about = ({ Action }: Statement): boolean => [Action].flat().some((action) => /^ssm(messages)?:(?!GetParameter)/.test(action));
    return statementsOf(Template.fromStack(own), 'Developer').filter(about);
  }

  test('is off: no document, and nobody may do with Session Manager anything', () => {
    template.resourceCountIs('AWS::SSM::Document', 0);
    expect(JSON.stringify(template.toJSON())).not.toMatch(/ssmmessages|StartSession/);
    expect(granted({})).toEqual([]);
  });

  test('lays down one session document by name, which the parameter tells', () => {
    const { template: allowed } = synthesize({ name: 'team-a', allowExec: true });
    allowed.hasResourceProperties('AWS::SSM::Document', {
      Name: 'rawcloud-team-a-exec',
      DocumentType: 'Session',
      UpdateMethod: 'NewVersion',
      Content: execDocument(),
    });
    const { Value } = propertiesOf(allowed, 'AWS::SSM::Parameter');
    expect(parseScaffold(String(Value)).exec).toEqual({ document: 'rawcloud-team-a-exec' });
  });

  test('lets who runs jobs start sessions on VMs with our tag by our document alone, and end his own', () => {
    const statements = granted({ allowExec: true });
    expect(statements.map(({ Action }) => Action)).toEqual([
      'ssm:StartSession',
      'ssm:StartSession',
      ['ssm:ResumeSession', 'ssm:TerminateSession'],
      'ssmmessages:OpenDataChannel',
    ]);
    expect(statements[0]!.Condition).toEqual({
      StringEquals: { 'ssm:resourceTag/rawcloud:scaffold': 'default' },
      BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' },
    });
    expect(JSON.stringify(statements[1]!.Resource)).toContain(':document/rawcloud-default-exec');
    expect(statements[2]!.Condition).toEqual({ StringEquals: { 'ssm:resourceTag/aws:ssmmessages:session-id': '${aws:userid}' } });
  });

  test('of a shared scaffolding is a managed policy of its own, which other stacks attach where they say so', () => {
    const { template: allowed } = synthesize({ allowExec: true, shared: true });
    const policies = Object.values(allowed.findResources('AWS::IAM::ManagedPolicy')).map(
      ({ Properties }) => resolve(Properties, deployed) as { ManagedPolicyName: string; PolicyDocument: object },
    );
    const exec = policies.filter(({ PolicyDocument }) => JSON.stringify(PolicyDocument).includes('StartSession'));
    expect(exec.map(({ ManagedPolicyName }) => ManagedPolicyName)).toEqual([expect.stringMatching(/^rawcloud-default-.+-exec$/)]);
    // What IAM allows for one.
    for (const { PolicyDocument } of policies) expect(JSON.stringify(PolicyDocument).length).toBeLessThan(6144);
    const app = new App({ outdir: mkdtempSync(path.join(outdir, 'app-')) });
    const other = new Stack(app, 'Other', { env: { region: 'eu-central-1' } });
    const known = { name: 'default', bucketName: 'b', launchFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:l' };
    const arns = { deadLettersArn: 'arn:aws:sqs:eu-central-1:123456789012:q', securityGroupIds: ['sg-1'], allowExec: true };
    RawCloud.fromAttributes(other, 'RawCloud', { ...known, ...arns }).grantRun(
      new Role(other, 'Developer', { assumedBy: new AccountRootPrincipal() }),
    );
    expect(JSON.stringify(Template.fromStack(other).findResources('AWS::IAM::Role'))).toContain('rawcloud-default-eu-central-1-exec');
  });

  test('gives VMs what their SSM agent needs, and the functions nothing', () => {
    const { template: allowed } = synthesize({ allowExec: true });
    const roles = Object.entries(allowed.findResources('AWS::IAM::Role')).filter(([, role]) =>
      JSON.stringify(role).includes('ssmmessages'),
    );
    expect(roles.map(([id]) => id)).toEqual([expect.stringMatching(/^RawCloudVmRole/)]);
    expect(JSON.stringify(allowed.findResources('AWS::IAM::Policy'))).not.toMatch(/ssmmessages|StartSession/);
  });
});
