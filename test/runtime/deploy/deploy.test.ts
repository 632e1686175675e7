import { RawcloudError } from '../../../lib/contract';
import type { StackStep } from '../../../lib/contract';
import { Account, PUBLIC, SCAFFOLD, stackIn } from './account';

const STEP: StackStep = { id: 'RawCloudBucket', type: 'AWS::S3::Bucket', status: 'CREATE_IN_PROGRESS', done: 3, total: 20 };
const VPC = 'vpc-0123456789abcdef0';

test('a new scaffolding: shown, asked for, made, and looked at', async () => {
  const account = new Account();
  account.steps = [STEP];
  await account.deploy({ maxVms: 7 });
  expect(account.types).toEqual(['survey', 'deploying', 'step', 'deployed', 'verdict']);
  expect(account.event('survey').survey).toMatchObject({ stack: 'RawCloud', bootstrap: false, options: ['--max-vms 7'], changed: [] });
  expect(account.event('survey').survey).not.toHaveProperty('from');
  expect(account.questions.map(({ about }) => about)).toEqual(['deploy']);
  expect(account.event('verdict')).toMatchObject({
    well: true,
    checks: [{ id: 'reaper' }],
    next: 'rawcloud run --region eu-west-1 echo hello',
  });
  expect(account.done).toEqual(['deploy', 'close']);
});

test('what is as it shall be is not touched, and nobody is asked', async () => {
  const account = new Account().deployed({ maxVms: 7, vmTags: { team: 'dätä' } });
  await account.deploy();
  expect(account.types).toEqual(['deployed', 'verdict']);
  expect(account.event('deployed').changed).toBe(false);
  expect(account.questions).toEqual([]);
  expect(account.done).toEqual(['close']);
});

test('what was chosen once holds; what is chosen anew is shown; null is the default again', async () => {
  const account = new Account().deployed({ maxVms: 7, vmTags: { team: 'data' }, maxLifetimeS: 3600 });
  await account.deploy({ maxLifetimeS: 5400, vmTags: null });
  expect(account.event('survey').survey).toMatchObject({
    from: '0.0.9',
    version: '0.1.0',
    options: ['--max-vms 7', '--max-lifetime 90m'],
    changed: [
      { option: '--max-lifetime', from: '1h', to: '90m' },
      { option: '--vm-tag', from: 'team=data' },
    ],
  });
  await account.deploy();
  expect(account.event('deployed').changed).toBe(true);
  expect(account.events.filter(({ type }) => type === 'deployed')).toMatchObject([{ changed: true }, { changed: false }]);
});

test('a dry run shows, asks nobody and changes nothing, in an account that is not bootstrapped as well', async () => {
  const account = new Account();
  account.bootstrapped = false;
  await account.deploy({}, { dryRun: true });
  expect(account.types).toEqual(['survey']);
  expect(account.event('survey').survey.bootstrap).toBe(true);
  expect(account.questions).toEqual([]);
  expect(account.done).toEqual(['close']);
});

test('fails when it is not confirmed, and has changed nothing', async () => {
  const account = new Account();
  account.answer = () => false;
  await expect(account.deploy()).rejects.toMatchObject({ code: 'E_ABORTED', message: 'it was not confirmed; nothing was changed' });
  expect(account.done).toEqual(['close']);
});

describe('an account that is not bootstrapped', () => {
  test('fails before anything is installed, with the command for an administrator', async () => {
    const account = new Account();
    account.bootstrapped = account.installed = false;
    account.answer = () => false;
    await expect(account.deploy({}, { executionPolicies: ['arn:aws:iam::aws:policy/PowerUserAccess'] })).rejects.toMatchObject({
      code: 'E_NOT_BOOTSTRAPPED',
      data: {
        command:
          'npx aws-cdk bootstrap aws://123456789012/eu-west-1 --cloudformation-execution-policies arn:aws:iam::aws:policy/PowerUserAccess',
      },
    });
    expect(account.questions).toMatchObject([{ about: 'bootstrap', policies: ['arn:aws:iam::aws:policy/PowerUserAccess'] }]);
    expect(account.done).toEqual([]);
  });

  test('is bootstrapped when that is agreed to, after all was shown and before the deployment', async () => {
    const account = new Account();
    account.bootstrapped = account.installed = false;
    await account.deploy({}, { executionPolicies: ['arn:1', 'arn:2'] });
    expect(account.questions.map(({ about }) => about)).toEqual(['bootstrap', 'install', 'deploy']);
    expect(account.done).toEqual(['install', 'bootstrap 123456789012 arn:1,arn:2', 'deploy', 'close']);
    expect(account.types).toEqual([
      'installing',
      'installed',
      'survey',
      'bootstrapping',
      'bootstrapped',
      'deploying',
      'deployed',
      'verdict',
    ]);
  });
});

describe('the network', () => {
  test('fails without a default VPC before anything is installed, with both ways out', async () => {
    const account = new Account();
    account.defaultVpc = undefined;
    account.installed = false;
    await expect(account.deploy()).rejects.toMatchObject({
      code: 'E_NO_NETWORK',
      remedy: expect.stringMatching(/aws ec2 create-default-vpc --region eu-west-1;.*--vpc vpc-/) as string,
    });
    expect(account.done).toEqual([]);
  });

  test('fails for a default VPC without public subnets', async () => {
    const account = new Account();
    account.subnets = { 'vpc-00000001': [{ ...PUBLIC, public: false }] };
    await expect(account.deploy()).rejects.toMatchObject({
      code: 'E_NO_NETWORK',
      remedy: expect.stringContaining('create-default-subnet') as string,
    });
  });

  test('who may not look at it deploys all the same, and is told', async () => {
    const account = new Account();
    account.defaultVpc = new RawcloudError('E_PERMISSION', 'ec2:DescribeVpcs was denied');
    await account.deploy();
    expect(account.event('notice').text).toContain('ec2:DescribeVpcs was denied');
    expect(account.done).toEqual(['deploy', 'close']);
  });

  const SUBNETS = [
    PUBLIC,
    { ...PUBLIC, id: 'subnet-00000002', freeAddresses: 200 },
    { ...PUBLIC, id: 'subnet-00000003', zone: 'eu-west-1b', public: false },
  ];

  test('of a VPC that is named: the public subnet with most room in each zone, or those that are named too; kept by an update', async () => {
    const account = new Account();
    account.defaultVpc = undefined;
    account.subnets = { [VPC]: SUBNETS };
    await account.deploy({ vpc: VPC });
    expect(account.event('survey').survey.options).toEqual([`--vpc ${VPC} --subnets subnet-00000002`]);
    account.subnets = {};
    await account.deploy();
    expect(account.events.at(-2)).toMatchObject({ type: 'deployed', changed: false });
    account.subnets = { [VPC]: SUBNETS };
    account.events.length = 0;
    await account.deploy({ subnets: ['subnet-00000001', 'subnet-00000003'] });
    expect(account.event('survey').survey.changed).toEqual([
      {
        option: '--vpc',
        from: `${VPC} --subnets subnet-00000002`,
        to: `${VPC} --subnets subnet-00000001,subnet-00000003`,
      },
    ]);
  });

  test.each([
    ['there is no such VPC', { vpc: 'vpc-00000009' }, 'there is no VPC vpc-00000009 with subnets in eu-west-1'],
    ['a subnet is of another VPC', { vpc: VPC, subnets: ['subnet-00000009'] }, 'subnet-00000009 is no subnet of'],
    ['two subnets are in one zone', { vpc: VPC, subnets: ['subnet-00000001', 'subnet-00000002'] }, 'are in one zone'],
    ['subnets have no VPC', { subnets: ['subnet-00000001'] }, '--subnets are those of a VPC'],
    ['security groups have no VPC', { securityGroupIds: ['sg-00000001'] }, '--security-group needs a VPC'],
  ])('fails when %s', async (_, choices, message) => {
    const account = new Account();
    account.subnets = { ...account.subnets, [VPC]: SUBNETS };
    await expect(account.deploy(choices)).rejects.toThrow(message);
    expect(account.done).toEqual([]);
  });
});

describe('the right to deploy', () => {
  const ROLES = ['file-publishing', 'deploy'].map(
    (role) => `arn:aws:iam::123456789012:role/cdk-hnb659fds-${role}-role-123456789012-eu-west-1`,
  );

  test('is looked at before anything is installed, by the roles of the CDK', async () => {
    const account = new Account();
    account.answer = () => false;
    account.installed = false;
    await expect(account.deploy()).rejects.toMatchObject({ code: 'E_ABORTED' });
    expect(account.rolesTried).toEqual(ROLES);
    expect(account.types).toEqual([]);
  });

  test.each(['file-publishing-role', 'deploy-role'])(
    'without the %s it is said that the own rights are used, and gone on',
    async (role) => {
      const account = new Account();
      account.deniedRole = role;
      await account.deploy();
      expect(account.types.slice(0, 2)).toEqual(['notice', 'survey']);
      expect(account.event('notice').text).toMatch(
        new RegExp(`cdk-hnb659fds-${role}-\\d+-eu-west-1 \\(sts:AssumeRole\\).*an administrator's`),
      );
      expect(account.done).toEqual(['deploy', 'close']);
    },
  );

  test('is not looked at in an account without those roles', async () => {
    const account = new Account();
    account.bootstrapped = false;
    await account.deploy();
    expect(account.rolesTried).toEqual([]);
  });

  test('fails when it cannot be looked at for another reason', async () => {
    const account = new Account();
    account.deniedRole = 'deploy-role';
    account.roleFails = new RawcloudError('E_ENDPOINT_DOWN', 'sts:AssumeRole failed with ECONNREFUSED');
    await expect(account.deploy()).rejects.toMatchObject({ code: 'E_ENDPOINT_DOWN' });
    expect(account.done).toEqual([]);
  });
});

describe('a bucket of yours', () => {
  test('is taken when it is there, and what its policy needs is told; kept by an update', async () => {
    const account = new Account();
    account.buckets = { mine: 'eu-west-1' };
    await account.deploy({ bucket: 'mine', shared: true });
    expect(account.event('survey').survey.options).toEqual(['--bucket mine', '--shared']);
    expect(account.event('notice').text).toMatch(
      /Add to it.*"PrivateGrantsForVmsOnly".*arn:aws:s3:::mine\/.*role\/rawcloud\/eu-west-1\/default\//,
    );
    account.events.length = 0;
    await account.deploy({ bucket: 'mine' });
    expect(account.types).toEqual(['deployed', 'verdict']);
  });

  test('whoever may not look at it is told, and deploys all the same', async () => {
    const account = new Account();
    account.buckets = { mine: new RawcloudError('E_PERMISSION', 's3:ListBucket was denied') };
    await account.deploy({ bucket: 'mine' });
    expect(account.event('notice').text).toContain('could not be looked at: s3:ListBucket was denied');
    expect(account.done).toEqual(['deploy', 'close']);
  });

  test.each([
    ['none', 'there is no bucket none'],
    ['far', 'it is in us-east-1, the scaffolding in eu-west-1'],
  ])('fails for %s, which cannot be it, with what to do', async (bucket, message) => {
    const account = new Account();
    account.buckets = { far: 'us-east-1' };
    await expect(account.deploy({ bucket })).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining(message) as string,
      remedy: expect.stringContaining('aws s3 mb s3://NAME --region eu-west-1') as string,
    });
    expect(account.done).toEqual([]);
  });

  test.each<[string | null, string | undefined, string]>([
    ['mine', undefined, 'in a bucket of its own'],
    [null, 'yours', 'in the bucket yours'],
  ])('fails when a scaffolding that is there shall have bucket %s: nothing moves', async (bucket, before, message) => {
    const account = new Account().deployed(before === undefined ? {} : { bucket: before });
    await expect(account.deploy({ bucket })).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining(message) as string,
      remedy: expect.stringContaining('rawcloud destroy --region eu-west-1') as string,
    });
    expect(account.done).toEqual([]);
  });
});

describe('a stack of that name', () => {
  test('fails when somebody else has made it, and is left alone', async () => {
    const account = new Account();
    account.stacks = [{ ...stackIn('CREATE_COMPLETE'), description: 'theirs' }];
    await expect(account.deploy()).rejects.toMatchObject({ code: 'E_DEPLOY', message: expect.stringContaining('left alone') as string });
  });

  test('that is being changed is waited for', async () => {
    const account = new Account().deployed({});
    const busy = stackIn('UPDATE_IN_PROGRESS');
    account.stacks = [busy, busy, stackIn('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS'), stackIn('UPDATE_COMPLETE')];
    await account.deploy();
    expect(account.types).toEqual(['waiting', 'waiting', 'deployed', 'verdict']);
    expect(account.slept).toBe(3);
  });

  test.each(['ROLLBACK_COMPLETE', 'CREATE_FAILED', 'ROLLBACK_FAILED', 'REVIEW_IN_PROGRESS'])(
    'in %s counts as none, and is said to go first',
    async (status) => {
      const account = new Account();
      account.stacks = [stackIn(status)];
      await account.deploy();
      expect(account.event('survey').survey).toMatchObject({ afterFailure: true, resources: [{ action: 'create' }] });
    },
  );

  test('whose last update was taken back is updated', async () => {
    const account = new Account().deployed({ maxVms: 1 }, 'UPDATE_ROLLBACK_COMPLETE');
    await account.deploy({ maxVms: 2 });
    expect(account.done).toEqual(['deploy', 'close']);
  });

  test.each([
    ['UPDATE_ROLLBACK_FAILED', 'continue-update-rollback --stack-name RawCloud --region eu-west-1'],
    ['DELETE_FAILED', 'rawcloud destroy'],
    ['UPDATE_FAILED', 'rollback-stack'],
  ])('fails in %s, with the command that leads out', async (status, command) => {
    const account = new Account().deployed({}, status);
    await expect(account.deploy()).rejects.toMatchObject({ code: 'E_DEPLOY', remedy: expect.stringContaining(command) as string });
  });

  test('fails when another stack has made a scaffolding of that name', async () => {
    const account = new Account();
    account.scaffold = SCAFFOLD;
    account.owner = { id: 'arn:stack/2', name: 'Reports', description: 'theirs', resources: [] };
    await expect(account.deploy()).rejects.toMatchObject({
      code: 'E_USAGE',
      message: "there is a scaffolding 'default' in eu-west-1 already: the stack Reports has made it",
    });
  });
});

describe('in the middle', () => {
  test('an interruption before it began says that nothing was changed', async () => {
    const account = new Account();
    const stop = new AbortController();
    account.answer = () => {
      stop.abort(new Error('Ctrl-C'));
      return true;
    };
    await expect(account.deploy({ maxVms: 7 }, {}, stop.signal)).rejects.toMatchObject({
      code: 'E_ABORTED',
      message: 'it was interrupted; nothing was changed in the account',
      remedy: 'Again: rawcloud deploy --region eu-west-1 --max-vms 7',
    });
    expect(account.done).not.toContain('deploy');
  });

  test('an interruption leaves CloudFormation at work, and says how far it is and how to go on', async () => {
    const account = new Account();
    const stop = new AbortController();
    account.steps = [STEP];
    account.meanwhile = () => new Promise(() => stop.abort(new Error('Ctrl-C')));
    await expect(account.deploy({}, {}, stop.signal)).rejects.toMatchObject({
      code: 'E_ABORTED',
      message: 'it was interrupted; CloudFormation goes on by itself with the stack RawCloud (3 of 20 steps done)',
      remedy: 'To wait for its end, and see that all is well: rawcloud deploy --region eu-west-1',
    });
  });

  const failed = (step: Partial<StackStep>): StackStep => ({ ...STEP, status: 'CREATE_FAILED', ...step });

  test.each<[string, StackStep[], string, RegExp, RegExp]>([
    [
      'the parameter is there',
      [failed({ id: 'RawCloudScaffold', type: 'AWS::SSM::Parameter', reason: '/rawcloud/default/scaffold already exists in stack arn:x' })],
      'E_DEPLOY',
      /RawCloudScaffold \(AWS::SSM::Parameter\): .*already exists/,
      /another stack's: give this scaffolding another name/,
    ],
    [
      'CloudFormation may not',
      [failed({ reason: 'User: arn:x is not authorized to perform: s3:CreateBucket on resource: y' })],
      'E_PERMISSION',
      /was denied s3:CreateBucket/,
      /An administrator types, once: rawcloud deploy --region eu-west-1 --vm-tag 'team=a b'/,
    ],
    [
      'a bucket was made and stays',
      [
        { ...STEP, status: 'CREATE_COMPLETE' },
        failed({ id: 'RawCloudRole', type: 'AWS::IAM::Role', reason: 'Resource creation cancelled' }),
        failed({ id: 'RawCloudQueue', type: 'AWS::SQS::Queue', reason: 'no' }),
        { ...STEP, status: 'DELETE_SKIPPED', physicalId: 'bucket-7' },
      ],
      'E_DEPLOY',
      /RawCloudQueue \(AWS::SQS::Queue\): no$/,
      /An empty bucket stays: aws s3 rb s3:\/\/bucket-7/,
    ],
    ['a quota is used up', [failed({ reason: 'You have exceeded the limit of roles' })], 'E_DEPLOY', /exceeded/, /Raise that quota/],
  ])('fails with cause and remedy when %s', async (_, steps, code, message, remedy) => {
    const account = new Account();
    account.steps = steps;
    account.fails = new Error('The stack named RawCloud failed creation');
    await expect(account.deploy({ vmTags: { team: 'a b' } })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      remedy: expect.stringMatching(remedy) as string,
    });
    expect(account.types).not.toContain('deployed');
  });

  test('fails before the stack is begun with what AWS said, as other verbs do', async () => {
    const account = new Account();
    account.fails = Object.assign(new Error('The security token included in the request is expired'), { name: 'ExpiredToken' });
    await expect(account.deploy()).rejects.toMatchObject({ code: 'E_CREDENTIALS_EXPIRED' });
  });

  test('fails when another parameter than the scaffolding’s own is there, by its name', async () => {
    const account = new Account();
    account.steps = [failed({ id: 'RawCloudThing', type: 'AWS::SSM::Parameter', reason: 'The parameter already exists.' })];
    account.fails = new Error('The stack named RawCloud failed creation');
    await expect(account.deploy()).rejects.toMatchObject({
      code: 'E_DEPLOY',
      remedy: expect.stringMatching(
        /^The parameter \/rawcloud\/thing is another.*delete-parameter --name \/rawcloud\/thing --region/,
      ) as string,
    });
  });

  test('fails when nobody answers any more with what goes on by itself, and says of nothing that it is taken back', async () => {
    const account = new Account();
    account.steps = [STEP];
    account.fails = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    await expect(account.deploy({ maxVms: 7 })).rejects.toMatchObject({
      code: 'E_ENDPOINT_DOWN',
      remedy: expect.stringMatching(
        /^Check the network.*begun with the stack RawCloud, it goes on with by itself\..*: rawcloud deploy --region eu-west-1 --max-vms 7$/,
      ) as string,
    });
  });

  test.each([
    ['Access Denied', 'AccessDenied', 'E_PERMISSION', /An administrator types, once: rawcloud deploy/],
    ['The bucket is being deleted', 'OperationAborted', 'E_DEPLOY', /^When the cause is gone, start rawcloud deploy again\.$/],
  ])('fails of an upload with what was behind it: %s', async (said, name, code, remedy) => {
    const account = new Account();
    const cause = new AggregateError([Object.assign(new Error(said), { name })]);
    account.fails = new Error('Failed to publish asset RawCloud Template', { cause });
    await expect(account.deploy()).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`Failed to publish asset RawCloud Template: ${name}: ${said}`) as string,
      remedy: expect.stringMatching(remedy) as string,
    });
  });
});

test('fails without permission to look, with what an administrator types', async () => {
  const account = new Account();
  account.identityFails = new RawcloudError('E_PERMISSION', 'sts:GetCallerIdentity was denied', {
    data: { action: 'sts:GetCallerIdentity' },
  });
  await expect(account.deploy({}, { name: 'team-a' })).rejects.toMatchObject({
    code: 'E_PERMISSION',
    remedy: expect.stringMatching(/an administrator, once.* rawcloud deploy --region eu-west-1 --scaffold team-a$/) as string,
    data: { action: 'sts:GetCallerIdentity' },
  });
});

test('fails without permission before it is known what was chosen before, with all that was asked for', async () => {
  const account = new Account();
  account.identityFails = new RawcloudError('E_PERMISSION', 'sts:GetCallerIdentity was denied');
  const asked = { maxVms: 7, vpc: VPC, subnets: ['subnet-1', 'subnet-2'], shared: null, vmTags: null };
  await expect(account.deploy(asked)).rejects.toMatchObject({
    remedy: expect.stringMatching(
      new RegExp(`deploy --region eu-west-1 --max-vms 7 --vpc ${VPC} --subnets subnet-1,subnet-2 --no-shared --vm-tag none$`),
    ) as string,
  });
});
