import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { BUCKET, failure, startTestCloud, type TestCloud } from './front-fixture';

const Bucket = BUCKET;
let cloud: TestCloud;

beforeEach(async () => {
  cloud = await startTestCloud();
});

afterEach(async () => {
  await cloud.close();
  expect(cloud.complaints).toEqual([]);
});

const inBucket = (name: string): string => join(cloud.directory, 's3', BUCKET, name);

function files(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((e) => (e.isFile() ? join(e.parentPath, e.name) : []));
}

async function put(Key: string, Body: Uint8Array | string, more = {}): Promise<void> {
  await cloud.s3().send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
}

async function keys(): Promise<string[]> {
  return ((await cloud.s3().send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map((c) => c.Key!);
}

test('what a killed server left half done is never seen', async () => {
  await put('whole', 'x');
  writeFileSync(join(inBucket('staging'), '1-1'), 'half an object');
  await cloud.restart();
  expect(await keys()).toEqual(['whole']);
  expect(files(inBucket('staging'))).toEqual([]);
});

test.each([1, 12, 300])('a file that lost its last %d bytes is put aside, not served', async (lost) => {
  await put('damaged', randomBytes(1000));
  const [file] = files(inBucket('objects'));
  truncateSync(file!, statSync(file!).size - lost);
  await put('whole', 'x');
  await cloud.restart();
  expect(await keys()).toEqual(['whole']);
  expect(files(inBucket('damaged'))).toHaveLength(1);
});

test('no refused write leaves a file behind', async () => {
  await put('taken', 'first');
  const large = randomBytes(1_000_000);
  expect(await failure(put('taken', large, { IfNoneMatch: '*' }))).toMatchObject({ name: 'PreconditionFailed' });
  expect(await failure(put('bad', large, { ChecksumSHA256: Buffer.alloc(32).toString('base64') }))).toMatchObject({ name: 'BadDigest' });
  expect(files(inBucket('staging'))).toEqual([]);
  expect(files(inBucket('objects'))).toHaveLength(1);
});

test('an overwritten object keeps one file, whose first bytes are the object’s', async () => {
  await put('k', 'first');
  await put('k', 'second');
  const found = files(inBucket('objects'));
  expect(found).toHaveLength(1);
  expect(readFileSync(found[0]!, 'utf8').startsWith('second{')).toBe(true);
});

test('of two files of one object the later one counts, when a kill came between the steps of an overwrite', async () => {
  await put('k', 'first');
  const [old] = files(inBucket('objects'));
  const bytes = readFileSync(old!);
  await put('k', 'second');
  writeFileSync(old!, bytes);
  await cloud.restart();
  expect(files(inBucket('objects'))).toHaveLength(1);
  expect(await (await cloud.s3().send(new GetObjectCommand({ Bucket, Key: 'k' }))).Body!.transformToString()).toBe('second');
  await put('k', 'third');
  await cloud.restart();
  expect(await (await cloud.s3().send(new GetObjectCommand({ Bucket, Key: 'k' }))).Body!.transformToString()).toBe('third');
});

test('an object with a record of many kilobytes outlives the server', async () => {
  const Key = '😀'.repeat(256);
  const Metadata = { a: 'x'.repeat(2000) };
  await put(Key, 'body', { Metadata, ContentDisposition: 'y'.repeat(4000) });
  await cloud.restart();
  const got = await cloud.s3().send(new GetObjectCommand({ Bucket, Key }));
  expect(await got.Body!.transformToString()).toBe('body');
  expect(got.Metadata).toEqual(Metadata);
});
