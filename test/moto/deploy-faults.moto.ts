import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DeleteBucketCommand } from '@aws-sdk/client-s3';
import { DeleteParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import type { AwsContext } from '../../lib/aws/clients';
import { stackNamed } from '../../lib/aws/cloudformation';
import { readParameter } from '../../lib/aws/parameters';
import { scaffoldParameterName, sharedParameterName } from '../../lib/contract';
import { CdkApp } from './cdk';
import { rawcloud, startRawcloud } from './cli';
import type { Ended, Shell } from './cli';
import { openMoto, readScaffold } from './moto';
import { Proxy } from './proxy';
import type { Answer, Rule } from './proxy';

jest.setTimeout(300_000);

/** Nobody else's: the deployments here fail in the middle. */
const REGION = 'eu-central-1';

let shell: Shell;
let aws: AwsContext;
const proxies: Proxy[] = [];

beforeAll(async () => {
  shell = { directory: mkdtempSync(path.join(os.tmpdir(), 'rawcloud-deploy-')), region: REGION };
  aws = await openMoto(REGION);
  await CdkApp.bootstrap(REGION);
});

afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
  aws.close();
  rmSync(shell.directory, { recursive: true });
});

async function behind(rule: Rule): Promise<{ proxy: Proxy; shell: Shell }> {
  const proxy = await Proxy.open(rule);
  proxies.push(proxy);
  return { proxy, shell: { ...shell, env: { AWS_ENDPOINT_URL: proxy.url } } };
}

/** moto has made a stack when it answers the call; CloudFormation is at work for a minute. */
function atWork(answer: Answer, stack: string): Answer {
  const text = answer.body.toString('latin1');
  if (!text.includes(`<StackName>${stack}<`)) return answer;
  return { ...answer, body: Buffer.from(text.replace('<StackStatus>CREATE_COMPLETE<', '<StackStatus>CREATE_IN_PROGRESS<'), 'latin1') };
}

test('fails half-way: CloudFormation takes it back, what failed and what stays is said; then it works, also after an update that fails', async () => {
  const deploy = (...choices: string[]): Promise<Ended> => rawcloud(shell, ['deploy', '--name', 'half', '--yes', ...choices]);
  const Name = sharedParameterName('half', 'bucket');
  const ssm = await aws.ssm();
  await ssm.send(new PutParameterCommand({ Name, Value: 'somebody’s', Type: 'String' }));
  const failed = await deploy('--shared');
  expect(failed.code).toBe(120);
  // moto's events of one second are in no order.
  for (const step of [
    /CREATE_COMPLETE +RawCloud\w+ \(AWS::S3::Bucket\)/,
    /CREATE_FAILED +RawCloudShared\w+ \(AWS::SSM::Parameter\): .*already exists/,
    /DELETE_COMPLETE +RawCloud\w+ \(AWS::IAM::Role\)/,
    /DELETE_SKIPPED +RawCloud\w+ \(AWS::S3::Bucket\)/,
    /ROLLBACK_COMPLETE +RawCloud-half /,
  ]) {
    expect(failed.stdout).toMatch(step);
  }
  expect(failed.stderr).toMatch(
    /^error: the stack RawCloud-half could not be deployed: RawCloud\w+ \(AWS::SSM::Parameter\): .*already exists/,
  );
  expect(failed.stderr).toContain(`aws ssm delete-parameter --name ${Name} --region ${REGION}`);
  expect(await readParameter(aws, scaffoldParameterName('half'))).toBeUndefined();
  // What is said to stay is there, and goes by that command.
  const [, Bucket] = /An empty bucket stays: aws s3 rb s3:\/\/(\S+) --region/.exec(failed.stderr)!;
  await (await aws.s3()).send(new DeleteBucketCommand({ Bucket: Bucket! }));

  const second = await deploy();
  expect(second).toMatchObject({ code: 0, stderr: '' });
  expect(second.stdout).toContain('  first      what is left of an attempt that failed is removed\n');
  const scaffold = await readScaffold(aws, 'half');

  const update = await deploy('--shared', '--max-vms', '3');
  expect(update.code).toBe(120);
  for (const step of [/CREATE_FAILED +RawCloudShared/, /UPDATE_ROLLBACK_COMPLETE +RawCloud-half /]) expect(update.stdout).toMatch(step);
  expect(update.stderr).toContain(`--name ${Name} `);
  expect(update.stderr).not.toContain('bucket stays');
  expect(await readScaffold(aws, 'half')).toEqual(scaffold);

  await ssm.send(new DeleteParameterCommand({ Name }));
  expect(await deploy('--shared', '--max-vms', '3')).toMatchObject({ code: 0, stderr: '' });
  expect(await readParameter(aws, Name)).toBe(scaffold.bucket);
  expect(await readScaffold(aws, 'half')).toMatchObject({ limits: { vms: 3 }, bucket: scaffold.bucket });
});

test('Ctrl-C leaves CloudFormation at work and says so; the next one waits for its end and has nothing to change', async () => {
  const deploy = ['deploy', '--name', 'left', '--yes', '--max-vms', '5'];
  let isDone = false;
  const { shell: slow } = await behind(async (_call, forward) => (isDone ? forward() : atWork(await forward(), 'RawCloud-left')));
  const first = startRawcloud(slow, deploy);
  await first.printed('CREATE_IN_PROGRESS RawCloud-left');
  first.interrupt();
  const { code, stderr } = await first.ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/^error: it was interrupted; CloudFormation goes on by itself with the stack RawCloud-left \(\d+ steps done\)\n/);
  expect(stderr).toContain(`rawcloud deploy --region ${REGION} --scaffold left --max-vms 5\n`);

  const second = startRawcloud(slow, deploy);
  await second.printed('waiting    for RawCloud-left, which somebody is changing (CREATE_IN_PROGRESS)\n');
  isDone = true;
  const { stdout, ...ended } = await second.ended;
  expect(ended).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('Nothing to change: RawCloud-left is as it shall be.\n');
});

test('fails when the network goes in the middle, with what goes on without it; the next one finds all done', async () => {
  const deploy = ['deploy', '--name', 'gone', '--yes'];
  let isSeen = false;
  const { proxy, shell: cut } = await behind(async (call, forward) => {
    if (isSeen) await proxy.close();
    isSeen ||= call === 'cloudformation:DescribeStackEvents';
    return atWork(await forward(), 'RawCloud-gone');
  });
  const { code, stderr } = await rawcloud(cut, deploy);
  expect(code).toBe(125);
  expect(stderr).toMatch(/^error: deploying RawCloud-gone failed with E?\w+/);
  expect(stderr).toMatch(/What CloudFormation has begun with the stack RawCloud-gone, it goes on with by itself\. To wait for its end/);
  expect(await stackNamed(aws, 'RawCloud-gone')).toMatchObject({ status: 'CREATE_COMPLETE' });
  const second = await rawcloud(shell, deploy);
  expect(second).toMatchObject({ code: 0, stderr: '' });
  expect(second.stdout).toContain('Nothing to change: RawCloud-gone is as it shall be.\n');
});
