import { createHash, randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { BUCKET, failure, startTestCloud, type TestCloud } from './front-fixture';

const Bucket = BUCKET;
const FIVE_MIB = 5 * 1024 * 1024;
const FIRST = randomBytes(FIVE_MIB);
const LAST = randomBytes(1000);
let cloud: TestCloud;
let s3: S3Client;

beforeEach(async () => {
  cloud = await startTestCloud();
  s3 = cloud.s3();
});

afterEach(async () => {
  await cloud.close();
  expect(cloud.complaints).toEqual([]);
});

async function begin(Key: string, more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<string> {
  return (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId!;
}

async function part(Key: string, UploadId: string, PartNumber: number, Body: Uint8Array, more = {}): Promise<CompletedPart> {
  const { ETag, ChecksumCRC32, ChecksumSHA256, ChecksumCRC64NVME } = await s3.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...more }),
  );
  return { ETag, PartNumber, ChecksumCRC32, ChecksumSHA256, ChecksumCRC64NVME };
}

const complete = (Key: string, UploadId: string, Parts: CompletedPart[], more = {}): ReturnType<typeof send> =>
  send(Key, UploadId, Parts, more);
const send = (Key: string, UploadId: string, Parts: CompletedPart[], more: object) =>
  s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }));

const md5 = (bytes: Uint8Array): Buffer => createHash('md5').update(bytes).digest();

async function read(Key: string): Promise<Uint8Array> {
  return (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray();
}

test('parts become one object, with the tag that S3 makes of them', async () => {
  const UploadId = await begin('multi', { ContentType: 'text/x', Metadata: { a: 'b' } });
  const parts = [await part('multi', UploadId, 2, FIRST), await part('multi', UploadId, 7, LAST)];
  expect(await failure(s3.send(new HeadObjectCommand({ Bucket, Key: 'multi' })))).toMatchObject({ status: 404 });
  const done = await complete('multi', UploadId, parts);
  expect(done.ETag).toBe(`"${md5(Buffer.concat([md5(FIRST), md5(LAST)])).toString('hex')}-2"`);
  expect(Buffer.compare(await read('multi'), Buffer.concat([FIRST, LAST]))).toBe(0);
  expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'multi' }))).toMatchObject({
    ContentType: 'text/x',
    Metadata: { a: 'b' },
    ETag: done.ETag,
  });
  expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
});

test.each([
  ['CRC32', undefined, 'COMPOSITE'],
  ['SHA256', undefined, 'COMPOSITE'],
  ['CRC64NVME', undefined, 'FULL_OBJECT'],
  ['CRC32', 'FULL_OBJECT', 'FULL_OBJECT'],
] as const)('a %s checksum of type %s is kept as %s', async (ChecksumAlgorithm, ChecksumType, kept) => {
  const UploadId = await begin('sums', { ChecksumAlgorithm, ChecksumType });
  const parts = [
    await part('sums', UploadId, 1, FIRST, { ChecksumAlgorithm }),
    await part('sums', UploadId, 2, LAST, { ChecksumAlgorithm }),
  ];
  await complete('sums', UploadId, parts, { ChecksumType });
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'sums', ChecksumMode: 'ENABLED' }));
  expect(head.ChecksumType).toBe(kept);
  const single = await s3.send(new PutObjectCommand({ Bucket, Key: 'single', Body: Buffer.concat([FIRST, LAST]), ChecksumAlgorithm }));
  const value = head[`Checksum${ChecksumAlgorithm}`];
  if (kept === 'FULL_OBJECT') expect(value).toBe(single[`Checksum${ChecksumAlgorithm}`]);
  else expect(value).toMatch(/-2$/);
  await read('sums');
});

test('fails for parts that are too small, out of order, unknown or not what they were', async () => {
  const UploadId = await begin('bad');
  const [a, b] = [await part('bad', UploadId, 1, LAST), await part('bad', UploadId, 2, LAST)];
  expect(await failure(complete('bad', UploadId, [a, b]))).toMatchObject({ name: 'EntityTooSmall', status: 400 });
  expect(await failure(complete('bad', UploadId, [b, a]))).toMatchObject({ name: 'InvalidPartOrder' });
  expect(await failure(complete('bad', UploadId, [{ ...a, PartNumber: 3 }]))).toMatchObject({ name: 'InvalidPart' });
  expect(await failure(complete('bad', UploadId, [{ ...a, ETag: '"0"' }]))).toMatchObject({ name: 'InvalidPart' });
  expect(await failure(complete('bad', UploadId, []))).toMatchObject({ name: 'MalformedXML' });
  await complete('bad', UploadId, [a]);
  expect(Buffer.compare(await read('bad'), LAST)).toBe(0);
  expect(await failure(complete('bad', UploadId, [a]))).toMatchObject({ name: 'NoSuchUpload', status: 404 });
});

test('a completion with If-None-Match loses to an object that came before, and may be tried again', async () => {
  const UploadId = await begin('cond');
  const parts = [await part('cond', UploadId, 1, LAST)];
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'cond', Body: 'first' }));
  expect(await failure(complete('cond', UploadId, parts, { IfNoneMatch: '*' }))).toMatchObject({ name: 'PreconditionFailed', status: 412 });
  expect(await failure(complete('cond', UploadId, parts, { IfMatch: '"0"' }))).toMatchObject({ name: 'PreconditionFailed' });
  await complete('cond', UploadId, parts, { IfMatch: ETag });
  expect(Buffer.compare(await read('cond'), LAST)).toBe(0);
});

test('of racing completions exactly one wins', async () => {
  const uploads = await Promise.all(Array.from({ length: 5 }, () => begin('race')));
  const lists = await Promise.all(uploads.map(async (id) => [await part('race', id, 1, LAST)]));
  const results = await Promise.allSettled(uploads.map((id, i) => complete('race', id, lists[i]!, { IfNoneMatch: '*' })));
  expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
});

test('a part may be sent again, and the last one counts', async () => {
  const UploadId = await begin('again');
  await part('again', UploadId, 1, FIRST);
  const second = await part('again', UploadId, 1, LAST);
  await complete('again', UploadId, [second]);
  expect(Buffer.compare(await read('again'), LAST)).toBe(0);
});

test('an aborted upload is gone with its parts', async () => {
  const UploadId = await begin('abort');
  const a = await part('abort', UploadId, 1, LAST);
  await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'abort', UploadId }));
  expect(await failure(complete('abort', UploadId, [a]))).toMatchObject({ name: 'NoSuchUpload' });
  expect(await failure(part('abort', UploadId, 1, LAST))).toMatchObject({ name: 'NoSuchUpload' });
});

test('uploads and parts are listed in pages and outlive the server', async () => {
  const UploadId = await begin('list/a');
  await begin('list/b');
  for (const n of [1, 2, 3]) await part('list/a', UploadId, n, LAST);
  await cloud.restart();
  s3 = cloud.s3();
  const first = await s3.send(new ListPartsCommand({ Bucket, Key: 'list/a', UploadId, MaxParts: 2 }));
  expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
  expect(first.Parts!.map((p) => [p.PartNumber, p.Size])).toEqual([[1, 1000], [2, 1000]]); // prettier-ignore
  const rest = await s3.send(new ListPartsCommand({ Bucket, Key: 'list/a', UploadId, PartNumberMarker: '2' }));
  expect(rest.Parts!.map((p) => p.PartNumber)).toEqual([3]);
  const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/', MaxUploads: 1 }));
  expect(uploads).toMatchObject({ IsTruncated: true, NextKeyMarker: 'list/a' });
  const more = await s3.send(
    new ListMultipartUploadsCommand({ Bucket, KeyMarker: uploads.NextKeyMarker, UploadIdMarker: uploads.NextUploadIdMarker }),
  );
  expect(more.Uploads!.map((u) => u.Key)).toEqual(['list/b']);
});
