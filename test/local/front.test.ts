import { readFileSync, statSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { startServer } from '../../lib/local/server';
import { BUCKET, failure, startTestCloud, type TestCloud } from './front-fixture';
import { signedHeaders } from './sign';

const Bucket = BUCKET;
let cloud: TestCloud;

beforeEach(async () => {
  cloud = await startTestCloud();
});

afterEach(async () => {
  await cloud.close();
  expect(cloud.complaints).toEqual([]);
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function http(method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = httpRequest({ host: '127.0.0.1', port: cloud.port, method, path, headers, agent: new Agent() }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => resolve({ status: res.statusCode!, headers: res.headers, body: Buffer.concat(chunks).toString() }));
    });
    req.on('error', reject);
    req.end(body);
  });
}

const call = (service: 's3' | 'sts' | 'ssm', secretAccessKey?: string): Promise<unknown> => {
  const { accessKeyId, secretAccessKey: right } = cloud.principals.developer;
  const keys = { accessKeyId, secretAccessKey: secretAccessKey ?? right };
  if (service === 's3') return cloud.s3(keys).send(new ListBucketsCommand({}));
  if (service === 'sts') return cloud.sts(keys).send(new GetCallerIdentityCommand({}));
  return cloud.ssm(keys).send(new GetParameterCommand({ Name: 'x' }));
};

test.each([
  ['s3', 'SignatureDoesNotMatch', 403],
  ['sts', 'SignatureDoesNotMatch', 403],
  ['ssm', 'InvalidSignatureException', 400],
] as const)('fails for a wrong secret at %s with %s', async (service, name, status) => {
  expect(await failure(call(service, 'wrong'))).toMatchObject({ name, status });
});

test.each([
  ['s3', 'InvalidAccessKeyId', 403],
  ['sts', 'InvalidClientTokenId', 403],
  ['ssm', 'UnrecognizedClientException', 400],
] as const)('fails for an unknown key at %s with %s', async (service, name, status) => {
  const keys = { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' };
  const send = {
    s3: () => cloud.s3(keys).send(new ListBucketsCommand({})),
    sts: () => cloud.sts(keys).send(new GetCallerIdentityCommand({})),
    ssm: () => cloud.ssm(keys).send(new GetParameterCommand({ Name: 'x' })),
  };
  expect(await failure(send[service]())).toMatchObject({ name, status });
});

test.each([
  ['s3', 'RequestTimeTooSkewed', 403],
  ['sts', 'SignatureDoesNotMatch', 403],
  ['ssm', 'InvalidSignatureException', 400],
] as const)('fails for a clock an hour off at %s with %s', async (service, name, status) => {
  cloud.shiftMs = 3_600_000;
  expect(await failure(call(service))).toMatchObject({ name, status });
});

test('fails for temporary keys that ended, without token, or with a wrong one', async () => {
  const keys = cloud.principals.issueForDeveloper(900);
  await cloud.s3(keys).send(new ListBucketsCommand({}));
  const bare = { accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey };
  expect(await failure(cloud.s3(bare).send(new ListBucketsCommand({})))).toMatchObject({ name: 'InvalidAccessKeyId' });
  const wrong = { ...keys, sessionToken: 'wrong' };
  expect(await failure(cloud.s3(wrong).send(new ListBucketsCommand({})))).toMatchObject({ name: 'InvalidToken', status: 400 });
  const short = cloud.principals.issueForDeveloper(-1);
  expect(await failure(cloud.s3(short).send(new ListBucketsCommand({})))).toMatchObject({ name: 'ExpiredToken', status: 400 });
  expect(await failure(cloud.sts(short).send(new GetCallerIdentityCommand({})))).toMatchObject({ name: 'ExpiredToken', status: 403 });
});

test('fails without a signature', async () => {
  const answer = await http('GET', `/${BUCKET}/x`);
  expect(answer.status).toBe(403);
  expect(answer.body).toContain('<Code>AccessDenied</Code>');
});

test('fails for an S3 request without x-amz-content-sha256, as curl before version 8 sends it', async () => {
  const headers = signedHeaders(cloud, { method: 'GET', path: `/${BUCKET}/x` });
  const { 'x-amz-content-sha256': _, ...rest } = headers;
  const answer = await http('GET', `/${BUCKET}/x`, rest);
  expect(answer).toMatchObject({
    status: 400,
    body: expect.stringContaining('Missing required header for this request: x-amz-content-sha256'),
  });
});

test('fails for a body that is not the signed one, and stores nothing', async () => {
  const headers = signedHeaders(cloud, { method: 'PUT', path: `/${BUCKET}/forged`, body: 'right' });
  const answer = await http('PUT', `/${BUCKET}/forged`, headers, 'wrong');
  expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('<Code>XAmzContentSHA256Mismatch</Code>') });
  expect(await failure(cloud.s3().send(new GetObjectCommand({ Bucket, Key: 'forged' })))).toMatchObject({ name: 'NoSuchKey' });
});

test('a raw colon in the path must be signed encoded, as curl 7.88 does not', async () => {
  const put = (signPath: string): Promise<Answer> =>
    http('PUT', `/${BUCKET}/a:b`, signedHeaders(cloud, { method: 'PUT', path: `/${BUCKET}/a:b`, signPath }));
  expect(await put(`/${BUCKET}/a:b`)).toMatchObject({ status: 403, body: expect.stringContaining('SignatureDoesNotMatch') });
  expect(await put(`/${BUCKET}/a%3Ab`)).toMatchObject({ status: 200 });
});

test('a bucket may stand in the host name', async () => {
  await cloud.s3().send(new PutObjectCommand({ Bucket, Key: 'in/host', Body: 'found' }));
  const host = `${BUCKET}.localhost:${cloud.port}`;
  const headers = signedHeaders(cloud, { method: 'GET', path: '/in/host', headers: { host } });
  expect(await http('GET', '/in/host', headers)).toMatchObject({ status: 200, body: 'found' });
});

test('fails for a service that is not there, by name', async () => {
  const answer = await http('GET', '/', signedHeaders(cloud, { method: 'GET', path: '/', service: 'iam' }));
  expect(answer).toMatchObject({ status: 501, body: expect.stringContaining("no service 'iam'") });
});

test('an answer carries date and ids', async () => {
  const { headers } = await http('GET', '/', signedHeaders(cloud, { method: 'GET', path: '/' }));
  expect(Math.abs(Date.parse(String(headers['date'])) - Date.now())).toBeLessThan(60_000);
  expect(headers['x-amz-request-id']).toBeTruthy();
  expect(headers['x-amz-id-2']).toBeTruthy();
});

test('an error fault strikes once, where it is aimed', async () => {
  cloud.faults.arm({ operation: 'PutObject', resource: '^v1/', skip: 1, effect: { kind: 'error', status: 503, code: 'SlowDown' } });
  const put = (Key: string): Promise<unknown> => cloud.s3().send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  await put('other');
  await put('v1/a');
  await put('other');
  expect(await failure(put('v1/b'))).toMatchObject({ name: 'SlowDown', status: 503 });
  await put('v1/b');
  expect(cloud.faults.armed).toEqual([]);
});

test('a lost reply is carried out and never answered', async () => {
  cloud.faults.arm({ operation: 's3:*', effect: { kind: 'lost-reply' } });
  const put = cloud.s3().send(new PutObjectCommand({ Bucket, Key: 'lost', Body: 'kept', IfNoneMatch: '*' }));
  expect(await failure(put)).toMatchObject({ message: expect.stringContaining('socket hang up') });
  const { Body } = await cloud.s3().send(new GetObjectCommand({ Bucket, Key: 'lost' }));
  expect(await Body!.transformToString()).toBe('kept');
});

test('a delay holds the call back until it is over or the client gives up', async () => {
  cloud.faults.arm({ operation: '*', effect: { kind: 'delay', ms: 20 } });
  await cloud.s3().send(new PutObjectCommand({ Bucket, Key: 'slow', Body: 'x' }));
  cloud.faults.arm({ operation: '*', effect: { kind: 'delay', ms: 3_600_000 } });
  const abort = new AbortController();
  const put = cloud.s3().send(new PutObjectCommand({ Bucket, Key: 'never', Body: 'x' }), { abortSignal: abort.signal });
  setImmediate(() => abort.abort());
  expect(await failure(put)).toMatchObject({ name: 'AbortError' });
});

test('a client that leaves in the middle of its body leaves nothing behind', async () => {
  const path = `/${BUCKET}/half`;
  const headers = signedHeaders(cloud, { method: 'PUT', path, payloadHash: 'UNSIGNED-PAYLOAD' });
  await new Promise<void>((resolve) => {
    const req = httpRequest({
      host: '127.0.0.1',
      port: cloud.port,
      method: 'PUT',
      path,
      headers: { ...headers, 'content-length': 1_000_000 },
    });
    req.on('error', () => resolve());
    req.write(Buffer.alloc(600_000), () => setTimeout(() => req.destroy(), 20));
  });
  expect(await failure(cloud.s3().send(new GetObjectCommand({ Bucket, Key: 'half' })))).toMatchObject({ name: 'NoSuchKey' });
});

test('every call is on record, without secrets', async () => {
  await cloud.s3().send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'twelve bytes' }));
  await failure(cloud.s3().send(new GetObjectCommand({ Bucket, Key: 'none' })));
  await cloud.sts().send(new GetCallerIdentityCommand({}));
  const principal = 'arn:aws:iam::123456789012:user/developer';
  const expected = [
    { service: 's3', operation: 'PutObject', resource: `${BUCKET}/a/b`, status: 200, bytesIn: 12, principal },
    { service: 's3', operation: 'GetObject', resource: `${BUCKET}/none`, status: 404, code: 'NoSuchKey', bytesIn: 0, principal },
    { service: 'sts', operation: 'GetCallerIdentity', resource: '', status: 200, principal },
  ];
  expect(cloud.calls.recent()).toMatchObject(expected);
  cloud.calls.flush();
  const lines = readFileSync(join(cloud.directory, 'calls.jsonl'), 'utf8');
  expect(
    lines
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as unknown),
  ).toMatchObject(expected);
  expect(lines).not.toContain(cloud.principals.developer.secretAccessKey);
});

test('keys are in a file that only its owner reads, and outlive the server', async () => {
  const file = join(cloud.directory, 'keys.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const session = cloud.principals.issueForVm('i-1');
  const { developer } = cloud.principals;
  await cloud.restart();
  expect(cloud.principals.developer).toEqual(developer);
  expect(cloud.principals.find(session.accessKeyId)).toMatchObject({
    principal: { kind: 'vm', arn: 'arn:aws:sts::123456789012:assumed-role/rawcloud-vm/i-1', userId: 'AROALOCALTESTROLEIDX:i-1' },
    sessionToken: session.sessionToken,
  });
  expect(developer.accessKeyId).toMatch(/^AKIALOCAL[A-Z2-7]{11}$/);
  expect(developer.secretAccessKey).toHaveLength(40);
});

test('the control path comes first, and only where it should', async () => {
  const seen: string[] = [];
  const { principals, faults, calls } = cloud;
  const server = await startServer({
    port: 0, services: [], principals, faults, calls, now: Date.now,
    control: (req, res) => {
      seen.push(req.url!);
      if (req.url !== '/_local/ping') return false;
      res.end('pong');
      return true;
    },
  }); // prettier-ignore
  try {
    expect(await (await fetch(`${server.url}/_local/ping`)).text()).toBe('pong');
    expect((await fetch(`${server.url}/_local/other`)).status).toBeGreaterThanOrEqual(400);
    expect((await fetch(`${server.url}/bucket/key`)).status).toBeGreaterThanOrEqual(400);
    expect(seen).toEqual(['/_local/ping', '/_local/other']);
  } finally {
    await server.close();
  }
});

test.each(['0.0.0.0', '::', '192.168.0.1', 'example.com'])('fails to listen on %s', async (host) => {
  const { principals, faults, calls } = cloud;
  await expect(startServer({ port: 0, host, services: [], principals, faults, calls, now: Date.now })).rejects.toMatchObject({
    code: 'E_LOCAL_CLOUD',
  });
});
