import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { systemClock, vmRoleStatements } from '../../lib/contract';
import { secretReader } from '../../lib/aws/secret-values';
import type { ReadSecret } from '../../lib/aws/secret-values';
import type { AccessKey, SessionKeys } from '../../lib/local/principals';
import { BUCKET, failure, REGION, startTestCloud } from './front-fixture';
import type { TestCloud } from './front-fixture';
import { jsonCall } from './json-call';

let cloud: TestCloud;

beforeEach(async () => {
  cloud = await startTestCloud();
});

afterEach(async () => {
  await cloud.close();
  expect(cloud.complaints).toEqual([]);
});

type Answer = Readonly<Record<string, unknown>> & { readonly ARN: string };

/** As the developer. */
async function call(operation: string, input: object): Promise<Answer> {
  const as = { url: cloud.url, port: cloud.port, credentials: cloud.principals.developer };
  return (await jsonCall(as, { service: 'secretsmanager', target: `secretsmanager.${operation}` }, input)) as Answer;
}

/** As the agent of a VM reads. */
function reader(keys: AccessKey | SessionKeys): ReadSecret {
  const { accessKeyId, secretAccessKey } = keys;
  const credentials = { accessKeyId, secretAccessKey, ...('sessionToken' in keys ? { sessionToken: keys.sessionToken } : {}) };
  const clock = { ...systemClock, sleep: () => Promise.resolve() };
  return secretReader({ region: REGION, endpoint: cloud.url, clock, credentials: () => Promise.resolve(credentials) });
}

function vmOf(name: string, allowed: readonly [action: string, resource: string][]): ReadSecret {
  const statements = allowed.map(([Action, Resource]) => ({ Effect: 'Allow' as const, Action, Resource }));
  const { id } = cloud.roles.put({ name, statements });
  return reader(cloud.principals.issueForVm('i-0aaaaaaaaaaaaaaaa', { name, id }));
}

const GET = 'secretsmanager:GetSecretValue';

describe('the service', () => {
  test('keeps a secret, found by name, ARN and ARN without its last characters, also after a restart', async () => {
    const { ARN } = await call('CreateSecret', { Name: 'app/db', SecretString: 'first' });
    expect(ARN).toMatch(/^arn:aws:secretsmanager:eu-central-1:123456789012:secret:app\/db-[\w]{6}$/);
    await call('PutSecretValue', { SecretId: 'app/db', SecretString: 'second' });
    await cloud.restart();
    for (const SecretId of ['app/db', ARN, ARN.slice(0, -7)]) {
      expect(await call('GetSecretValue', { SecretId })).toMatchObject({
        ARN,
        Name: 'app/db',
        SecretString: 'second',
        VersionStages: ['AWSCURRENT'],
      });
    }
  });

  test('a deleted secret cannot be read, nor its name taken, until it is gone', async () => {
    await call('CreateSecret', { Name: 'app/db', SecretString: 'x' });
    await call('DeleteSecret', { SecretId: 'app/db' });
    await expect(call('GetSecretValue', { SecretId: 'app/db' })).rejects.toThrow(/^InvalidRequestException/);
    await expect(call('CreateSecret', { Name: 'app/db' })).rejects.toThrow(/^InvalidRequestException/);
    await call('DeleteSecret', { SecretId: 'app/db', ForceDeleteWithoutRecovery: true });
    await expect(call('GetSecretValue', { SecretId: 'app/db' })).rejects.toThrow(/^ResourceNotFoundException/);
    await call('CreateSecret', { Name: 'app/db' });
  });

  test('fails for what is not there, twice there, without a value or wrong', async () => {
    await call('CreateSecret', { Name: 'empty' });
    await expect(call('CreateSecret', { Name: 'empty' })).rejects.toThrow(/^ResourceExistsException/);
    await expect(call('GetSecretValue', { SecretId: 'empty' })).rejects.toThrow(/^ResourceNotFoundException/);
    await expect(call('GetSecretValue', { SecretId: 'none' })).rejects.toThrow(/^ResourceNotFoundException/);
    await expect(call('PutSecretValue', { SecretId: 'empty' })).rejects.toThrow(/^InvalidRequestException/);
    const both = { SecretString: 'x', SecretBinary: 'eA==' };
    await expect(call('PutSecretValue', { SecretId: 'empty', ...both })).rejects.toThrow(/^InvalidParameterException/);
    await expect(call('PutSecretValue', { SecretId: 'empty', SecretString: 'x'.repeat(65_537) })).rejects.toThrow(
      /^InvalidParameterException/,
    );
    await expect(call('CreateSecret', { Name: 'no spaces' })).rejects.toThrow(/^InvalidParameterException/);
  });
});

describe('a VM', () => {
  test('reads what its role may, text and binary, and parameters decrypted', async () => {
    const text = await call('CreateSecret', { Name: 'text', SecretString: 'ü' });
    const binary = await call('CreateSecret', { Name: 'binary', SecretBinary: 'eA==' });
    await cloud.ssm().send(new PutParameterCommand({ Name: '/app/key', Value: 'k', Type: 'SecureString' }));
    const read = vmOf('nightly', [
      [GET, '*'],
      ['ssm:GetParameter', `arn:aws:ssm:${REGION}:123456789012:parameter/app/*`],
    ]);
    expect(await read({ kind: 'secretsmanager', arn: text.ARN })).toEqual({ text: 'ü' });
    expect(await read({ kind: 'secretsmanager', arn: binary.ARN })).toEqual({ binary: true });
    expect(await read({ kind: 'ssm', name: '/app/key' })).toEqual({ text: 'k' });
  });

  test('fails for what its role may not, and does not learn whether it is there', async () => {
    const { ARN } = await call('CreateSecret', { Name: 'theirs', SecretString: 'x' });
    const read = vmOf('nightly', [[GET, 'arn:aws:secretsmanager:*:*:secret:ours-??????']]);
    for (const arn of [ARN, `${ARN}x`]) {
      const { error } = await failure(read({ kind: 'secretsmanager', arn }));
      expect(error).toMatchObject({ code: 'E_PERMISSION', data: { action: GET, awsCode: 'AccessDeniedException' } });
    }
    const { error } = await failure(read({ kind: 'ssm', name: '/app/key' }));
    expect(error).toMatchObject({ code: 'E_PERMISSION', data: { action: 'ssm:GetParameter' } });
  });

  test('fails by the code of AWS for what is not there', async () => {
    const read = reader(cloud.principals.developer);
    const secret = await failure(read({ kind: 'secretsmanager', arn: 'none' }));
    expect(secret.error).toMatchObject({ data: { awsCode: 'ResourceNotFoundException' } });
    const parameter = await failure(read({ kind: 'ssm', name: '/none' }));
    expect(parameter.error).toMatchObject({ data: { awsCode: 'ParameterNotFound' } });
  });

  test('asks again while the service throttles or fails', async () => {
    const { ARN } = await call('CreateSecret', { Name: 'busy', SecretString: 'x' });
    const error = (status: number, code: string, count: number) =>
      cloud.faults.arm({ operation: 'GetSecretValue', count, effect: { kind: 'error', status, code } });
    error(400, 'ThrottlingException', 4);
    error(500, 'InternalServiceError', 3);
    expect(await reader(cloud.principals.developer)({ kind: 'secretsmanager', arn: ARN })).toEqual({ text: 'x' });
    error(503, 'ServiceUnavailable', 8);
    const { error: last } = await failure(reader(cloud.principals.developer)({ kind: 'secretsmanager', arn: ARN }));
    expect(last).toMatchObject({ retryable: true });
  });
});

describe('roles', () => {
  const PRIVATE = 'v1/private/';
  const get = (s3: S3Client, Key: string) => s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));

  test('read private grants when they are the scaffolding’s, each its own VM’s', async () => {
    const statements = vmRoleStatements(`arn:aws:s3:::${BUCKET}`);
    const keysOf = (name: string, ofScaffold: boolean): [SessionKeys, string] => {
      const { id } = cloud.roles.put({ name, statements, ofScaffold });
      return [cloud.principals.issueForVm('i-0bbbbbbbbbbbbbbbb', { name, id }), `${PRIVATE}${id}:i-0bbbbbbbbbbbbbbbb/grant.json`];
    };
    const [ours, ourGrant] = keysOf('nightly', true);
    const [theirs, theirGrant] = keysOf('other', false);
    for (const Key of [ourGrant, theirGrant]) await cloud.s3().send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
    expect((await get(cloud.s3(ours), ourGrant)).$metadata.httpStatusCode).toBe(200);
    expect(await failure(get(cloud.s3(ours), theirGrant))).toMatchObject({ name: 'AccessDenied' });
    expect(await failure(get(cloud.s3(theirs), theirGrant))).toMatchObject({ name: 'AccessDenied' });
    expect(await failure(get(cloud.s3(), ourGrant))).toMatchObject({ name: 'AccessDenied' });
  });

  test('keep their ids when their statements change, and outlive a restart with their keys', async () => {
    const first = cloud.roles.put({ name: 'nightly', statements: [] });
    const keys = cloud.principals.issueForVm('i-0bbbbbbbbbbbbbbbb', { name: 'nightly', id: first.id });
    const second = cloud.roles.put({ name: 'nightly', statements: [{ Effect: 'Allow', Action: GET, Resource: '*' }] });
    expect(second).toEqual({ arn: 'arn:aws:iam::123456789012:role/nightly', id: first.id });
    expect(first.id).toMatch(/^AROA[A-Z0-9]{17}$/);
    const { ARN } = await call('CreateSecret', { Name: 's', SecretString: 'x' });
    await cloud.restart();
    expect(await reader(keys)({ kind: 'secretsmanager', arn: ARN })).toEqual({ text: 'x' });
    expect((await cloud.sts(keys).send(new GetCallerIdentityCommand({}))).UserId).toBe(`${first.id}:i-0bbbbbbbbbbbbbbbb`);
  });

  test('fail to change the scaffolding’s own', () => {
    expect(() => cloud.roles.put({ name: 'rawcloud-vm', statements: [] })).toThrow(/scaffolding's own/);
  });
});
