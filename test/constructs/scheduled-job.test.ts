import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { App, Aws, Duration, Stack, TimeZone, Token } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EventJob, JobSecret, JobTarget, RawCloud, ScheduledJob, SpotPolicy } from '../../lib';
import type { RawCloudProps, ScheduledJobProps } from '../../lib';
import { assetName, decodeJson, DefinitionSchema, parseDeployed, tickOf } from '../../lib/contract';
import type { Deployed } from '../../lib/contract';
import { deployedAs, resolve } from './resolve';

/** aws-cdk-lib validates each template by rules that take seconds to load; the first capture fetches Node. */
jest.setTimeout(240_000);

const deployed = deployedAs({ '.RoleId': 'AROAOFTHEJOB', '.LatestVersionNumber': '2' });

let scratch: string;
let source: string;
beforeAll(() => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'cdk-job-'));
  source = path.join(scratch, 'job');
  mkdirSync(source);
  writeFileSync(path.join(source, 'report.sh'), 'echo report\n');
});
afterAll(() => rmSync(scratch, { recursive: true }));

interface Made {
  readonly stack: Stack;
  readonly cloud: RawCloud;
}

function inStack(make: (made: Made) => void, props: RawCloudProps = {}): { template: Template; outdir: string } {
  const outdir = mkdtempSync(path.join(scratch, 'app-'));
  const stack = new Stack(new App({ outdir }), 'Test');
  make({ stack, cloud: new RawCloud(stack, 'RawCloud', props) });
  return { template: Template.fromStack(stack), outdir };
}

function directory(files: Readonly<Record<string, string>>): string {
  const made = mkdtempSync(path.join(scratch, 'source-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(made, name), content);
  return made;
}

const scheduled = ({ stack, cloud }: Made, change: Partial<ScheduledJobProps> = {}): ScheduledJob =>
  new ScheduledJob(stack, 'Nightly', {
    cloud,
    schedule: ScheduleExpression.cron({ hour: '3', minute: '0', timeZone: TimeZone.EUROPE_ZURICH }),
    source,
    command: ['sh', 'report.sh'],
    ...change,
  });

/** The parameter of the deployed job, as the launch function reads it. */
function deployedJob(template: Template): Deployed {
  const [found] = Object.values(template.findResources('AWS::SSM::Parameter', { Properties: { Name: Match.stringLikeRegexp('/jobs/') } }));
  const { Value } = resolve(found!['Properties'], deployed) as { Value: string };
  return parseDeployed(Value);
}

describe('a scheduled job', () => {
  let template: Template;
  let outdir: string;
  beforeAll(() => {
    ({ template, outdir } = inStack((made) => {
      const table = new Table(made.stack, 'Table', { partitionKey: { name: 'id', type: AttributeType.STRING } });
      const secret = new Secret(made.stack, 'Secret');
      const variables = { TABLE: table.tableName };
      table.grantReadData(
        scheduled(made, {
          idleTimeout: Duration.minutes(30),
          setup: ['dnf install -y gdal'],
          keep: ['out/', '.'],
          setupTimeout: Duration.hours(1),
          variables,
          secrets: { KEY: JobSecret.fromSecretsManager(secret, 'password') },
        }),
      );
    }));
  });

  test('ticks at its time, in its time zone, with the planned time as the tick', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0 3 * * ? *)',
      ScheduleExpressionTimezone: 'Europe/Zurich',
      State: 'ENABLED',
      Target: Match.objectLike({ DeadLetterConfig: Match.anyValue() }),
    });
    const [schedule] = Object.values(template.findResources('AWS::Scheduler::Schedule'));
    const { Target } = schedule!['Properties'] as { Target: { Input: string } };
    expect(tickOf(JSON.parse(Target.Input))).toEqual({ id: deployedJob(template).id, tick: '<aws.scheduler.scheduled-time>' });
  });

  test('is pinned: its definition and all that it names are assets, found by their hashes', () => {
    const job = deployedJob(template);
    const fileOf = (sha256: string): Buffer => readFileSync(path.join(outdir, `asset.${assetName(sha256)}${job.assets.keySuffix}`));
    const definition = decodeJson(DefinitionSchema, fileOf(job.definition), 'definition');
    expect(definition).toMatchObject({
      work: { argv: ['sh', 'report.sh'], cwd: '' },
      environment: {
        layers: [{ kind: 'setup', recipe: { steps: [{ kind: 'command', command: 'dnf install -y gdal' }], timeoutS: 3_600 } }],
      },
      hardware: { cpu: { min: 2 }, memoryGiB: { min: 8 }, arch: 'x86_64' },
      limits: { idleS: 1_800, retries: [{ times: 2 }, { times: 2 }] },
      overlap: 'skip',
      outputs: ['out', ''],
    });
    // Nothing was asked for of what a scaffolding limits.
    expect(definition.limits).not.toHaveProperty('lifetimeS');
    expect(definition.hardware).not.toHaveProperty('spotPolicy');
    for (const { sha256, bytes } of [...definition.contents, definition.agent, definition.node]) expect(fileOf(sha256)).toHaveLength(bytes);
  });

  test('has variables that the deployment fills in, and secrets by name only', () => {
    const job = deployedJob(template);
    expect(job).toMatchObject({ kind: 'schedule', name: 'Nightly', enabled: true, roleId: 'AROAOFTHEJOB', launchTemplateVersion: '2' });
    expect(job.variables['TABLE']).toMatch(/Table/);
    expect(job.secrets).toEqual({ KEY: { kind: 'secretsmanager', arn: expect.stringMatching(/Secret/) as string, field: 'password' } });
  });

  test('has a role of its own, which may what was granted, and which the bucket knows for a VM', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: Match.arrayWith(['dynamodb:GetItem']) })]) },
      Roles: [{ Ref: Match.stringLikeRegexp('NightlyJobVmRole') }],
    });
    const [policy] = Object.values(template.findResources('AWS::S3::BucketPolicy'));
    const { PolicyDocument } = policy!['Properties'] as { PolicyDocument: { Statement: { Sid?: string; Condition: unknown }[] } };
    const grants = PolicyDocument.Statement.find(({ Sid }) => Sid === 'PrivateGrantsForVmsOnly');
    expect(JSON.stringify(grants!.Condition)).toMatch(/VmRole.*NightlyJobVmRole/);
  });

  test('may be launched by the functions: its role and template, and no other', () => {
    const [launch] = Object.entries(template.findResources('AWS::IAM::Role'))
      .filter(([id]) => /LaunchRole/.test(id))
      .map(([, role]) => role);
    const { Policies } = launch!['Properties'] as { Policies: { PolicyDocument: { Statement: { Sid: string; Resource: unknown[] }[] } }[] };
    const statement = (sid: string) => Policies[0]!.PolicyDocument.Statement.find(({ Sid }) => Sid === sid)!;
    expect(JSON.stringify([statement('PassVmRoles').Resource, statement('LaunchFromTemplate').Resource])).not.toContain('Nightly');
    const ofJobs = {
      PolicyDocument: { Statement: [Match.objectLike({ Sid: 'LaunchFromTemplate' }), Match.objectLike({ Sid: 'PassVmRoles' })] },
    };
    const [policyId, policy] = Object.entries(template.findResources('AWS::IAM::ManagedPolicy', { Properties: ofJobs }))[0]!;
    expect(JSON.stringify(policy)).toMatch(/launch-template.*NightlyJobLaunchTemplate.*NightlyJobVmRole/);
    for (const id of ['LaunchRole', 'ReaperRole']) {
      const holds = { Description: Match.absent(), ManagedPolicyArns: Match.arrayWith([{ Ref: policyId }]) };
      expect(Object.keys(template.findResources('AWS::IAM::Role', { Properties: holds }))).toContainEqual(expect.stringContaining(id));
    }
    expect(JSON.stringify(statement('DeployedContent').Resource)).toMatch(/cdk-hnb659fds-assets/);
  });
});

test('has the Python packages of its lockfile as the props choose, and says what rules changed', () => {
  const files = { 'a.py': '', 'requirements.txt': 'numpy==2.1.0\nattrs==24.2.0\npywin32==306\n', '.python-version': '3.12' };
  const { template, outdir } = inStack((made) => {
    const job = scheduled(made, {
      source: directory(files),
      command: ['python', 'a.py'],
      packageStrictness: ['compatible', 'attrs=exact'],
      packageAdd: ['boto3==1.40.1'],
    });
    expect(JSON.stringify(job.node.findAll().flatMap((one) => one.node.metadata))).toContain('left out pywin32 (the API of Windows)');
  });
  const { definition, assets } = deployedJob(template);
  const file = path.join(outdir, `asset.${assetName(definition)}${assets.keySuffix}`);
  const [layer] = decodeJson(DefinitionSchema, readFileSync(file), 'definition').environment.layers;
  expect(layer!.recipe).toMatchObject({
    requirements: ['attrs==24.2.0', 'numpy==2.1.0'],
    leeway: { yielding: ['numpy'], solve: ['boto3==1.40.1'] },
  });
});

test('all that can carry tags has the scaffolding’s, the jobs’ own resources too', () => {
  const untagged: string[] = [];
  const { template } = inStack((made) => {
    scheduled(made).onFailure('Failed');
    new EventJob(made.stack, 'Arrived', { cloud: made.cloud, source, command: ['sh', 'report.sh'] });
  });
  const resources = template.toJSON()['Resources'] as Record<string, { Type: string; Properties?: Record<string, unknown> }>;
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    if (!JSON.stringify([Properties?.['Tags'], Properties?.['TagSpecifications']]).includes('rawcloud:scaffold'))
      untagged.push(`${Type} ${id}`);
  }
  // CloudFormation knows no tags of these; the role for schedules is the CDK's own, of the whole stack.
  const carriesNone =
    /^AWS::(IAM::((Managed)?Policy|InstanceProfile)|S3::BucketPolicy|SQS::QueuePolicy|Lambda::(Permission|EventInvokeConfig)|Scheduler::Schedule) |SchedulerRoleForTarget/;
  expect(untagged.filter((what) => !carriesNone.test(what))).toEqual([]);
});

test('a rule starts a job with what came with the event, one run for each event', () => {
  const { template } = inStack(({ stack, cloud }) => {
    const job = new EventJob(stack, 'Arrived', { cloud, source, command: ['sh', 'report.sh'] });
    new Rule(stack, 'Rule', { eventPattern: { source: ['aws.s3'] }, targets: [new JobTarget(job)] });
  });
  const job = deployedJob(template);
  expect(job).toMatchObject({ kind: 'event', inputVariable: 'EVENT' });
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { source: ['aws.s3'] },
    Targets: [
      Match.objectLike({
        InputTransformer: { InputPathsMap: { id: '$.id', detail: '$.detail' }, InputTemplate: Match.stringLikeRegexp(job.id) },
      }),
    ],
  });
});

test('rules see the ends of a job’s runs, all of them or those that failed, and what the reaper finds', () => {
  const { template } = inStack((made) => {
    const topic = new Topic(made.stack, 'Topic');
    const target = new SnsTopic(topic);
    scheduled(made).onFailure('Failed', { target });
    const job = new EventJob(made.stack, 'Arrived', { cloud: made.cloud, source, command: ['sh', 'report.sh'] });
    job.onEnded('Ended', { target, ruleName: 'arrived-ended', eventPattern: { detail: { kind: ['event'] } } });
    made.cloud.onLeftoversFound('Leftovers', { target });
  });
  const detail = (pattern: object): object => ({
    EventPattern: pattern,
    Targets: [Match.objectLike({ Arn: { Ref: Match.stringLikeRegexp('Topic') } })],
  });
  const id = Match.stringLikeRegexp('^Job-|^Nightly|^Arrived');
  template.hasResourceProperties(
    'AWS::Events::Rule',
    detail({
      source: ['rawcloud.default'],
      'detail-type': ['Job Ended'],
      detail: { id: [id], outcome: [{ 'anything-but': ['ok', 'stopped'] }] },
    }),
  );
  template.hasResourceProperties('AWS::Events::Rule', {
    Name: 'arrived-ended',
    ...detail({ source: ['rawcloud.default'], 'detail-type': ['Job Ended'], detail: { id: [id], kind: ['event'] } }),
  });
  template.hasResourceProperties('AWS::Events::Rule', detail({ source: ['rawcloud.default'], 'detail-type': ['Leftovers Found'] }));
});

describe('a job fails to synthesize, saying why,', () => {
  const failing: readonly [string, (made: Made) => void, RegExp][] = [
    [
      'without its source directory',
      (made) => scheduled(made, { source: '/nowhere/at/all' }),
      /source directory '\/nowhere\/at\/all' does not exist/,
    ],
    [
      'with an empty one',
      (made) => scheduled(made, { source: mkdtempSync(path.join(scratch, 'empty-')) }),
      /holds no file that would travel/,
    ],
    [
      'with one that is too large, and names what is',
      (made) => {
        const big = directory({ 'a.sh': 'true' });
        writeFileSync(path.join(big, 'data.bin'), '');
        // Nothing on disk but its length.
        truncateSync(path.join(big, 'data.bin'), 1.2e9);
        scheduled(made, { source: big });
      },
      /holds 1\.1 GiB in 2 files; allowed is up to 954 MiB\. Largest: data\.bin \(1\.1 GiB\)[^]*\.rawcloudignore/,
    ],
    [
      'with a path to keep outside its source',
      (made) => scheduled(made, { keep: ['../out'] }),
      /cannot keep '\.\.\/out'.*no path in the tree/,
    ],
    ['with a setup command that is empty', (made) => scheduled(made, { setup: ['true', ''] }), /setup command 2 is empty/],
    [
      'with choices among packages that nobody can follow, all told in the words of its props',
      (made) => scheduled(made, { packageStrictness: ['lose', 'torch=loose'], packageIgnore: ['a b'], packageAdd: ['x>'] }),
      /packageStrictness 'lose' is not known; allowed are exact, compatible, loose.*'a b' is not the name of a package.*'x>' is not a package to be added/,
    ],
    [
      'with choices among packages that its lockfile does not have',
      (made) =>
        scheduled(made, {
          source: directory({ 'a.py': '', 'requirements.txt': 'numpy==2.1.0\n', '.python-version': '3.12' }),
          command: ['python', 'a.py'],
          packageIgnore: ['nunpy'],
        }),
      /has no package nunpy \(packageIgnore; near are numpy\)/,
    ],
    [
      'with choices among packages, and none that could be chosen from',
      (made) => scheduled(made, { packageOnly: ['numpy'] }),
      /brings no packages that could be chosen from[^]*packageOnly.*lay a lockfile of Python beside the job/,
    ],
    [
      'with tags, a name, a duration or the name of a variable that only the deployment knows, all told',
      (made) =>
        scheduled(made, {
          name: Aws.STACK_NAME,
          jobTags: { Stack: Aws.STACK_NAME },
          timeout: Duration.minutes(Token.asNumber({ Ref: 'Minutes' })),
          variables: { [Aws.REGION]: 'x' },
        }),
      /'name', 'jobTags', 'timeout', 'the name of a variable' are not known before the deployment/,
    ],
    [
      'with a schedule that only the deployment knows',
      (made) => scheduled(made, { schedule: ScheduleExpression.expression(Aws.STACK_NAME) }),
      /'schedule' is not known before the deployment/,
    ],
    [
      'with a schedule and a time zone that EventBridge would refuse, both told',
      (made) => scheduled(made, { schedule: ScheduleExpression.cron({ hour: '25', timeZone: TimeZone.of('Europe/Zürich') }) }),
      /hours cannot be '25'; allowed is 0-23.*time zone 'Europe\/Zürich' is not known; allowed are names of the IANA database/,
    ],
    [
      'with packages that nobody locked',
      (made) =>
        scheduled(made, {
          source: directory({ 'a.py': '', 'requirements.txt': 'numpy>=2\n', '.python-version': '3.12' }),
          command: ['python', 'a.py'],
        }),
      /does not pin everything: line 1 'numpy>=2'[^]*uv export/,
    ],
    [
      'with a lockfile that was made of another package.json',
      (made) =>
        scheduled(made, {
          source: directory({
            'package.json': '{"dependencies":{"a":"1"}}',
            'package-lock.json': '{"lockfileVersion":3,"packages":{"":{}}}',
          }),
          command: ['node', 'a.js'],
        }),
      /does not fit the package\.json beside it: a 1 is not in package-lock\.json[^]*npm install --package-lock-only/,
    ],
    [
      'with a command that only the deployment knows',
      (made) => scheduled(made, { command: ['echo', made.cloud.bucket.bucketName] }),
      /'command' is not known before the deployment.*'variables'/,
    ],
    [
      'with a variable of rawcloud’s own',
      (made) => scheduled(made, { variables: { RAWCLOUD_JOB_ID: 'x' } }),
      /'RAWCLOUD_JOB_ID' cannot be a variable/,
    ],
    [
      'with limits and hardware that nobody can have, all told at once',
      (made) =>
        scheduled(made, {
          maxLifetime: Duration.days(31),
          retries: -1,
          diskGiB: 4,
          idleTimeout: Duration.seconds(0),
          jobTags: { Name: 'x' },
        }),
      /disk of 4 GiB.*idle timeout of 0 s.*lifetime of 2678400 s.*-1 retries.*tag 'Name' is reserved/,
    ],
    [
      'with a name that events could not call',
      (made) => scheduled(made, { name: 'every night' }),
      /'every night' is not the id of a deployed job/,
    ],
  ];
  test.each(failing)('%s', (_what, make, message) => {
    expect(() => inStack(make)).toThrow(message);
  });
});

describe('a job that does not keep to what the scaffolding demands', () => {
  test('fails at synth when type, lifetime or spot policy are not allowed', () => {
    const limits = { maxLifetime: Duration.hours(2), allowedVmTypes: ['m7i.*'], allowedSpotPolicies: [SpotPolicy.SPOT] };
    const attempt = (change: Partial<ScheduledJobProps>) => () => inStack((made) => scheduled(made, change), limits);
    expect(attempt({ vmTypes: ['p5.48xlarge'] })).toThrow(/VM type p5\.48xlarge is not allowed; allowed are m7i\.\*/);
    expect(attempt({ maxLifetime: Duration.hours(3) })).toThrow(/lifetime of 3 h is too long; allowed are up to 2 h/);
    expect(attempt({ spotPolicy: SpotPolicy.ON_DEMAND })).toThrow(/spot policy on-demand is not allowed; allowed is spot/);
  });

  test('fails at synth when a tag says otherwise', () => {
    const attempt = () => inStack((made) => scheduled(made, { jobTags: { CostCenter: '1' } }), { vmTags: { CostCenter: '4711' } });
    expect(attempt).toThrow(/CostCenter=1, but every VM of scaffolding 'default' has CostCenter=4711/);
  });
});
