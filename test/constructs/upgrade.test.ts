import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { compileLaunch, clientToken } from '../../lib/runtime/launch/compile';
import type { Scaffold } from '../../lib/contract';

/** aws-cdk-lib is loaded once for each version of ours. */
jest.setTimeout(120_000);

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}
type Resources = Readonly<Record<string, Resource>>;

let outdir: string;
beforeAll(() => {
  outdir = mkdtempSync(path.join(os.tmpdir(), 'cdk-upgrade-'));
});
afterAll(() => rmSync(outdir, { recursive: true }));

/** The app as a release of ours lays it down: what differs from release to release is the version and what VMs boot. */
function release(version: string, bootScript: string): Resources {
  let resources: Resources = {};
  jest.isolateModules(() => {
    jest.doMock('../../lib/contract/version', () => ({ VERSION: version }));
    jest.doMock('../../lib/contract/boot-script', () => ({ BOOT_SCRIPT: bootScript }));
    const { App, Stack } = jest.requireActual<typeof import('aws-cdk-lib')>('aws-cdk-lib');
    const { RawCloud } = jest.requireActual<typeof import('../../lib')>('../../lib');
    const app = new App({ outdir: mkdtempSync(path.join(outdir, 'app-')) });
    const stack = new Stack(app, 'RawCloud');
    new RawCloud(stack, 'RawCloud');
    const { template } = app.synth().getStackByName('RawCloud') as { template: { Resources: Resources } };
    resources = template.Resources;
  });
  return resources;
}

/**
 * Properties whose change CloudFormation carries out in place: "Update requires: No interruption". Source: CloudFormation's
 * resource reference, for each of these types.
 */
const IN_PLACE: Readonly<Record<string, readonly string[]>> = {
  'AWS::EC2::LaunchTemplate': ['LaunchTemplateData', 'VersionDescription'],
  'AWS::SSM::Parameter': ['Value'],
};

function changed(before: Resource, after: Resource): string[] {
  const [a, b] = [before.Properties ?? {}, after.Properties ?? {}];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}

test('a newer release replaces nothing and removes nothing: the template gets a new version, the parameter names it', () => {
  const before = release('0.1.0', 'first @BUCKET@ @REGION@ @ROLE_ID@');
  const after = release('0.2.0', 'second @BUCKET@ @REGION@ @ROLE_ID@');
  const shape = (resources: Resources): [string, string][] => Object.entries(resources).map(([id, { Type }]) => [id, Type]);
  expect(shape(after)).toEqual(shape(before));
  const changes = Object.keys(before).flatMap((id) =>
    changed(before[id]!, after[id]!).map((property) => ({ type: before[id]!.Type, property })),
  );
  expect(changes).toEqual(
    expect.arrayContaining([
      { type: 'AWS::EC2::LaunchTemplate', property: 'LaunchTemplateData' },
      { type: 'AWS::SSM::Parameter', property: 'Value' },
    ]),
  );
  expect(changes.filter(({ type, property }) => !IN_PLACE[type]?.includes(property))).toEqual([]);
  const parameter = Object.values(after).find(({ Type }) => Type === 'AWS::SSM::Parameter')!;
  expect(JSON.stringify(parameter.Properties!['Value'])).toContain('LatestVersionNumber');
});

test('what could be named is not: a resource that has to be replaced after all does not clash with itself', () => {
  const names = ['BucketName', 'RoleName', 'InstanceProfileName', 'GroupName', 'LaunchTemplateName', 'FunctionName', 'QueueName'];
  const named = Object.values(release('0.1.0', 'x')).flatMap(({ Type, Properties = {} }) =>
    names.filter((name) => typeof Properties[name] === 'string').map((name) => `${Type}.${name}`),
  );
  expect(named).toEqual([]);
});

test('a launch names the version of the template, so that an update under way changes no job that is on record', () => {
  const scaffold: Scaffold = {
    v: 1,
    name: 'default',
    account: '123456789012',
    region: 'us-east-1',
    bucket: 'b',
    roleId: 'AROA1',
    launchTemplateId: 'lt-1',
    launchTemplateVersion: '3',
    securityGroupId: 'sg-1',
    zones: ['us-east-1a'],
    version: '0.1.0',
  };
  const offer = { vmType: 'm7i.large', arch: 'x86_64', vcpu: 2, memoryGiB: 8, usdPerHour: 0.1, priceSource: 'x' } as const;
  const bought = { ...offer, purchase: 'on-demand' as const, priceEstimated: false };
  const spec = { job: 'j1', tags: {}, hardware: { diskGiB: 30 } };
  const image = { id: 'ami-1', rootDevice: '/dev/xvda' };
  const request: unknown = JSON.parse(compileLaunch({ spec, scaffold, image, offer: bought, n: 0, lifetimeUntil: 0 }));
  expect(request).toMatchObject({
    LaunchTemplate: { LaunchTemplateId: 'lt-1', Version: '3' },
    ClientToken: clientToken('j1', 0, bought),
  });
});
