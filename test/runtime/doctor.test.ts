import { PutParameterCommand } from '@aws-sdk/client-ssm';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { bucketKeys, encodeJson, FindingsSchema, scaffoldParameterName, systemClock, TAGS } from '../../lib/contract';
import type { Check, CheckId, Findings, Scaffold } from '../../lib/contract';
import { defaultNetwork } from '../../lib/local/ec2/network';
import type { Fault } from '../../lib/local/service';
import { isWell, openDoctor } from '../../lib/runtime';
import type { ConnectOptions } from '../../lib/runtime';
import { examine } from '../../lib/runtime/doctor/examine';
import { createAccountLook } from '../../lib/aws/account-look';
import { openAws } from '../../lib/aws/clients';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { launch } from '../local/launching';

jest.setTimeout(60_000);

async function examined({ env, directory }: Pick<TestCloud, 'env' | 'directory'>, more: Partial<ConnectOptions> = {}): Promise<Check[]> {
  const doctor = await openDoctor({ env, cwd: directory, ...more });
  const checks: Check[] = [];
  try {
    for await (const check of doctor.examine()) checks.push(check);
  } finally {
    await doctor.close();
  }
  return checks;
}

function of(checks: readonly Check[], id: CheckId): Check {
  const found = checks.find((check) => check.id === id);
  if (!found) throw new Error(`no check ${id}`);
  return found;
}

function denied(operation: string, resource?: string, status = 403): Fault {
  const code = operation.startsWith('ec2:') ? 'UnauthorizedOperation' : 'AccessDenied';
  const message = `User: arn:aws:iam::123456789012:user/developer is not authorized to perform: ${operation} because no policy allows it`;
  return { operation, ...(resource ? { resource } : {}), count: 1000, effect: { kind: 'error', status, code, message } };
}

async function put({ s3, cloud }: TestCloud, key: string, value: unknown): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: cloud.scaffold.bucket, Key: key, Body: encodeJson(value) }));
}

async function publish({ ssm }: TestCloud, scaffold: object): Promise<void> {
  const Name = scaffoldParameterName('default');
  await ssm.send(new PutParameterCommand({ Name, Value: JSON.stringify(scaffold), Type: 'String', Overwrite: true }));
}

test('an account in which all is well: every check, in order, and the word that jobs run', async () => {
  await withLocalCloud({}, async (test) => {
    const checks = await examined(test);
    const ids = checks.map(({ id }) => id).filter((id, i, all) => id !== all[i - 1]);
    const order = ['identity', 'clock', 'scaffolding', 'bucket', 'permissions', 'exec', 'network', 'images', 'quotas', 'prices', 'reaper'];
    expect(ids).toEqual(order);
    expect(checks.filter(({ state }) => state === 'failed' || state === 'unknown')).toEqual([]);
    expect(isWell(checks)).toBe(true);
    expect(of(checks, 'identity').text).toBe(
      'arn:aws:iam::123456789012:user/developer, by AWS_ACCESS_KEY_ID of the environment, without an end',
    );
    expect(of(checks, 'network').data).toMatchObject({ zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'] });
    expect(of(checks, 'images').data).toEqual({ x86_64: expect.stringMatching(/^ami-/), arm64: expect.stringMatching(/^ami-/) });
    expect(of(checks, 'permissions').data).toMatchObject({ denied: [], failed: [] });
    expect(of(checks, 'permissions').data!['allowed']).toContain('ec2:RunInstances with our template, role and tags');
  });
});

test('nothing is changed: no VM, no object, no tag', async () => {
  await withLocalCloud({}, async (test) => {
    const vm = await launch(test);
    await test.cloud.ec2.whenState(vm, 'running', AbortSignal.timeout(10_000));
    const before = test.cloud.ec2.instances();
    await examined(test);
    expect(test.cloud.ec2.instances()).toEqual(before);
    const { bucket } = test.cloud.scaffold;
    const written = test.cloud.calls.recent().filter(({ operation, status }) => operation === 'PutObject' && status === 200);
    const gone = test.cloud.calls.recent().filter(({ operation }) => operation === 'DeleteObject');
    expect(written.map(({ resource }) => resource)).toEqual([`${bucket}/${bucketKeys.probe('private')}`]);
    expect(gone.map(({ resource }) => resource)).toContain(`${bucket}/${bucketKeys.probe('private')}`);
  });
});

test('fails for each permission that is missing, by its name and place', async () => {
  await withLocalCloud({}, async (test) => {
    const { faults } = test.cloud;
    faults.arm(denied('s3:PutObject', 'v1/jobs/'));
    faults.arm(denied('ec2:RunInstances'));
    const checks = await examined(test);
    const { state, text, remedy, data } = of(checks, 'permissions');
    expect(state).toBe('failed');
    expect(text).toContain('s3:PutObject under v1/jobs/ is denied');
    expect(text).toContain('ec2:RunInstances with our template, role and tags is denied');
    expect(remedy).toBe('Ask an administrator for grantRun of the scaffolding, or for s3:PutObject, ec2:RunInstances.');
    expect(data!['denied']).toHaveLength(2);
    expect(isWell(checks)).toBe(false);
  });
});

test('fails for the role that may not be passed, which EC2 names in its refusal of the launch', async () => {
  await withLocalCloud({}, async (test) => {
    const effect = denied('iam:PassRole').effect as { kind: 'error'; message: string };
    test.cloud.faults.arm({ operation: 'ec2:RunInstances', effect: { ...effect, status: 403, code: 'UnauthorizedOperation' } });
    const { text } = of(await examined(test), 'permissions');
    expect(text).toContain('iam:PassRole is denied, which ec2:RunInstances with our template, role and tags needs');
  });
});

test('what jobs do without is a warning: prices, quotas, the network that one may not look at', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.faults.arm(denied('pricing:GetProducts', undefined, 400));
    test.cloud.faults.arm(denied('ec2:DescribeVpcs'));
    test.cloud.faults.arm(denied('servicequotas:ListServiceQuotas', undefined, 400));
    const checks = await examined(test);
    expect(of(checks, 'permissions')).toMatchObject({ state: 'warning', text: expect.stringContaining('pricing:GetProducts is denied') });
    expect(of(checks, 'network')).toMatchObject({ state: 'warning', text: expect.stringContaining('ec2:DescribeVpcs') });
    expect(of(checks, 'quotas')).toMatchObject({ state: 'warning', text: expect.stringContaining('servicequotas:ListServiceQuotas') });
    expect(isWell(checks)).toBe(true);
  });
});

test('who may not list is not told that reading is forbidden: the two look alike', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.faults.arm(denied('s3:ListObjectsV2'));
    const { text, data } = of(await examined(test), 'permissions');
    expect(text).toContain('s3:ListBucket');
    expect(text).toContain('only who may list can tell');
    expect(data!['denied']).toHaveLength(1);
  });
});

test('permissions on VMs are tried on one that is on', async () => {
  await withLocalCloud({}, async (test) => {
    const Tags = [{ Key: TAGS.scaffold, Value: 'default' }];
    const vm = await launch(test, { TagSpecifications: [{ ResourceType: 'instance', Tags }] });
    test.cloud.faults.arm(denied('ec2:TerminateInstances'));
    const { text } = of(await examined(test), 'permissions');
    expect(text).toContain(`ec2:TerminateInstances of ${vm} is denied`);
    expect(text).not.toContain('no VM of ours is on');
  });
});

test('says whether VMs may be entered: by the scaffolding, and with these keys; where not, nothing is failed', async () => {
  await withLocalCloud({}, async (test) => {
    const told = async (): Promise<Check> => {
      const checks = await examined(test);
      expect(isWell(checks)).toBe(true);
      return of(checks, 'exec');
    };
    expect(await told()).toMatchObject({ state: 'ok', text: expect.stringContaining('not tried (no VM of ours runs)') as string });
    const vm = await launch(test, { TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: TAGS.scaffold, Value: 'default' }] }] });
    await test.cloud.ec2.whenState(vm, 'running', AbortSignal.timeout(10_000));
    expect(await told()).toMatchObject({
      state: 'ok',
      text: `rawcloud exec is allowed, to these keys, too: ssm:StartSession of ${vm} by rawcloud-default-exec`,
      data: { allowed: true, document: 'rawcloud-default-exec', vm: 'reached' },
    });
    expect(test.cloud.sessions.open()).toEqual([]);
    test.cloud.access.limitDeveloper([
      { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' },
      { Sid: 'NoSessions', Effect: 'Deny', Action: 'ssm:StartSession', Resource: '*' },
    ]);
    expect(await told()).toMatchObject({
      state: 'warning',
      text: `rawcloud exec is allowed, but ssm:StartSession of ${vm} by rawcloud-default-exec is denied to these keys`,
      remedy: expect.stringContaining('grantRun of the scaffolding, or for ssm:StartSession') as string,
    });
    const { exec: _allowed, ...closed } = test.cloud.scaffold;
    await publish(test, closed);
    expect(await told()).toMatchObject({
      state: 'ok',
      text: expect.stringContaining('allowExec: true') as string,
      data: { allowed: false },
    });
  });
});

test('fails without keys, and says of the rest that it was not looked at', async () => {
  await withLocalCloud({}, async (test) => {
    const checks = await examined({ ...test, env: { ...test.env, AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN', AWS_SECRET_ACCESS_KEY: 'x' } });
    expect(of(checks, 'identity')).toMatchObject({ state: 'failed', remedy: expect.stringContaining('AWS does not know these keys') });
    expect(of(checks, 'clock').state).toBe('ok');
    expect(of(checks, 'permissions')).toEqual({ id: 'permissions', state: 'unknown', text: 'not looked at: nobody is signed in' });
    expect(isWell(checks)).toBe(false);
  });
});

test('fails without scaffolding, and says how to lay it down', async () => {
  await withLocalCloud({}, async (test) => {
    const checks = await examined(test, { scaffold: 'team-a' });
    expect(of(checks, 'scaffolding')).toMatchObject({
      state: 'failed',
      text: "there is no scaffolding 'team-a' in us-east-1",
      remedy: 'An administrator lays it down once: rawcloud deploy --region us-east-1 --scaffold team-a',
    });
    expect(of(checks, 'bucket').text).toBe('not looked at: there is no scaffolding');
    expect(of(checks, 'network').state).toBe('ok');
    expect(isWell(checks)).toBe(false);
  });
});

test('looks at the subnets that were brought along instead of the default VPC', async () => {
  await withLocalCloud({}, async (test) => {
    const [first, second] = defaultNetwork(test.cloud.region).subnets;
    const subnet = (id: string, zone: string, isPublic: boolean) => ({ id, zone, public: isPublic });
    await publish(test, {
      ...test.cloud.scaffold,
      subnets: [subnet(first!.id, first!.zone, true), subnet(second!.id, second!.zone, false)],
    });
    const checks = await examined(test);
    expect(of(checks, 'network')).toMatchObject({
      state: 'ok',
      text: `subnets of RawCloud's vpc: ${first!.id} in ${first!.zone}, ${second!.id} in ${second!.zone} (private)`,
    });
    await publish(test, { ...test.cloud.scaffold, subnets: [subnet('subnet-0gone', first!.zone, false)] });
    expect(of(await examined(test), 'network')).toMatchObject({ state: 'failed', text: 'subnet-0gone is not there' });
  });
});

describe('versions of the scaffolding', () => {
  const versions = [
    ['0.0.9', 'older than this client', 'rawcloud deploy --region us-east-1'],
    ['9.1.0', 'newer than this client', 'npm install --global rawcloud@9.1.0'],
  ] as const;
  test.each(versions)('%s works, and is a warning: %s', async (version, words, command) => {
    await withLocalCloud({}, async (test) => {
      await publish(test, { ...test.cloud.scaffold, version, laterKey: true });
      const checks = await examined(test);
      const found = of(checks, 'scaffolding');
      expect(found.state).toBe('warning');
      expect(found.text).toContain(words);
      expect(found.remedy).toContain(command);
      expect(isWell(checks)).toBe(true);
    });
  });

  test('fails for a format that this client does not know, with the command to type', async () => {
    await withLocalCloud({}, async (test) => {
      await publish(test, { ...test.cloud.scaffold, v: 2, version: '3.0.0' });
      const checks = await examined(test);
      expect(of(checks, 'scaffolding')).toMatchObject({
        state: 'failed',
        text: 'the scaffolding is of format 2 (rawcloud 3.0.0); this client reads format 1',
        remedy: 'Update the client: npm install --global rawcloud@3.0.0',
      });
      expect(of(checks, 'bucket').text).toBe('not looked at: the scaffolding could not be read');
    });
  });
});

test('fails when the bucket is gone', async () => {
  await withLocalCloud({}, async (test) => {
    await publish(test, { ...test.cloud.scaffold, bucket: 'nowhere-to-be-found' } satisfies Scaffold);
    expect(of(await examined(test), 'bucket')).toMatchObject({ state: 'failed', text: 'there is no bucket nowhere-to-be-found' });
  });
});

test('a quota that lets no usual VM start fails, with the command that raises it; one for spot warns', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.ec2.setQuotas({ 'L-1216C47A': 1, 'L-34B43A08': 0, 'L-DB2E81BA': 0, 'L-3819A6DF': 0 });
    const checks = await examined(test);
    expect(of(checks, 'quotas')).toMatchObject({
      state: 'failed',
      text: expect.stringContaining('0 of 1 vCPU in use, spot 0 of 0 vCPU in use'),
      remedy: expect.stringContaining('--quota-code L-1216C47A --desired-value 33 --region us-east-1'),
    });
    expect(checks.filter(({ id }) => id === 'quotas').at(-1)!.text).toContain('no VMs of the families G and VT');
    test.cloud.ec2.setQuotas({ 'L-1216C47A': 8 });
    expect(of(await examined(test), 'quotas')).toMatchObject({ state: 'warning', remedy: expect.stringContaining('L-34B43A08') });
  });
});

describe('the reaper', () => {
  const findings = (at: number, unproved: Findings['unproved']): Findings => ({
    v: FindingsSchema.entries.v.literal,
    at,
    by: 'reaper',
    marked: [],
    removed: [],
    cleared: [],
    unproved,
  });

  test('that has left no trace is a warning', async () => {
    await withLocalCloud({}, async (test) => {
      expect(of(await examined(test), 'reaper')).toMatchObject({ state: 'warning', text: 'no pass of the reaper is on record' });
    });
  });

  test('is quoted: when it was seen last, and what it could not prove', async () => {
    await withLocalCloud({}, async (test) => {
      const at = systemClock.now();
      await put(test, bucketKeys.findings(at - 60_000), findings(at - 60_000, []));
      expect(of(await examined(test), 'reaper')).toMatchObject({ state: 'ok', text: expect.stringContaining('all is proved') });
      await put(test, bucketKeys.findings(at), findings(at, [{ what: 'volumes', error: 'throttled' }]));
      expect(of(await examined(test), 'reaper')).toMatchObject({ state: 'warning', text: expect.stringContaining('volumes (throttled)') });
    });
  });
});

test('private grants that the policy of the bucket keeps for nobody are told, with what to do', async () => {
  await withLocalCloud({}, async (test) => {
    const told = async () => (await examined(test)).filter(({ id }) => id === 'bucket')[1]!;
    expect(await told()).toMatchObject({ state: 'ok', data: { grants: 'vms only' } });
    test.cloud.faults.arm(denied('s3:GetObject', bucketKeys.probe('private')));
    expect(await told()).toMatchObject({ state: 'ok', data: { grants: 'unknown' } });
  });
  await withLocalCloud({}, async (test) => {
    // What S3 says to whom nothing keeps from reading: that there is no such key.
    const effect = { kind: 'error', status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' } as const;
    test.cloud.faults.arm({ operation: 's3:GetObject', resource: bucketKeys.probe('private'), count: 1000, effect });
    const checks = await examined(test);
    expect(checks.filter(({ id }) => id === 'bucket')[1]).toMatchObject({
      state: 'warning',
      text: expect.stringMatching(/lets these keys read private grants/) as string,
      remedy: expect.stringMatching(/PrivateGrantsForVmsOnly/) as string,
    });
    expect(isWell(checks)).toBe(true);
  });
});

test('a clock that is off is told, and by how much; far off fails nothing that jobs need', async () => {
  await withLocalCloud({}, async ({ env }) => {
    const aws = await openAws({ env });
    const told = async (offMs: number): Promise<Check> => {
      const off = { ...systemClock, now: () => systemClock.now() + offMs };
      const premises = (): never => {
        throw new Error('not asked in this test');
      };
      const look = createAccountLook(aws, off);
      for await (const check of examine({ look, scaffold: 'none', local: false, version: '0.0.0', now: off.now, premises }))
        if (check.id === 'clock') return check;
      throw new Error('no clock');
    };
    expect(await told(0)).toMatchObject({ state: 'ok' });
    expect(await told(120_000)).toMatchObject({
      state: 'warning',
      text: expect.stringMatching(/clock is (2 min|1 min 59 s|2 min 1 s) ahead/),
    });
    expect(await told(-3_600_000)).toMatchObject({ state: 'failed', text: expect.stringContaining('behind') });
    aws.close();
  });
});
