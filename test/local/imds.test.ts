import { fromInstanceMetadata } from '@aws-sdk/credential-providers';
import { openImds } from '../../lib/local/imds/imds';
import type { Imds } from '../../lib/local/imds/imds';
import { credentialSource } from '../../lib/local/imds/credentials';
import { metadataOf } from '../../lib/local/imds/metadata';
import type { InstanceRecord } from '../../lib/local/ec2/records';

const START = Date.UTC(2026, 10, 23, 12);
let now: number;
let issued: number;
let imds: Imds;

const INSTANCE: InstanceRecord = {
  v: 1,
  id: 'i-0123456789abcdef0',
  reservation: 'r-0123456789abcdef0',
  index: 0,
  state: 'running',
  transition: '',
  launchedAt: START,
  imageId: 'ami-0123456789abcdef0',
  type: 'm7i.large',
  arch: 'x86_64',
  zone: 'us-east-1a',
  subnetId: 'subnet-0123456789abcdef0',
  groupIds: [],
  profile: 'profile',
  userData: Buffer.from('#!/bin/bash\necho \xff', 'latin1').toString('base64'),
  onShutdown: 'terminate',
  metadata: { tokens: 'required', tags: 'disabled', hopLimit: 1 },
  tags: { 'rawcloud:job': 'abc' },
  volumes: [],
  interface: {
    id: 'eni-0123456789abcdef0',
    attachmentId: 'eni-attach-0123456789abcdef0',
    mac: '02:00:00:00:00:01',
    privateIp: '172.31.0.4',
    tags: {},
  },
  launch: { token: '', scope: '', fingerprint: '' },
  dead: false,
  imds: { secret: 'secret', port: 0 },
};

async function open(over: Partial<InstanceRecord> = {}, tokens: 'required' | 'optional' = 'required', port = 0): Promise<Imds> {
  const instance = { ...INSTANCE, ...over };
  const credentials = credentialSource(
    () => ({ accessKeyId: `ASIA${++issued}`, secretAccessKey: 'secret', sessionToken: 'session', expiresAt: now + 6 * 3_600_000 }),
    () => now,
  );
  const facts = { account: '123456789012', region: 'us-east-1', ...(instance.profile ? { role: 'vm-role' } : {}), credentials };
  const enabled = instance.metadata.endpoint !== 'disabled';
  return openImds({ port, secret: 'secret', tokens, enabled, metadata: () => metadataOf(instance, facts), now: () => now });
}

beforeEach(async () => {
  now = START;
  issued = 0;
  imds = await open();
});

afterEach(() => imds.close());

async function request(path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(imds.url + path, { ...init, headers: { connection: 'close', ...(init.headers as Record<string, string>) } });
  return { status: response.status, text: await response.text() };
}

const putToken = (headers: Record<string, string>) => request('/latest/api/token', { method: 'PUT', headers });

async function get(path: string): Promise<{ status: number; text: string }> {
  const { text } = await putToken({ 'X-aws-ec2-metadata-token-ttl-seconds': '60' });
  return request(path, { headers: { 'X-aws-ec2-metadata-token': text } });
}

test.each(['', '0', '21601', 'soon', '1.5'])('fails to give a token for a lifetime of %j', async (ttl) => {
  expect((await putToken(ttl === '' ? {} : { 'X-aws-ec2-metadata-token-ttl-seconds': ttl })).status).toBe(400);
});

test('fails to give a token to what was forwarded', async () => {
  expect((await putToken({ 'X-aws-ec2-metadata-token-ttl-seconds': '60', 'X-Forwarded-For': '10.0.0.1' })).status).toBe(403);
});

test('fails for everything where the endpoint is disabled', async () => {
  await imds.close();
  imds = await open({ metadata: { tokens: 'required', endpoint: 'disabled', tags: 'disabled', hopLimit: 1 } });
  expect((await putToken({ 'X-aws-ec2-metadata-token-ttl-seconds': '60' })).status).toBe(403);
  expect((await request('/latest/meta-data/')).status).toBe(403);
});

test('fails without a token, with a wrong one and with an old one', async () => {
  expect((await request('/latest/meta-data/')).status).toBe(401);
  expect((await request('/latest/meta-data/', { headers: { 'X-aws-ec2-metadata-token': 'guess' } })).status).toBe(401);
  const { text } = await putToken({ 'X-aws-ec2-metadata-token-ttl-seconds': '60' });
  const use = () => request('/latest/meta-data/instance-id', { headers: { 'X-aws-ec2-metadata-token': text } });
  expect((await use()).status).toBe(200);
  now += 60_000;
  expect((await use()).status).toBe(401);
});

test('without the need of a token it answers as version 1 did', async () => {
  await imds.close();
  imds = await open({}, 'optional');
  expect(await request('/latest/meta-data/instance-id')).toEqual({ status: 200, text: 'i-0123456789abcdef0' });
});

test('a token outlives the process that gave it', async () => {
  const { text } = await putToken({ 'X-aws-ec2-metadata-token-ttl-seconds': '60' });
  const { port } = imds;
  await imds.close();
  imds = await open({}, 'required', port);
  expect(imds.port).toBe(port);
  expect((await request('/latest/meta-data/instance-id', { headers: { 'X-aws-ec2-metadata-token': text } })).status).toBe(200);
});

test.each([
  ['/latest/', 'dynamic/\nmeta-data/\nuser-data'],
  ['/latest/meta-data', expect.stringMatching(/^ami-id\nami-launch-index\nhostname\niam\/\n(.+\n)+reservation-id\nservices\/$/)],
  ['/2021-03-23/meta-data/placement/', 'availability-zone\navailability-zone-id\nregion'],
  ['/latest/meta-data/instance-id', 'i-0123456789abcdef0'],
  ['/latest/meta-data/instance-type', 'm7i.large'],
  ['/latest/meta-data/ami-id', 'ami-0123456789abcdef0'],
  ['/latest/meta-data/placement/availability-zone', 'us-east-1a'],
  ['/latest/meta-data/placement/region', 'us-east-1'],
  ['/latest/meta-data/placement/availability-zone-id', 'use1-az1'],
  ['/latest/meta-data/instance-action', 'none'],
  ['/latest/meta-data/network/interfaces/macs/', '02:00:00:00:00:01/'],
  ['/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/vpc-ipv4-cidr-block', '172.31.0.0/16'],
  ['/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/owner-id', '123456789012'],
  ['/latest/meta-data/local-ipv4', '172.31.0.4'],
  ['/latest/meta-data/iam/security-credentials/', 'vm-role'],
  ['/latest/dynamic/instance-identity/document', expect.stringContaining('"instanceId": "i-0123456789abcdef0"')],
])('GET %s', async (path, text) => {
  expect(await get(path)).toEqual({ status: 200, text });
});

test.each([
  '/latest/meta-data/tags/instance/rawcloud:job',
  '/latest/meta-data/public-ipv4',
  '/latest/meta-data/spot/instance-action',
  '/latest/meta-data/instance-id/deeper',
  '/1999-01-01/meta-data/',
  '/latest/meta-data/constructor',
])('fails with 404 for %s', async (path) => {
  expect((await get(path)).status).toBe(404);
});

test('user data is given byte by byte, and 404 when there is none', async () => {
  const { text: token } = await putToken({ 'X-aws-ec2-metadata-token-ttl-seconds': '60' });
  const response = await fetch(`${imds.url}/latest/user-data`, { headers: { 'X-aws-ec2-metadata-token': token, connection: 'close' } });
  expect(Buffer.from(await response.arrayBuffer()).toString('latin1')).toBe('#!/bin/bash\necho \xff');
  await imds.close();
  imds = await open({ userData: '' });
  expect((await get('/latest/user-data')).status).toBe(404);
});

test('tags are shown where the instance allows it', async () => {
  await imds.close();
  imds = await open({ metadata: { ...INSTANCE.metadata, tags: 'enabled' } });
  expect(await get('/latest/meta-data/tags/instance/')).toEqual({ status: 200, text: 'rawcloud:job' });
  expect(await get('/latest/meta-data/tags/instance/rawcloud:job')).toEqual({ status: 200, text: 'abc' });
});

test('volumes are listed by their part and their device', async () => {
  const volume = { id: 'vol-0', sizeGiB: 8, type: 'gp3', encrypted: false, deleteOnTermination: true, tags: {} };
  await imds.close();
  imds = await open({
    volumes: [
      { ...volume, device: '/dev/xvda' },
      { ...volume, device: '/dev/sdf' },
    ],
  });
  const path = '/latest/meta-data/block-device-mapping/';
  expect(await get(path)).toEqual({ status: 200, text: 'ami\nebs1\nroot' });
  expect([await get(`${path}ami`), await get(`${path}ebs1`), await get(`${path}root`)].map(({ text }) => text)).toEqual([
    'xvda',
    'sdf',
    '/dev/xvda',
  ]);
});

test('fails with 404 for everything under iam without an instance profile', async () => {
  await imds.close();
  const { profile: _none, ...rest } = INSTANCE;
  imds = await openImds({
    port: 0,
    secret: 'secret',
    tokens: 'required',
    metadata: () => metadataOf(rest, { account: '123456789012', region: 'us-east-1', credentials: () => '' }),
    now: () => now,
  });
  expect((await get('/latest/meta-data/iam/info')).status).toBe(404);
});

test('credentials stay the same until they near their end', async () => {
  const path = '/latest/meta-data/iam/security-credentials/vm-role';
  const key = async () => (JSON.parse((await get(path)).text) as { AccessKeyId: string }).AccessKeyId;
  expect([await key(), await key()]).toEqual(['ASIA1', 'ASIA1']);
  now += 5.8 * 3_600_000;
  expect(await key()).toBe('ASIA2');
});

test("AWS's own client takes credentials from it", async () => {
  const before = process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = imds.url;
  now = Date.now();
  try {
    expect(await fromInstanceMetadata({ maxRetries: 0 })()).toMatchObject({
      accessKeyId: 'ASIA1',
      secretAccessKey: 'secret',
      sessionToken: 'session',
    });
  } finally {
    if (before === undefined) delete process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
    else process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = before;
  }
});
