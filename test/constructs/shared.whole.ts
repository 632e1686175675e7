import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { App, Aws, Duration, Stack, Stage } from 'aws-cdk-lib';
import type { CfnElement } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Peer, Port, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Rule } from 'aws-cdk-lib/aws-events';
import { AccountRootPrincipal, Role, User } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { EventJob, JobRole, JobTarget, RawCloud, ScheduledJob } from '../../lib';
import type { IRawCloud, RawCloudAttributes, RawCloudProps } from '../../lib';
import { readStatements, stopStatements } from '../../lib/contract';
import { evaluate } from '../../lib/local/policy';
import { deployedAs, resolve } from './resolve';

/** aws-cdk-lib validates each template by rules that take seconds to load; the first capture fetches Node. */
jest.setTimeout(240_000);

const ENV = { account: '123456789012', region: 'eu-central-1' };
const PATH = '/rawcloud/eu-central-1/default/';
const PATTERN = `arn:aws:iam::123456789012:role${PATH}*`;
const LOOK = { partition: 'arn:aws', ...ENV, scaffold: 'default', bucketArn: 'arn:aws:s3:::bucket' };

let scratch: string;
let source: string;
beforeAll(() => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'cdk-out-'));
  source = path.join(scratch, 'job');
  mkdirSync(source);
  writeFileSync(path.join(source, 'report.sh'), 'echo report\n');
});
afterAll(() => rmSync(scratch, { recursive: true }));

const newApp = () => new App({ outdir: mkdtempSync(path.join(scratch, 'app-')) });
const newStack = (scope: App | Stage = newApp(), id = 'Test') => new Stack(scope, id, { env: ENV });
const job = (stack: Stack, cloud: IRawCloud, id = 'Nightly') =>
  new ScheduledJob(stack, id, { cloud, schedule: ScheduleExpression.rate(Duration.hours(1)), source, command: ['sh', 'report.sh'] });
const developer = (stack: Stack) => new Role(stack, 'Developer', { assumedBy: new AccountRootPrincipal() });
const ATTRIBUTES: RawCloudAttributes = {
  name: 'default',
  bucketName: 'bucket',
  launchFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:launch',
  deadLettersArn: 'arn:aws:sqs:eu-central-1:123456789012:dead-letters',
  securityGroupIds: ['sg-1', 'sg-2'],
};

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: Record<string, Record<string, string | string[]>>;
}

/** All statements of a kind of resource, as deployed. */
function statementsOf(template: Template, type: string, id = ''): Statement[] {
  const found = Object.entries(template.findResources(type)).filter(([logicalId]) => logicalId.startsWith(id));
  return found.flatMap(([, { Properties }]) => {
    const { PolicyDocument, Policies = [] } = resolve(Properties, deployedAs()) as {
      PolicyDocument?: { Statement: Statement[] };
      Policies?: { PolicyDocument: { Statement: Statement[] } }[];
    };
    return [PolicyDocument, ...Policies.map((policy) => policy.PolicyDocument)].flatMap((document) => document?.Statement ?? []);
  });
}

const sids = (statements: readonly Statement[], sid: string): Statement[] => statements.filter((statement) => statement.Sid === sid);

describe('grants', () => {
  test.each([
    ['grantRead', readStatements(LOOK)],
    ['grantStop', stopStatements(LOOK)],
  ] as const)('%s gives what the contract says, and the use of the key', (grant, expected) => {
    const stack = newStack();
    const cloud = new RawCloud(stack, 'RawCloud', { encryptionKey: new Key(stack, 'Key') });
    cloud[grant](developer(stack)).assertSuccess();
    const statements = statementsOf(Template.fromStack(stack), 'AWS::IAM::Policy', 'Developer');
    const actions = (all: readonly { Action: string | readonly string[] }[]) => all.flatMap(({ Action }) => Action).sort();
    const key = grant === 'grantRead' ? ['kms:Decrypt'] : ['kms:Decrypt', 'kms:GenerateDataKey'];
    expect(actions(statements)).toEqual([...actions(expected), ...key].sort());
    expect(statements.find(({ Action }) => Action === 's3:GetObject')!.Resource).toHaveLength(3);
    expect(JSON.stringify(statements)).not.toMatch(/sealed|private/);
  });
});

describe('a scaffolding that is shared', () => {
  const shared = (props: RawCloudProps = {}) => {
    const stack = newStack();
    new RawCloud(stack, 'RawCloud', { shared: true, ...props });
    return Template.fromStack(stack);
  };

  test('publishes its facts and grants under names that can be told', () => {
    const template = shared();
    const names = Object.values(template.findResources('AWS::SSM::Parameter')).map((p) => (p['Properties'] as { Name: string }).Name);
    expect(names.sort()).toEqual(
      ['scaffold', 'shared/bucket', 'shared/dead-letters', 'shared/launch-function', 'shared/security-groups'].map(
        (n) => `/rawcloud/default/${n}`,
      ),
    );
    const policies = Object.values(template.findResources('AWS::IAM::ManagedPolicy')).map(
      (p) => p['Properties'] as { ManagedPolicyName: string },
    );
    expect(policies.map(({ ManagedPolicyName }) => ManagedPolicyName).sort()).toEqual(
      ['launch', 'read', 'run', 'stop'].map((n) => `rawcloud-default-eu-central-1-${n}`),
    );
  });

  test('lets in roles under its path, from templates with its tag, and none else; unshared ones let in neither', () => {
    const template = shared();
    expect(JSON.stringify(sids(statementsOf(template, 'AWS::S3::BucketPolicy'), 'PrivateGrantsForVmsOnly')[0]!.Condition)).toContain(
      PATTERN,
    );
    const launch = statementsOf(template, 'AWS::IAM::Role', 'RawCloudLaunchRole');
    const may = (action: string, resource: string, context: Record<string, string> = {}) =>
      evaluate(
        launch.filter(({ Condition }) => !Condition?.['ArnLike'] && !Condition?.['ArnEquals']),
        { action, resource, context },
      ) === 'allowed';
    const toEc2 = { 'iam:passedtoservice': 'ec2.amazonaws.com' };
    expect(may('iam:PassRole', `arn:aws:iam::123456789012:role${PATH}Job-VmRole`, toEc2)).toBe(true);
    expect(may('iam:PassRole', 'arn:aws:iam::123456789012:role/rawcloud/eu-central-1/other/Job', toEc2)).toBe(false);
    expect(may('iam:PassRole', `arn:aws:iam::123456789012:role${PATH}Job-VmRole`, { 'iam:passedtoservice': 'lambda.amazonaws.com' })).toBe(
      false,
    );
    const lt = 'arn:aws:ec2:eu-central-1:123456789012:launch-template/lt-other';
    expect(may('ec2:RunInstances', lt, { 'aws:resourcetag/rawcloud:scaffold': 'default' })).toBe(true);
    expect(may('ec2:RunInstances', lt, { 'aws:resourcetag/rawcloud:scaffold': 'other' })).toBe(false);
    expect(sids(launch, 'LaunchTagged')[0]!.Condition).toMatchObject({
      ArnLike: { 'ec2:LaunchTemplate': 'arn:aws:ec2:eu-central-1:123456789012:launch-template/*' },
    });
    const unshared = JSON.stringify(shared({ shared: false }).toJSON());
    expect(unshared).not.toMatch(/PassOtherVmRoles|LaunchFromOtherTemplates|ContentOfOtherStacks|RulesOfOtherStacks|ArnNotLike/);
  });
});

describe('a job in another stack', () => {
  test('of the same app: its stack waits for the scaffolding’s and not the other way round, and nothing there names it', () => {
    const app = newApp();
    const base = newStack(app, 'Base');
    const cloud = new RawCloud(base, 'RawCloud', { shared: true });
    const stack = newStack(app, 'Jobs');
    job(stack, cloud);
    const arrived = new EventJob(stack, 'Arrived', { cloud, source, command: ['sh', 'report.sh'] });
    new Rule(stack, 'Rule', { eventPattern: { source: ['aws.s3'] }, targets: [new JobTarget(arrived)] });
    app.synth();
    expect(base.dependencies).toEqual([]);
    expect(stack.dependencies).toEqual([base]);
    const template = Template.fromStack(stack);
    template.allResourcesProperties('AWS::EC2::LaunchTemplate', {
      TagSpecifications: [{ ResourceType: 'launch-template', Tags: [{ Key: 'rawcloud:scaffold', Value: 'default' }] }],
    });
    template.hasResourceProperties('AWS::IAM::Role', { Path: PATH, Description: 'rawcloud: VMs of the job Nightly' });
    template.hasResourceProperties('AWS::Events::Rule', { Targets: [Match.objectLike({ DeadLetterConfig: Match.anyValue() })] });
  });

  test('of another app, by name: CloudFormation reads what it needs, and the key of the bucket may be used for it alone', () => {
    const stack = newStack();
    const cloud = RawCloud.fromName(stack, 'RawCloud');
    job(stack, cloud);
    const template = Template.fromStack(stack);
    const parameters = Object.values(template.toJSON()['Parameters'] as Record<string, { Type: string; Default: string }>);
    expect(
      parameters
        .filter(({ Default }) => Default.startsWith('/rawcloud/'))
        .map(({ Type, Default }) => [Default, Type])
        .sort(),
    ).toEqual([
      ['/rawcloud/default/shared/bucket', 'AWS::SSM::Parameter::Value<String>'],
      ['/rawcloud/default/shared/dead-letters', 'AWS::SSM::Parameter::Value<String>'],
      ['/rawcloud/default/shared/launch-function', 'AWS::SSM::Parameter::Value<String>'],
      ['/rawcloud/default/shared/security-groups', 'AWS::SSM::Parameter::Value<List<String>>'],
    ]);
    template.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: Match.objectLike({ SecurityGroupIds: { Ref: Match.anyValue() } }),
    });
    const [key] = sids(statementsOf(template, 'AWS::IAM::Policy', 'NightlyJobVmRole'), 'KeyOfBucket');
    expect(key!.Condition!['StringLike']).toMatchObject({ 'kms:ViaService': 's3.*' });
    expect(JSON.stringify(key!.Condition)).toMatch(/encryptioncontext/i);
  });

  test('fails when the scaffolding is not shared, saying where both are and what to do', () => {
    const app = newApp();
    const cloud = new RawCloud(newStack(app, 'Base'), 'RawCloud');
    expect(() => job(newStack(app, 'Jobs'), cloud)).toThrow(
      /job 'Jobs\/Nightly\/Job' is in the stack 'Jobs', its RawCloud in 'Base'.*give the RawCloud 'shared: true', or put the job into its stack/,
    );
  });

  test('fails in another region', () => {
    const app = newApp();
    const cloud = new RawCloud(newStack(app, 'Base'), 'RawCloud', { shared: true });
    const far = new Stack(app, 'Far', { env: { ...ENV, region: 'us-east-1' } });
    expect(() => job(far, cloud)).toThrow(/in the region us-east-1, its RawCloud in eu-central-1; allowed is the same one/);
  });

  test('keeps to limits and tags that it is told of', () => {
    const cloud = (more: Partial<RawCloudAttributes>) => {
      const stack = newStack();
      return () => job(stack, RawCloud.fromAttributes(stack, 'RawCloud', { ...ATTRIBUTES, ...more }));
    };
    expect(() => cloud({ maxLifetime: Duration.hours(2) })()).not.toThrow();
    expect(() => {
      const stack = newStack();
      const imported = RawCloud.fromAttributes(stack, 'RawCloud', { ...ATTRIBUTES, allowedVmTypes: ['m7i.*'] });
      new ScheduledJob(stack, 'Job', {
        cloud: imported,
        schedule: ScheduleExpression.rate(Duration.hours(1)),
        source,
        command: ['true'],
        vmTypes: ['p5.48xlarge'],
      });
    }).toThrow(/p5\.48xlarge is not allowed; allowed are m7i/);
  });
});

describe('an imported scaffolding', () => {
  test('grants running by its own managed policy, reading and stopping by statements for its bucket', () => {
    const stack = newStack();
    const cloud = RawCloud.fromAttributes(stack, 'RawCloud', ATTRIBUTES);
    cloud.grantRun(developer(stack)).assertSuccess();
    cloud.grantRead(new Role(stack, 'Reader', { assumedBy: new AccountRootPrincipal() })).assertSuccess();
    cloud.grantStop(new Role(stack, 'Stopper', { assumedBy: new AccountRootPrincipal() })).assertSuccess();
    const template = Template.fromStack(stack);
    const [role] = Object.values(template.findResources('AWS::IAM::Role', { Properties: { ManagedPolicyArns: Match.anyValue() } }));
    expect(resolve((role!['Properties'] as { ManagedPolicyArns: unknown }).ManagedPolicyArns, deployedAs())).toEqual([
      'arn:aws:iam::123456789012:policy/rawcloud-default-eu-central-1-run',
      'arn:aws:iam::123456789012:policy/rawcloud-default-eu-central-1-launch',
    ]);
    for (const [id, expected] of [
      ['Reader', readStatements(LOOK)],
      ['Stopper', stopStatements(LOOK)],
    ] as const) {
      const given = statementsOf(template, 'AWS::IAM::Policy', id).map(({ Sid: _sid, ...statement }) => statement);
      expect(given).toEqual(expect.arrayContaining(expected.map(({ Sid: _sid, ...statement }) => statement)));
    }
  });

  test('attaches its managed policies to users, whose own are too short for them, and gives those of other apps what fits', () => {
    const stack = newStack();
    const cloud = RawCloud.fromAttributes(stack, 'RawCloud', ATTRIBUTES);
    const jane = new User(stack, 'Jane');
    cloud.grantRun(jane).assertSuccess();
    cloud.grantStop(jane).assertSuccess();
    cloud.grantRead(User.fromUserName(stack, 'Joe', 'joe')).assertSuccess();
    const template = Template.fromStack(stack);
    const [user] = Object.values(template.findResources('AWS::IAM::User'));
    expect(resolve((user!['Properties'] as { ManagedPolicyArns: unknown }).ManagedPolicyArns, deployedAs())).toEqual(
      ['run', 'launch', 'stop'].map((n) => `arn:aws:iam::123456789012:policy/rawcloud-default-eu-central-1-${n}`),
    );
    expect(statementsOf(template, 'AWS::IAM::Policy', 'Jane')).toHaveLength(2);
    expect(
      statementsOf(template, 'AWS::IAM::Policy', 'RawCloudJoe').length + statementsOf(template, 'AWS::IAM::Policy', 'Joe').length,
    ).toBe(readStatements(LOOK).length + 1);
  });

  test('says which policy to attach to whom it cannot give one', () => {
    const stack = newStack();
    const cloud = RawCloud.fromAttributes(stack, 'RawCloud', ATTRIBUTES);
    const grant = cloud.grantRun(Role.fromRoleName(stack, 'People', 'people'));
    expect(() => grant.assertSuccess()).toThrow();
    Annotations.fromStack(stack).hasWarning(
      '*',
      Match.stringLikeRegexp(
        'managed policies rawcloud-default-eu-central-1-run and rawcloud-default-eu-central-1-launch, and a principal',
      ),
    );
  });

  test('lets others be told of its VMs and of what its reaper finds', () => {
    const stack = newStack();
    const cloud = RawCloud.fromName(stack, 'RawCloud', 'team-a');
    const database = new SecurityGroup(stack, 'Database', { vpc: new Vpc(stack, 'Vpc', { availabilityZones: ['eu-central-1a'] }) });
    database.connections.allowFrom(cloud, Port.tcp(5432));
    database.addIngressRule(Peer.ipv4('10.0.0.0/8'), Port.tcp(22));
    cloud.onLeftoversFound('Leftovers');
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      SourceSecurityGroupId: { 'Fn::Select': [0, { Ref: Match.stringLikeRegexp('SsmParameterValue') }] },
    });
    template.hasResourceProperties('AWS::Events::Rule', { EventPattern: Match.objectLike({ source: ['rawcloud.team-a'] }) });
  });

  test.each<[string, () => unknown, RegExp]>([
    ['a name that is none', () => RawCloud.fromName(newStack(), 'RawCloud', 'Team A'), /'Team A' is not valid; allowed are 1 to 32/],
    ['a name that is a token', () => RawCloud.fromName(newStack(), 'RawCloud', Aws.STACK_NAME), /must be known before the deployment/],
    [
      'no security group',
      () => RawCloud.fromAttributes(newStack(), 'RawCloud', { ...ATTRIBUTES, securityGroupIds: [] }),
      /'securityGroupIds' is empty/,
    ],
  ])('fails for %s', (_what, attempt, message) => {
    expect(attempt).toThrow(message);
  });
});

describe('names', () => {
  test('fails on two scaffoldings of one name in one place, and names both', () => {
    const app = newApp();
    new RawCloud(newStack(app, 'One'), 'RawCloud');
    expect(() => new RawCloud(newStack(app, 'Two'), 'RawCloud')).toThrow(
      /'One\/RawCloud' and 'Two\/RawCloud' both make a scaffolding of the name 'default' in one account and region; give one of them another 'name'/,
    );
  });

  test('two of one name live in two regions, and in two stages whose accounts are not known yet', () => {
    const app = newApp();
    new RawCloud(newStack(app, 'One'), 'RawCloud');
    new RawCloud(new Stack(app, 'Two', { env: { ...ENV, region: 'us-east-1' } }), 'RawCloud');
    for (const stage of ['Dev', 'Prod']) new RawCloud(new Stack(new Stage(app, stage), 'Three'), 'RawCloud');
  });

  test('fails on two jobs of one name in one scaffolding', () => {
    const stack = newStack();
    const cloud = new RawCloud(stack, 'RawCloud');
    job(stack, cloud);
    expect(() => new EventJob(stack, 'Other', { cloud, source, command: ['true'], name: 'Nightly' })).toThrow(
      /'Test\/Nightly' and 'Test\/Other' are both jobs of the name 'Nightly' in the scaffolding 'default'.*another 'name'/,
    );
  });

  test('fails on two roles of one name, and on one that nobody could ask for', () => {
    const stack = newStack();
    const cloud = new RawCloud(stack, 'RawCloud');
    new JobRole(stack, 'training', { cloud });
    expect(() => new JobRole(stack, 'Other', { cloud, name: 'training' })).toThrow(/are both roles of the name 'training'/);
    expect(() => new JobRole(stack, 'Third', { cloud, name: 'a b' })).toThrow("'a b' is not the name of a role for jobs");
  });
});

describe('a role for jobs', () => {
  const PARAMETER = 'AWS::SSM::Parameter';

  test('is told by a parameter, lies beside a template of its own, may be granted to, and be given to VMs by who runs jobs', () => {
    const stack = newStack();
    const cloud = new RawCloud(stack, 'RawCloud');
    const role = new JobRole(stack, 'training', { cloud });
    const person = developer(stack);
    new Bucket(stack, 'Data').grantRead(role);
    cloud.grantRun(person);
    const template = Template.fromStack(stack);
    template.hasResourceProperties(PARAMETER, { Name: '/rawcloud/default/roles/training', Tags: { 'rawcloud:scaffold': 'default' } });
    template.resourceCountIs('AWS::EC2::LaunchTemplate', 2);
    const roleId = stack.getLogicalId(role.role.node.defaultChild as CfnElement);
    template.hasResourceProperties('AWS::IAM::Policy', { Roles: [{ Ref: roleId }] });
    const run = statementsOf(template, 'AWS::IAM::Policy', 'Developer');
    const ofJobs = statementsOf(template, 'AWS::IAM::ManagedPolicy', 'RawCloudLaunchJobs');
    expect([...run, ...ofJobs].filter(({ Action }) => Action === 'iam:PassRole').flatMap(({ Resource }) => Resource)).toHaveLength(2);
    expect(run.find(({ Action }) => Action === 'ssm:GetParametersByPath')!.Resource).toBe(
      'arn:aws:ssm:eu-central-1:123456789012:parameter/rawcloud/default/roles',
    );
  });

  test('of another stack lies under the path of the scaffolding’s roles', () => {
    const app = newApp();
    const cloud = new RawCloud(newStack(app), 'RawCloud', { shared: true });
    const stack = newStack(app, 'Training');
    new JobRole(stack, 'training', { cloud });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::IAM::Role', { Path: PATH });
    template.hasResourceProperties(PARAMETER, { Name: '/rawcloud/default/roles/training' });
  });
});
