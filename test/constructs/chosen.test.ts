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
  keyArn: 'arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef',
};

test('every choice of the command line arrives in the scaffolding', () => {
  const outdir = mkdtempSync(path.join(os.tmpdir(), 'cdk-out-'));
  try {
    const stack = new Stack(new App({ outdir }), 'Test');
    new RawCloud(stack, 'RawCloud', propsOfChoices(stack, CHOICES));
    const template = Template.fromStack(stack);
    const [parameter] = Object.values(template.findResources('AWS::SSM::Parameter'));
    const value = JSON.stringify(parameter);
    for (const part of [
      '\\"limits\\":{\\"lifetimeS\\":5400,\\"vms\\":7,\\"vmTypes\\":[\\"m7i.*\\"],\\"spotPolicies\\":[\\"spot\\"]}',
      '\\"vmTags\\":{\\"team\\":\\"dätä\\"}',
      '{\\"id\\":\\"subnet-00000001\\",\\"zone\\":\\"eu-west-1a\\",\\"public\\":true}',
      '{\\"id\\":\\"subnet-00000002\\",\\"zone\\":\\"eu-west-1b\\",\\"public\\":false}',
      '\\"securityGroupId\\":\\"sg-00000001\\"',
      '\\"watchedRegions\\":[\\"eu-west-2\\"]',
    ]) {
      expect(value).toContain(part);
    }
    template.resourceCountIs('AWS::EC2::SecurityGroup', 0);
    const roles = Object.values(template.findResources('AWS::IAM::Role'));
    expect(roles.every((role) => JSON.stringify(role).includes(':policy/company/boundary'))).toBe(true);
    expect(JSON.stringify(template.findResources('AWS::S3::Bucket'))).toContain(CHOICES.keyArn);
  } finally {
    rmSync(outdir, { recursive: true });
  }
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
      '--permissions-boundary company/boundary --key arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef',
  );
  expect(changesOf({ maxVms: 1, maxLifetimeS: 45 }, { maxVms: 2, vmTags: { a: '1', b: '2' } })).toEqual([
    { option: '--max-vms', from: '1', to: '2' },
    { option: '--max-lifetime', from: '45s' },
    { option: '--vm-tag', to: 'a=1 b=2' },
  ]);
  expect(problemsOfChoices(CHOICES)).toEqual([]);
});

test.each<[ScaffoldChoices, RegExp]>([
  [{ maxVms: 0 }, /maxVms of 0/],
  [{ maxLifetimeS: 5 }, /maxLifetime of 5 s/],
  [{ vmTags: { 'aws:x': '1' } }, /--vm-tag: /],
  [{ securityGroupIds: ['default'] }, /ids like sg-/],
  [{ permissionsBoundary: 'a b' }, /neither the name nor the ARN/],
  [{ keyArn: 'alias/mine' }, /not the ARN of a KMS key/],
])('fails for %j', (choices, problem) => {
  expect(problemsOfChoices(choices).join('; ')).toMatch(problem);
});
