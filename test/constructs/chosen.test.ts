import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { RawCloud } from '../../lib';
import { propsOfChoices } from '../../lib/constructs';
import { changesOf, choicesIn, choicesMetadata, optionsOf, parseChoices, problemsOfChoices } from '../../lib/contract';
import type { ScaffoldChoices } from '../../lib/contract';

jest.setTimeout(120_000);

/** All there are. */
const CHOICES: Required<ScaffoldChoices> = {
  maxVms: 7,
  maxLifetimeS: 5400,
  allowedVmTypes: ['m7i.*'],
  allowedSpotPolicies: ['spot'],
  vmTags: { team: 'dätä' },
  vpc: {
    id: 'vpc-0123456789abcdef0',
    subnets: [
      { id: 'subnet-00000001', zone: 'eu-west-1a', public: true },
      { id: 'subnet-00000002', zone: 'eu-west-1b', public: false },
    ],
  },
  securityGroupIds: ['sg-00000001'],
  watchedRegions: ['eu-west-2'],
  permissionsBoundary: 'company/boundary',
  bucket: 'mine',
  keyArn: 'arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef',
  removalPolicy: 'destroy',
  shared: true,
  allowExec: true,
  metrics: true,
  reaperIntervalS: 600,
  logRetentionDays: 90,
};

/** Of the bucket that the scaffolding makes, or of one that is brought. */
const { bucket: _bucket, ...OWN_BUCKET } = CHOICES;
const { removalPolicy: _policy, ...BROUGHT_BUCKET } = CHOICES;

function templateOf(choices: ScaffoldChoices): Template {
  const outdir = mkdtempSync(path.join(os.tmpdir(), 'cdk-out-'));
  try {
    const stack = new Stack(new App({ outdir }), 'Test');
    new RawCloud(stack, 'RawCloud', propsOfChoices(stack, choices));
    return Template.fromStack(stack);
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

test('every choice of the command line arrives in the scaffolding', () => {
  const template = templateOf(OWN_BUCKET);
  const parameters = template.findResources('AWS::SSM::Parameter', { Properties: { Name: '/rawcloud/default/scaffold' } });
  const value = JSON.stringify(parameters);
  for (const part of [
    '\\"limits\\":{\\"lifetimeS\\":5400,\\"vms\\":7,\\"vmTypes\\":[\\"m7i.*\\"],\\"spotPolicies\\":[\\"spot\\"]}',
    '\\"vmTags\\":{\\"team\\":\\"dätä\\"}',
    '{\\"id\\":\\"subnet-00000001\\",\\"zone\\":\\"eu-west-1a\\",\\"public\\":true}',
    '{\\"id\\":\\"subnet-00000002\\",\\"zone\\":\\"eu-west-1b\\",\\"public\\":false}',
    '\\"securityGroupId\\":\\"sg-00000001\\"',
    '\\"watchedRegions\\":[\\"eu-west-2\\"]',
    '\\"exec\\":{\\"document\\":',
  ]) {
    expect(value).toContain(part);
  }
  template.resourceCountIs('AWS::EC2::SecurityGroup', 0);
  const roles = Object.values(template.findResources('AWS::IAM::Role'));
  expect(roles.every((role) => JSON.stringify(role).includes(':policy/company/boundary'))).toBe(true);
  const [bucket] = Object.values(template.findResources('AWS::S3::Bucket'));
  expect(JSON.stringify(bucket)).toContain(CHOICES.keyArn);
  expect(bucket).toMatchObject({ DeletionPolicy: 'Delete' });
  template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/rawcloud/default/shared/bucket' });
  template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(10 minutes)' });
  template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
  template.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { RAWCLOUD_METRICS: 'on' } } });
});

test('a bucket that is there takes the place of the own one; logs may be kept for good', () => {
  const template = templateOf({ ...BROUGHT_BUCKET, logRetentionDays: 'forever' });
  template.resourceCountIs('AWS::S3::Bucket', 0);
  expect(JSON.stringify(template.findResources('AWS::SSM::Parameter'))).toContain('\\"bucket\\":\\"mine\\"');
  const logs = Object.values(template.findResources('AWS::Logs::LogGroup'));
  expect(logs.every(({ Properties }) => !('RetentionInDays' in ((Properties ?? {}) as object)))).toBe(true);
});

test('choices come back from the metadata of a template, in ASCII, and no choice leaves no trace', () => {
  const metadata = choicesMetadata(CHOICES);
  expect(JSON.stringify(metadata)).toMatch(/^[\x20-\x7e]*$/);
  expect(choicesIn(metadata)).toEqual(CHOICES);
  expect(choicesMetadata({})).toBeUndefined();
  expect(choicesIn(undefined)).toEqual({});
  expect(choicesIn({ 'aws:cdk:path': 'x' })).toEqual({});
});

test('fails for choices of a newer release, which an update would else drop', () => {
  expect(() => parseChoices('{"maxVms":1,"colour":"blue"}')).toThrow(/cannot be read:.*colour/);
  expect(() => parseChoices('{')).toThrow('cannot be read');
});

test('choices as options: what a command would say, and what a change is', () => {
  expect(optionsOf(CHOICES).join(' ')).toBe(
    '--max-vms 7 --max-lifetime 90m --allow-vm-type m7i.* --allow-spot-policy spot --vm-tag team=dätä ' +
      '--vpc vpc-0123456789abcdef0 --subnets subnet-00000001,subnet-00000002 --security-group sg-00000001 --watch-region eu-west-2 ' +
      '--permissions-boundary company/boundary --bucket mine --key arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef ' +
      '--removal-policy destroy --shared --allow-exec --metrics --reaper-interval 10m --log-retention 90d',
  );
  expect(changesOf({ maxVms: 1, maxLifetimeS: 45 }, { maxVms: 2, vmTags: { a: '1', b: '2' } })).toEqual([
    { option: '--max-vms', from: '1', to: '2' },
    { option: '--max-lifetime', from: '45s' },
    { option: '--vm-tag', to: 'a=1 b=2' },
  ]);
  expect(changesOf({ shared: true }, { metrics: true, logRetentionDays: 'forever' })).toEqual([
    { option: '--shared', from: 'on' },
    { option: '--metrics', to: 'on' },
    { option: '--log-retention', to: 'forever' },
  ]);
  for (const choices of [OWN_BUCKET, BROUGHT_BUCKET]) expect(problemsOfChoices(choices)).toEqual([]);
});

test.each<[ScaffoldChoices, RegExp]>([
  [{ maxVms: 0 }, /maxVms of 0/],
  [{ maxLifetimeS: 5 }, /maxLifetime of 5 s/],
  [{ vmTags: { 'aws:x': '1' } }, /--vm-tag: /],
  [{ securityGroupIds: ['default'] }, /ids like sg-/],
  [{ permissionsBoundary: 'a b' }, /neither the name nor the ARN/],
  [{ keyArn: 'alias/mine' }, /not the ARN of a KMS key/],
  [{ bucket: 's3://mine' }, /not the name of a bucket/],
  [CHOICES, /leave one of them out/],
  [{ reaperIntervalS: 90 }, /--reaper-interval of 90s .* whole minutes/],
  [{ reaperIntervalS: 7200 }, /--reaper-interval of 2h/],
  [{ logRetentionDays: 31 }, /--log-retention of 31d .* 30d, 60d, /],
])('fails for %j', (choices, problem) => {
  expect(problemsOfChoices(choices).join('; ')).toMatch(problem);
});
