import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { openAws } from '../../lib/aws/clients';
import { rawcloud } from './cli';
import type { Ended } from './cli';
import { send } from './http';
import { iam } from './iam';
import { PYTHON, readScaffold, ROOT } from './moto';

jest.setTimeout(300_000);

/**
 * A moto of its own, in which IAM is in force: every signature is checked, and the actions of users' policies. It knows neither the
 * resources of most calls nor conditions, and cannot read policies that CloudFormation made, so nobody here takes on the CDK's roles:
 * what our own policies are worth is test/access's to prove.
 */
const REGION = 'us-east-1';

/** What docs/deploy.md asks for besides the rights of the deployment itself. */
const LOOK = ['cloudformation:DescribeStacks', 'cloudformation:GetTemplate', 'ssm:GetParameter'];

const NOTICE = "you may not take on the CDK's role cdk-hnb659fds-file-publishing-role-";

interface User {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

let directory: string;
let url: string;
let stop: () => Promise<void>;
let nobody: User;
let owner: User;
let uploader: User;

beforeAll(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'rawcloud-deploy-'));
  const server = spawn(PYTHON, [path.join(ROOT, 'scripts/moto/server.py')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = once(server, 'close');
  stop = async () => {
    server.kill('SIGKILL');
    await closed;
  };
  for await (const line of createInterface({ input: server.stderr })) {
    const port = /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    url = `http://localhost:${port}`;
    break;
  }
  server.stderr.resume();
  expect(await deploy('the account’s root', ['--bootstrap'])).toMatchObject({ code: 0, stderr: '' });
  nobody = await user('nobody', []);
  owner = await user('owner', ['*']);
  uploader = await user('uploader', ['s3:*', 'ec2:Describe*', ...LOOK]);
  await send('moto-api', { path: '/moto-api/reset-auth', body: '0', url });
});

afterAll(async () => {
  await stop();
  rmSync(directory, { recursive: true });
});

/** As that user; before IAM is in force anybody may everything. */
function deploy(as: User | string, args: readonly string[]): Promise<Ended> {
  const keys: Record<string, string> =
    typeof as === 'string' ? {} : { AWS_ACCESS_KEY_ID: as.accessKeyId, AWS_SECRET_ACCESS_KEY: as.secretAccessKey };
  return rawcloud({ directory, region: REGION, env: { AWS_ENDPOINT_URL: url, ...keys } }, ['deploy', '--yes', ...args]);
}

async function user(UserName: string, Action: readonly string[]): Promise<User> {
  await iam('CreateUser', { UserName }, url);
  const Statement = [
    { Effect: 'Allow', Action, Resource: '*' },
    { Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' },
  ];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  if (Action.length > 0) await iam('PutUserPolicy', { UserName, PolicyName: 'may', PolicyDocument }, url);
  const { text } = await iam('CreateAccessKey', { UserName }, url);
  return { accessKeyId: text('AccessKeyId'), secretAccessKey: text('SecretAccessKey') };
}

test('whoever may not take on the roles of the CDK, but everything else, deploys with their own rights', async () => {
  const { code, stdout, stderr } = await deploy(owner, ['--max-vms', '3']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(NOTICE);
  expect(stdout).toMatch(/UPDATE_COMPLETE +RawCloud [^]*deployed {3}RawCloud\n/);
  const aws = await openAws({ env: {}, region: REGION, endpoint: url, credentials: owner });
  expect(await readScaffold(aws, 'default')).toMatchObject({ limits: { vms: 3 } });
  aws.close();
});

test('fails for who may do nothing at the first look, with the call and what an administrator types', async () => {
  const { code, stdout, stderr } = await deploy(nobody, ['--max-vms', '4']);
  expect({ code, stdout }).toEqual({ code: 120, stdout: '' });
  expect(stderr).toMatch(/^error: .*user\/nobody is not authorized to perform: cloudformation:DescribeStacks/);
  expect(stderr).toContain(`What to type: rawcloud deploy --region ${REGION} --max-vms 4\n`);
});

test('fails for who may not take on the roles and has too little of their own, with the call that was refused', async () => {
  const { code, stdout, stderr } = await deploy(uploader, ['--max-vms', '4']);
  expect(code).toBe(120);
  expect(stdout).toContain(NOTICE);
  expect(stdout).not.toContain('deployed   RawCloud');
  expect(stderr).toMatch(/^error: the deployment of RawCloud was denied cloudformation:UpdateStack: /);
  expect(stderr).toContain(`An administrator types, once: rawcloud deploy --region ${REGION} --max-vms 4\n`);
});
