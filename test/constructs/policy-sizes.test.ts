import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Group, Role, User } from 'aws-cdk-lib/aws-iam';
import type { IIdentity } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { RawCloud, SpotPolicy } from '../../lib';
import type { RawCloudProps } from '../../lib';
import { evaluate } from '../../lib/local/policy';
import { resolve } from './resolve';

/** aws-cdk-lib validates each template by rules that take seconds to load. */
jest.setTimeout(120_000);

/** The region with one of the longest names. */
const ENV = { account: '123456789012', region: 'ap-southeast-2' };
/** Characters without white space, in all policies within a principal, and in one managed policy. Source: IAM user guide, "IAM and AWS STS quotas". */
const MOST = { user: 2_048, group: 5_120, role: 10_240, managed: 6_144 };
const MOST_MANAGED = 10;

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'cdk-out-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** Names as long as CloudFormation makes them. */
function deployed(reference: string): string {
  const id = reference.split('.')[0]!;
  const name = `TheStackOfOurTeam-${id}`.slice(0, 51);
  const { account, region } = ENV;
  if (reference === 'AWS::Partition') return 'aws';
  if (/Bucket\w*\.Arn$/.test(reference)) return `arn:aws:s3:::${name.toLowerCase()}-abcdefghijkl`;
  if (/Role\w*\.Arn$/.test(reference)) return `arn:aws:iam::${account}:role/rawcloud/${region}/${'a'.repeat(32)}/${name}-AbCdEfGhIjKl`;
  if (/LaunchTemplate/.test(reference)) return 'lt-0123456789abcdef0';
  if (/GroupId$/.test(reference)) return 'sg-0123456789abcdef0';
  if (/Key\w*\.Arn$/.test(reference)) return `arn:aws:kms:${region}:${account}:key/01234567-0123-0123-0123-012345678901`;
  return `arn:aws:service:${region}:${account}:some-kind-of-resource/${name}-AbCdEfGhIjKl`;
}

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | string[];
  readonly Resource: string | string[];
}
interface Policies {
  readonly within: readonly Statement[][];
  readonly managed: readonly Statement[][];
}

/** What a principal has in the template, by the beginning of its logical id. */
function policiesOf(template: Template, principal: string): Policies {
  const resources = Object.entries(template.toJSON()['Resources'] as Record<string, { Type: string; Properties: Record<string, unknown> }>);
  const documentOf = (properties: object): Statement[] =>
    (resolve((properties as { PolicyDocument: object }).PolicyDocument, deployed) as { Statement: Statement[] }).Statement;
  const [id, { Properties: own }] = resources.find(([id, { Type }]) => /IAM::(User|Group|Role)$/.test(Type) && id.startsWith(principal))!;
  const names = (properties: object): string => JSON.stringify(['Users', 'Groups', 'Roles'].map((k) => (properties as never)[k] ?? []));
  const given = (type: string) => resources.filter(([, r]) => r.Type === type && names(r.Properties).includes(`"${id}"`));
  const attached = JSON.stringify(own['ManagedPolicyArns'] ?? []);
  const named = resources.filter(([policy, { Type }]) => Type === 'AWS::IAM::ManagedPolicy' && attached.includes(`"${policy}"`));
  return {
    within: [
      ...((own['Policies'] ?? []) as object[]).map(documentOf),
      ...given('AWS::IAM::Policy').map(([, { Properties }]) => documentOf(Properties)),
    ],
    managed: [...given('AWS::IAM::ManagedPolicy'), ...named].map(([, { Properties }]) => documentOf(Properties)),
  };
}

const size = (statements: readonly Statement[]): number => JSON.stringify({ Statement: statements, Version: '2012-10-17' }).length;

interface World {
  readonly template: Template;
  readonly jobs: number;
}

/** A scaffolding with everything that makes policies longer, and somebody of each kind with each grant. */
function world(props: RawCloudProps, jobs: number): World {
  const stack = new Stack(new App({ outdir: mkdtempSync(path.join(scratch, 'app-')) }), 'TheStackOfOurTeam', { env: ENV });
  const cloud = new RawCloud(stack, 'RawCloud', {
    name: 'a'.repeat(32),
    allowExec: true,
    encryptionKey: new Key(stack, 'Key'),
    vmTags: { CostCenter: '4711', Team: 'research', Environment: 'production' },
    allowedVmTypes: ['c7i.*', 'm7i.*'],
    allowedSpotPolicies: [SpotPolicy.ON_DEMAND],
    ...props,
  });
  const addJob = (n: number): void => void cloud.jobHost.addVmKind(new Construct(stack, `NightlyReportNumber${n}`), 'VMs of a job');
  // Some jobs before the grants, and some after.
  for (let n = 0; n < jobs / 2; n++) addJob(n);
  const all = (identity: IIdentity): void => {
    cloud.grantRun(identity).assertSuccess();
    cloud.grantRun(identity);
    cloud.grantRead(identity).assertSuccess();
    cloud.grantStop(identity).assertSuccess();
  };
  all(new User(stack, 'User'));
  all(new Group(stack, 'Group'));
  all(new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal() }));
  for (let n = Math.ceil(jobs / 2); n < jobs; n++) addJob(n);
  return { template: Template.fromStack(stack), jobs };
}

const WHO = [
  ['User', MOST.user],
  ['Group', MOST.group],
  ['Role', MOST.role],
  ['RawCloudLaunchRole', MOST.role],
  ['RawCloudReaperRole', MOST.role],
] as const;

describe.each<[string, RawCloudProps]>([
  ['a scaffolding', {}],
  ['a scaffolding that is shared', { shared: true }],
])('%s with 40 jobs', (_what, props) => {
  let made: World;
  beforeAll(() => {
    made = world(props, 40);
  });

  test.each(WHO)('%s has within it what IAM takes, %i characters, and managed policies that fit', (id, most) => {
    const { within, managed } = policiesOf(made.template, id);
    expect(within.reduce((sum, statements) => sum + size(statements), 0)).toBeLessThanOrEqual(most);
    expect(managed.map(size).filter((characters) => characters > MOST.managed)).toEqual([]);
    expect(managed.length).toBeLessThanOrEqual(MOST_MANAGED);
    // IAM refuses a policy with one name twice.
    for (const statements of [...within, ...managed]) {
      const names = statements.map(({ Sid }) => Sid).filter(Boolean);
      expect(names).toEqual([...new Set(names)]);
    }
  });

  test.each(WHO)('%s may launch all of them, with their roles, and none else', (id) => {
    const { within, managed } = policiesOf(made.template, id);
    const statements = [...within, ...managed].flat();
    const template = `arn:aws:ec2:${ENV.region}:${ENV.account}:launch-template/`;
    const may = (action: string, resource: string, context: Record<string, string> = {}) =>
      evaluate(statements, { action, resource, context }) === 'allowed';
    const toEc2 = { 'iam:passedtoservice': 'ec2.amazonaws.com' };
    const roles = Object.entries(made.template.findResources('AWS::IAM::Role')).filter(([logicalId]) => /VmRole/.test(logicalId));
    expect(roles).toHaveLength(made.jobs + 1);
    for (const [logicalId] of roles)
      expect([logicalId, may('iam:PassRole', deployed(`${logicalId}.Arn`), toEc2)]).toEqual([logicalId, true]);
    expect(may('iam:PassRole', `arn:aws:iam::${ENV.account}:role/Admin`, toEc2)).toBe(false);
    const ours = { [`aws:resourcetag/rawcloud:scaffold`]: 'a'.repeat(32) };
    expect(may('ec2:RunInstances', `${template}${deployed('LaunchTemplate').replace(/^.*\//, '')}`, ours)).toBe(true);
    expect(may('ec2:RunInstances', `${template}lt-0bbbbbbbbbbbbbbbb`)).toBe(false);
  });

  test('the reaper may delete the template of none of them', () => {
    const { within, managed } = policiesOf(made.template, 'RawCloudReaperRole');
    const kept = [...within, ...managed].flat().filter(({ Sid }) => Sid === 'KeepTemplates');
    expect(kept.flatMap(({ Resource }) => Resource)).toHaveLength(made.jobs + 1);
  });
});

test('users and groups of other apps get the same policies by their names', () => {
  const stack = new Stack(new App({ outdir: mkdtempSync(path.join(scratch, 'app-')) }), 'Test', { env: ENV });
  const cloud = new RawCloud(stack, 'RawCloud');
  cloud.grantRun(User.fromUserName(stack, 'Jane', 'jane')).assertSuccess();
  cloud.grantRead(Group.fromGroupName(stack, 'Readers', 'readers')).assertSuccess();
  const template = Template.fromStack(stack);
  template.resourcePropertiesCountIs('AWS::IAM::ManagedPolicy', { Users: ['jane'] }, 2);
  template.resourcePropertiesCountIs('AWS::IAM::ManagedPolicy', { Groups: ['readers'] }, 1);
});
