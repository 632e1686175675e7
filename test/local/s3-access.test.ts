import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { bucketKeys, jobKeys, jobPrefix, vmUserId } from '../../lib/contract';
import { ACCOUNT, BUCKET, failure, ROLE_ID, startTestCloud, type TestCloud } from './front-fixture';

const Bucket = BUCKET;
const VM = vmUserId(ROLE_ID, 'i-0aaaaaaaaaaaaaaaa');
const OTHER = vmUserId(ROLE_ID, 'i-0bbbbbbbbbbbbbbbb');
const PREFIX = jobPrefix('j1', '0'.repeat(32));
let cloud: TestCloud;
let developer: S3Client;
let vm: S3Client;

beforeAll(async () => {
  cloud = await startTestCloud();
  developer = cloud.s3();
  vm = cloud.s3(cloud.principals.issueForVm('i-0aaaaaaaaaaaaaaaa'));
  for (const Key of [bucketKeys.grant(VM), bucketKeys.grant(OTHER), jobKeys.spec(PREFIX), bucketKeys.sealed('j1')]) {
    await developer.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  }
});

afterAll(async () => {
  await cloud.close();
  expect(cloud.complaints).toEqual([]);
});

const denied = { name: 'AccessDenied', status: 403 };
const get = (s3: S3Client, Key: string): Promise<unknown> =>
  s3.send(new GetObjectCommand({ Bucket, Key })).then((r) => r.Body!.transformToString());
const put = (s3: S3Client, Key: string, more = {}): Promise<unknown> => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...more }));

test('fails for the developer who reads a private grant, by an explicit deny', async () => {
  expect(await failure(get(developer, bucketKeys.grant(VM)))).toMatchObject({
    ...denied,
    message: expect.stringContaining('explicit deny'),
  });
});

test('a VM reads and deletes its own grant', async () => {
  await get(vm, bucketKeys.grant(VM));
  await vm.send(new DeleteObjectCommand({ Bucket, Key: bucketKeys.grant(VM) }));
  await put(developer, bucketKeys.grant(VM));
});

test.each([
  ['another VM’s grant', bucketKeys.grant(OTHER)],
  ['sealed objects', bucketKeys.sealed('j1')],
])('fails for a VM that reads %s', async (_, Key) => {
  expect(await failure(get(vm, Key))).toMatchObject(denied);
});

test('a missing key is 404 to the developer and 403 to a VM, which may not list', async () => {
  const Key = jobKeys.control(PREFIX);
  expect(await failure(get(developer, Key))).toMatchObject({ name: 'NoSuchKey', status: 404 });
  expect(await failure(get(vm, Key))).toMatchObject({ ...denied, message: expect.stringContaining('s3:ListBucket') });
  expect(await failure(developer.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({ status: 404 });
  expect(await failure(vm.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({ status: 403 });
});

test('fails for a VM that lists', async () => {
  expect(await failure(vm.send(new ListObjectsV2Command({ Bucket, Prefix: PREFIX })))).toMatchObject(denied);
});

test('a VM writes its own directory, tasks and the outcome, and nothing else', async () => {
  for (const Key of [jobKeys.beat(PREFIX, VM), jobKeys.log(PREFIX, VM, 0), jobKeys.claim(PREFIX, 0), jobKeys.outcome(PREFIX)])
    await put(vm, Key);
  for (const Key of [
    jobKeys.beat(PREFIX, OTHER),
    jobKeys.spec(PREFIX),
    jobKeys.end(PREFIX),
    bucketKeys.file('0'.repeat(64)),
    bucketKeys.grant(VM),
  ]) {
    expect(await failure(put(vm, Key))).toMatchObject(denied);
  }
});

test('fails for a VM that deletes what it wrote', async () => {
  await put(vm, jobKeys.beat(PREFIX, VM));
  expect(await failure(vm.send(new DeleteObjectCommand({ Bucket, Key: jobKeys.beat(PREFIX, VM) })))).toMatchObject(denied);
});

test('fails for a bucket owner that is not expected', async () => {
  const Key = jobKeys.spec(PREFIX);
  expect(await failure(developer.send(new GetObjectCommand({ Bucket, Key, ExpectedBucketOwner: '999999999999' })))).toMatchObject(denied);
  await developer.send(new HeadObjectCommand({ Bucket, Key, ExpectedBucketOwner: ACCOUNT }));
});

test('STS tells a VM from the developer, and gives sessions to long-term keys only', async () => {
  const keys = cloud.principals.issueForVm('i-0aaaaaaaaaaaaaaaa');
  const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/rawcloud-vm/i-0aaaaaaaaaaaaaaaa`;
  expect(await cloud.sts(keys).send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: ACCOUNT, Arn: arn, UserId: VM });
  const { Credentials } = await cloud.sts().send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
  const session = {
    accessKeyId: Credentials!.AccessKeyId!,
    secretAccessKey: Credentials!.SecretAccessKey!,
    sessionToken: Credentials!.SessionToken!,
    expiresAt: 0,
  };
  expect(Math.abs(Credentials!.Expiration!.getTime() - Date.now() - 900_000)).toBeLessThan(60_000);
  await get(cloud.s3(session), jobKeys.spec(PREFIX));
  expect(await cloud.sts(session).send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: `arn:aws:iam::${ACCOUNT}:user/developer` });
  for (const temporary of [session, keys]) {
    const again = cloud.sts(temporary).send(new GetSessionTokenCommand({}));
    expect(await failure(again)).toMatchObject({ ...denied, message: 'Cannot call GetSessionToken with session credentials' });
  }
  expect(await failure(cloud.sts().send(new GetSessionTokenCommand({ DurationSeconds: 10 })))).toMatchObject({ name: 'ValidationError' });
});

test('fails for a VM that asks for parameters', async () => {
  const keys = cloud.principals.issueForVm('i-0aaaaaaaaaaaaaaaa');
  expect(await failure(cloud.ssm(keys).send(new GetParameterCommand({ Name: '/x' })))).toMatchObject({
    name: 'AccessDeniedException',
    status: 400,
  });
});
