import { RawcloudError } from '../../lib/contract';
import { problemsOf } from '../../bin/json/check';
import { Cli } from './cli';
import { BOOTSTRAP, DEPLOY, INSTALL, UPDATE, WHOLE } from './fake-deployment';

test('shows what it makes and what happens, a line each, and ends with the verdict and the next command', async () => {
  const cli = new Cli({ deployment: WHOLE });
  expect(await cli.run('deploy', '--yes', '--bootstrap', '--name', 'team-a', '--region', 'eu-west-1')).toBe(0);
  expect(cli.connections).toMatchObject([{ region: 'eu-west-1', scaffold: 'team-a' }]);
  expect(cli.answers).toEqual([true, true, true]);
  expect(cli.stdout.split('\n').slice(4)).toEqual([
    "Scaffolding 'team-a' in eu-west-1 of account 123456789012: stack RawCloud-team-a, new, rawcloud 0.1.0",
    '  as         arn:aws:iam::123456789012:user/admin',
    '  first      the account is bootstrapped for the CDK',
    '  first      what is left of an attempt that failed is removed',
    '  chosen     --max-vms 7',
    '  + AWS::S3::Bucket',
    '  + AWS::IAM::Role × 2',
    '  role       RawCloudRoleA, for ec2.amazonaws.com',
    '               s3             GetObject, PutObject',
    '               ssm            GetParameter',
    '  cost       about $0.15 a month for the passes of the reaper, and what lies in the bucket; nothing else while no job runs',
    'bootstrap  account 123456789012 in eu-west-1',
    'bootstrap  done',
    'deploying  RawCloud-team-a',
    ' 2/20  CREATE_COMPLETE    RawCloudBucket (AWS::S3::Bucket)',
    '    3  CREATE_FAILED      RawCloudRoleA (AWS::IAM::Role): no',
    'deployed   RawCloud-team-a',
    '✗ quotas      none',
    '              → Ask.',
    'Jobs will not run before what is marked ✗ is done.',
    'Next: rawcloud doctor',
    '',
  ]);
});

test('shows what an update changes: choices, resources with what is replaced, statements', async () => {
  const cli = new Cli({ deployment: [{ type: 'survey', survey: UPDATE }] });
  expect(await cli.run('deploy', '--dry-run')).toBe(0);
  expect(cli.deployments).toMatchObject([{ dryRun: true }]);
  for (const line of [
    'stack RawCloud-team-a, rawcloud 0.0.9 → 0.1.0',
    '  changed    --max-vms: default → 7',
    '  ~ RawCloudScaffold (AWS::SSM::Parameter): Value',
    '  ! replaced RawCloudBucket (AWS::S3::Bucket): BucketName',
    '             + Allow a:B on r when X y: z',
    '  cost       about $0.75 a month for the passes of the reaper, at most $1.20 for metrics, and what lies in the bucket; nothing else while no job runs',
  ]) {
    expect(cli.stdout).toContain(`${line}\n`);
  }
  expect(cli.stdout).toMatch(/Nothing was done\.\n$/);
});

test('colours only for a terminal', async () => {
  const cli = new Cli({ deployment: WHOLE, terminal: true });
  await cli.run('deploy', '--yes', '--bootstrap');
  expect(cli.stdout).toContain('\u001b[32mCREATE_COMPLETE   \u001b[39m');
});

test('prints a line of JSON for each step, as documented', async () => {
  const cli = new Cli({ deployment: [...WHOLE, { type: 'survey', survey: UPDATE }] });
  expect(await cli.run('deploy', '--yes', '--json', '--bootstrap')).toBe(0);
  expect(cli.lines.map(({ type }) => type)).toEqual([
    ...['notice', 'waiting', 'installing', 'installed', 'survey', 'bootstrapping', 'bootstrapped'].map((type) => `deploy.${type}`),
    ...['deploying', 'step', 'step', 'deployed', 'verdict', 'survey'].map((type) => `deploy.${type}`),
  ]);
  expect(cli.lines.flatMap((line) => problemsOf(line, 'deploy'))).toEqual([]);
});

test('at a terminal each question is asked, with what it means', async () => {
  const asked: string[] = [];
  const ask = async (prompt: string): Promise<string> => {
    asked.push(prompt);
    return asked.length === 2 ? 'n' : 'yes';
  };
  const cli = new Cli({ deployment: [BOOTSTRAP, INSTALL, DEPLOY], stdin: { isTTY: true, ask } });
  await cli.run('deploy');
  expect(cli.answers).toEqual([true, false, true]);
  expect(cli.stderr).toContain('npx aws-cdk bootstrap\nCloudFormation may then do in the account what AdministratorAccess allows');
  expect(cli.stderr).toContain('constructs 10.0.0, with what they need');
});

test('--yes does not bootstrap an account', async () => {
  const cli = new Cli({ deployment: [BOOTSTRAP, INSTALL], stdin: { isTTY: true } });
  await cli.run('deploy', '--yes');
  expect(cli.answers).toEqual([false, true]);
});

test('fails without a terminal and without --yes', async () => {
  const cli = new Cli({ deployment: [BOOTSTRAP, DEPLOY] });
  expect(await cli.run('deploy')).toBe(2);
  expect(cli.answers).toEqual([false]);
  expect(cli.stderr).toContain('Give --yes.');
});

test('choices are read, and none is the default again', async () => {
  const cli = new Cli({});
  const options = '--max-vms none --max-lifetime 12h --allow-vm-type m7i.*,c7g.* --allow-spot-policy spot --vm-tag a=b=c --vm-tag d=';
  const network = '--vpc vpc-0a1b2c3d --subnets subnet-0a1b2c3d,subnet-4e5f6a7b --security-group sg-1 --watch-region none';
  const others = '--bucket mine --removal-policy destroy --shared --no-allow-exec --reaper-interval 10m --log-retention 90d --key none';
  await cli.run('deploy', ...options.split(' '), ...network.split(' '), ...others.split(' '), '--execution-policy', 'arn:1,arn:2');
  expect(cli.deployments).toMatchObject([{ name: 'default', executionPolicies: ['arn:1', 'arn:2'] }]);
  expect(cli.deployments[0]!.choices).toEqual({
    maxVms: null,
    maxLifetimeS: 43_200,
    allowedVmTypes: ['m7i.*', 'c7g.*'],
    allowedSpotPolicies: ['spot'],
    vmTags: { a: 'b=c', d: '' },
    vpc: 'vpc-0a1b2c3d',
    subnets: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'],
    securityGroupIds: ['sg-1'],
    watchedRegions: null,
    bucket: 'mine',
    keyArn: null,
    removalPolicy: 'destroy',
    shared: true,
    allowExec: null,
    reaperIntervalS: 600,
    logRetentionDays: 90,
  });
});

test('fails for choices that cannot be read, all of them at once, and looks at nothing', async () => {
  const cli = new Cli({});
  const options = ['--max-vms', 'many', '--max-lifetime', 'long', '--allow-spot-policy', 'cheap', '--vm-tag', 'team', '--vpc', 'mine'];
  options.push('--removal-policy', 'keep', '--log-retention', 'long', '--reaper-interval', 'often');
  expect(await cli.run('deploy', ...options)).toBe(2);
  for (const word of ['8 problems', "'keep'", '--log-retention', "'often'", "'many'", "'long'", "'cheap'", "'team'", "'mine'"])
    expect(cli.stderr).toContain(word);
  expect(cli.connections).toEqual([]);
});

test('fails for two names', async () => {
  const cli = new Cli({});
  expect(await cli.run('deploy', '--name', 'a', '--scaffold', 'b')).toBe(2);
  expect(cli.stderr).toContain('are the same option');
});

test('fails with the error that the deployment ends with', async () => {
  const connectFails = new RawcloudError('E_NO_NETWORK', 'no default VPC', { remedy: 'Make it.' });
  const cli = new Cli({ connectFails });
  expect(await cli.run('deploy')).toBe(120);
  expect(cli.stderr).toContain('→ Make it.');
});
