import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DeleteSubnetCommand, DeleteVpcCommand, DescribeSubnetsCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import { openAws } from '../../lib/aws/clients';
import type { AwsContext } from '../../lib/aws/clients';
import { awsEnv } from './cdk';
import { ACCOUNT, KEYS, readScaffold, ROOT, URL } from './moto';

jest.setTimeout(300_000);

/** A region that nobody has bootstrapped or deployed into. */
const REGION = 'eu-west-1';

let directory: string;
let aws: AwsContext;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-deploy-'));
  aws = await openAws({ env: {}, region: REGION, endpoint: URL, credentials: KEYS });
});

afterAll(async () => {
  aws.close();
  await rm(directory, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built CLI, as somebody's shell runs it. */
function rawcloud(args: readonly string[], cli = path.join(ROOT, 'dist/bin/rawcloud.js')): Promise<Ended> {
  const env = { ...awsEnv(), AWS_REGION: REGION, HOME: directory, XDG_CACHE_HOME: path.join(os.homedir(), '.cache'), TMPDIR: directory };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd: directory, env, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

test('from an account with nothing to a scaffolding, an update, and nothing again', async () => {
  const without = await rawcloud(['deploy', '--yes']);
  expect(without).toMatchObject({ code: 120 });
  expect(without.stderr).toContain(`account ${ACCOUNT} is not bootstrapped in ${REGION}`);
  expect(without.stderr).toContain(`npx aws-cdk bootstrap aws://${ACCOUNT}/${REGION}`);

  const shown = await rawcloud(['deploy', '--dry-run', '--vm-tag', 'team=dätä']);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toContain('  first      the account is bootstrapped for the CDK\n');
  expect(shown.stdout).toMatch(/ {2}chosen {5}--vm-tag team=dätä\n[^]*Nothing was done\.\n$/);

  const policy = 'arn:aws:iam::aws:policy/PowerUserAccess,arn:aws:iam::aws:policy/IAMFullAccess';
  const made = await rawcloud(['deploy', '--yes', '--bootstrap', '--execution-policy', policy, '--max-vms', '7', '--vm-tag', 'team=dätä']);
  expect(made).toMatchObject({ code: 0 });
  expect(made.stdout).toContain('bootstrap  done\n');
  expect(made.stdout).toMatch(/CREATE_COMPLETE +RawCloud \(AWS::CloudFormation::Stack\)/);
  expect(made.stdout).toContain('deployed   RawCloud\n');
  const scaffold = await readScaffold(aws, 'default');
  expect(scaffold).toMatchObject({ region: REGION, limits: { vms: 7 }, vmTags: { team: 'dätä' } });

  const again = await rawcloud(['deploy', '--yes']);
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout).toMatch(/^Nothing to change: RawCloud is as it shall be\.\n/);

  const updated = await rawcloud(['deploy', '--yes', '--max-lifetime', '12h', '--vm-tag', 'none']);
  expect(updated).toMatchObject({ code: 0 });
  expect(updated.stdout).toContain('  changed    --max-lifetime: default → 12h\n  changed    --vm-tag: team=dätä → default\n');
  expect(updated.stdout).toContain('  chosen     --max-vms 7\n');
  const now = await readScaffold(aws, 'default');
  expect(now).toMatchObject({ limits: { vms: 7, lifetimeS: 43_200 }, bucket: scaffold.bucket });
  expect(now.vmTags).toBeUndefined();

  const gone = await rawcloud(['destroy', '--yes', '--export', path.join(directory, 'ledger.jsonl')]);
  expect(gone).toMatchObject({ code: 0 });
  expect(gone.stdout).toContain('removed    stack RawCloud\n');
});

test('fails without a default VPC and without public subnets in it, with the ways out, and changes nothing', async () => {
  const region = 'eu-west-2';
  const there = await openAws({ env: {}, region, endpoint: URL, credentials: KEYS });
  try {
    const ec2 = await there.ec2();
    const { Vpcs } = await ec2.send(new DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] }));
    const VpcId = Vpcs![0]!.VpcId!;
    const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: 'vpc-id', Values: [VpcId] }] }));
    for (const { SubnetId } of Subnets) await ec2.send(new DeleteSubnetCommand({ SubnetId }));
    const bare = await rawcloud(['deploy', '--yes', '--bootstrap', '--region', region]);
    expect(bare).toMatchObject({ code: 120, stdout: '' });
    expect(bare.stderr).toContain(`aws ec2 create-default-subnet --availability-zone ${region}a --region ${region}`);

    await ec2.send(new DeleteVpcCommand({ VpcId }));
    const none = await rawcloud(['deploy', '--yes', '--bootstrap', '--region', region]);
    expect(none).toMatchObject({ code: 120, stdout: '' });
    expect(none.stderr).toContain(`aws ec2 create-default-vpc --region ${region}`);
    expect(none.stderr).toContain('--vpc vpc-');
  } finally {
    there.close();
  }
});

test('a package without the CDK beside it has npm install it once, and deploys with that', async () => {
  const alone = path.join(directory, 'alone');
  for (const part of ['dist', 'package.json']) await cp(path.join(ROOT, part), path.join(alone, part), { recursive: true });
  const cli = path.join(alone, 'dist/bin/rawcloud.js');
  const shown = await rawcloud(['deploy', '--dry-run', '--yes', '--json', '--region', 'us-east-1'], cli);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  // The scaffolding of us-east-1 was deployed by the CDK's own CLI, from this clone, and moto was spared one rule's targets.
  const survey = shown.stdout.split('\n').find((line) => line.includes('"deploy.survey"'));
  expect(JSON.parse(survey!)).toMatchObject({
    data: {
      stack: 'RawCloud',
      bootstrap: false,
      changed: [],
      resources: [{ type: 'AWS::Events::Rule', action: 'update', properties: ['Targets'] }],
      roleChanges: [],
    },
  });
});
