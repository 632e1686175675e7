import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DeleteSubnetCommand, DeleteVpcCommand, DescribeSubnetsCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import { rawcloud } from './cli';
import { openMoto, ROOT } from './moto';

jest.setTimeout(300_000);

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-deploy-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('fails without a default VPC and without public subnets in it, with the ways out, and changes nothing', async () => {
  const region = 'eu-west-2';
  const there = await openMoto(region);
  try {
    const ec2 = await there.ec2();
    const { Vpcs } = await ec2.send(new DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] }));
    const VpcId = Vpcs![0]!.VpcId!;
    const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: 'vpc-id', Values: [VpcId] }] }));
    for (const { SubnetId } of Subnets) await ec2.send(new DeleteSubnetCommand({ SubnetId }));
    const bare = await rawcloud({ directory, region }, ['deploy', '--yes', '--bootstrap']);
    expect(bare).toMatchObject({ code: 120, stdout: '' });
    expect(bare.stderr).toContain(`aws ec2 create-default-subnet --availability-zone ${region}a --region ${region}`);

    await ec2.send(new DeleteVpcCommand({ VpcId }));
    const none = await rawcloud({ directory, region }, ['deploy', '--yes', '--bootstrap']);
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
  const shown = await rawcloud({ directory, region: 'us-east-1', cli }, ['deploy', '--dry-run', '--yes', '--json']);
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
