import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BUCKET, failure, startTestCloud, type TestCloud } from './front-fixture';

const Bucket = BUCKET;
let cloud: TestCloud;
let s3: S3Client;

beforeAll(async () => {
  cloud = await startTestCloud();
  s3 = cloud.s3();
});

afterAll(async () => {
  await cloud.close();
  expect(cloud.complaints).toEqual([]);
});

/** Jest's own comparison takes seconds for a megabyte. */
function expectSame(got: Uint8Array, wanted: Uint8Array): void {
  expect(Buffer.compare(got, wanted)).toBe(0);
}

async function read(Key: string, Range?: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, Range }));
  return Buffer.from(await Body!.transformToByteArray());
}

test('an object comes back as it was put, with its metadata', async () => {
  const put = await s3.send(
    new PutObjectCommand({
      Bucket,
      Key: 'a/b.txt',
      Body: 'hello',
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      Metadata: { color: 'blue' },
    }),
  );
  expect(put.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
  expect(put.ChecksumCRC32).toBe('NhCmhg==');
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'a/b.txt' }));
  expect(await got.Body!.transformToString()).toBe('hello');
  expect(got).toMatchObject({
    ContentType: 'text/plain',
    CacheControl: 'no-store',
    ContentLength: 5,
    ETag: put.ETag,
    Metadata: { color: 'blue' },
  });
  expect(got).toMatchObject({ ChecksumCRC32: 'NhCmhg==', ChecksumType: 'FULL_OBJECT', AcceptRanges: 'bytes' });
  expect(got.LastModified!.getTime() % 1000).toBe(0);
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a/b.txt' }));
  expect(head).toMatchObject({ ContentLength: 5, ContentType: 'text/plain', ETag: put.ETag });
});

test('an empty object is an object', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: '' }));
  expect(await read('empty')).toHaveLength(0);
});

test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
  'a %s checksum is verified, kept and given back',
  async (ChecksumAlgorithm) => {
    const body = randomBytes(100_003);
    const Key = `sum/${ChecksumAlgorithm}`;
    const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: body, ChecksumAlgorithm }));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(head[`Checksum${ChecksumAlgorithm}`]).toBe(put[`Checksum${ChecksumAlgorithm}`]);
    expect(head[`Checksum${ChecksumAlgorithm}`]).toBeTruthy();
    expectSame(await read(Key), body);
  },
);

test('a stream goes up with a trailing checksum and comes down in one piece', async () => {
  const body = randomBytes(3_000_001);
  const chunks = Array.from({ length: 46 }, (_, i) => body.subarray(i * 65_536, (i + 1) * 65_536));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'stream', Body: Readable.from(chunks), ContentLength: body.byteLength }));
  expectSame(await read('stream'), body);
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'stream', ChecksumMode: 'ENABLED' }))).ChecksumCRC32).toBeTruthy();
});

test('fails for a stream whose chunks are smaller than S3 takes', async () => {
  const chunks = [Buffer.alloc(100), Buffer.alloc(100)];
  const put = s3.send(new PutObjectCommand({ Bucket, Key: 'crumbs', Body: Readable.from(chunks), ContentLength: 200 }));
  expect(await failure(put)).toMatchObject({ name: 'InvalidChunkSizeError', status: 403 });
  expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'crumbs' })))).toMatchObject({ name: 'NoSuchKey' });
});

test('a body that is refused in its middle is answered, and the connection goes on', async () => {
  async function* crumbs(): AsyncGenerator<Buffer> {
    for (let i = 0; i < 5000; i++) yield Buffer.alloc(1000);
  }
  const put = s3.send(new PutObjectCommand({ Bucket, Key: 'crumbs', Body: Readable.from(crumbs()), ContentLength: 5_000_000 }));
  expect(await failure(put)).toMatchObject({ name: 'InvalidChunkSizeError' });
  await s3.send(new PutObjectCommand({ Bucket, Key: 'after', Body: 'x' }));
});

test('fails for a checksum that is not the body’s, and stores nothing', async () => {
  const put = s3.send(new PutObjectCommand({ Bucket, Key: 'bad-sum', Body: 'x', ChecksumSHA256: Buffer.alloc(32).toString('base64') }));
  expect(await failure(put)).toMatchObject({ name: 'BadDigest', status: 400 });
  const md5 = s3.send(new PutObjectCommand({ Bucket, Key: 'bad-sum', Body: 'x', ContentMD5: Buffer.alloc(16).toString('base64') }));
  expect(await failure(md5)).toMatchObject({ name: 'BadDigest', status: 400 });
  expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'bad-sum' })))).toMatchObject({ name: 'NoSuchKey', status: 404 });
});

const ODD_KEYS = [
  'with space', 'plus+sign', 'col:on', 'per%cent', '%2F', 'a//b', '/leading', 'trailing/', '../up', 'a/../b', './dot', 'ünï/ço∂é', '日本語', '😀/🎉', "quote'\"", '(paren)!*',
  'question?mark', 'hash#tag', 'amp&and=eq', '<xml>&amp;', 'semi;comma,', 'back\\slash', 'tab\there', 'tilde~', `long/${'x'.repeat(1019)}`,
]; // prettier-ignore

test.each(ODD_KEYS)('a key may be %j', async (Key) => {
  await s3.send(new PutObjectCommand({ Bucket, Key: Key.slice(0, 1024), Body: Key }));
  expect((await read(Key)).toString()).toBe(Key);
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
  expect(listed.Contents!.map((c) => c.Key)).toContain(Key);
  await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  expect(await failure(s3.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({ name: 'NotFound', status: 404 });
});

test('fails for a key of more than 1024 bytes', async () => {
  expect(await failure(s3.send(new PutObjectCommand({ Bucket, Key: 'ü'.repeat(513), Body: '' })))).toMatchObject({
    name: 'KeyTooLongError',
  });
});

test.each([
  ['bytes=0-3', 'abcd', 'bytes 0-3/10'],
  ['bytes=4-', 'efghij', 'bytes 4-9/10'],
  ['bytes=-3', 'hij', 'bytes 7-9/10'],
  ['bytes=-99', 'abcdefghij', 'bytes 0-9/10'],
  ['bytes=8-99', 'ij', 'bytes 8-9/10'],
])('range %s gives %s', async (Range, text, ContentRange) => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'range', Body: 'abcdefghij' }));
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'range', Range }));
  expect(await got.Body!.transformToString()).toBe(text);
  expect(got).toMatchObject({ ContentRange, ContentLength: text.length, $metadata: { httpStatusCode: 206 } });
});

test.each(['bytes=10-', 'bytes=-0'])('fails for range %s of ten bytes', async (Range) => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'range', Body: 'abcdefghij' }));
  expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'range', Range })))).toMatchObject({
    name: 'InvalidRange',
    status: 416,
  });
});

test('a large range is streamed from its place', async () => {
  const body = randomBytes(2_000_000);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'large', Body: body }));
  expectSame(await read('large', 'bytes=100000-1899999'), body.subarray(100_000, 1_900_000));
});

test('of twenty racers with If-None-Match exactly one wins', async () => {
  const put = (n: number): Promise<string> =>
    s3.send(new PutObjectCommand({ Bucket, Key: 'race', Body: `racer ${n}`, IfNoneMatch: '*' })).then(
      () => 'won',
      (e: Error) => e.name,
    );
  const results = await Promise.all(Array.from({ length: 20 }, (_, n) => put(n)));
  expect(results.filter((r) => r === 'won')).toHaveLength(1);
  expect(results.filter((r) => r === 'PreconditionFailed')).toHaveLength(19);
  expect((await read('race')).toString()).toBe(`racer ${results.indexOf('won')}`);
});

test('of twenty racers with If-Match on one tag exactly one wins', async () => {
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'swap', Body: 'old' }));
  const puts = Array.from({ length: 20 }, (_, n) =>
    s3.send(new PutObjectCommand({ Bucket, Key: 'swap', Body: `new ${n}`, IfMatch: ETag })),
  );
  const results = await Promise.allSettled(puts);
  expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
});

test('fails with 404 for If-Match on what is not there', async () => {
  const put = s3.send(new PutObjectCommand({ Bucket, Key: 'nowhere', Body: '', IfMatch: '"0"' }));
  expect(await failure(put)).toMatchObject({ name: 'NoSuchKey', status: 404 });
});

test('a conditional read says 304 or 412', async () => {
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'cond', Body: 'x' }));
  expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'cond', IfNoneMatch: ETag })))).toMatchObject({ status: 304 });
  expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'cond', IfMatch: '"0"' })))).toMatchObject({
    name: 'PreconditionFailed',
    status: 412,
  });
  const inAnHour = new Date(Date.now() + 3_600_000);
  expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'cond', IfModifiedSince: inAnHour })))).toMatchObject({ status: 304 });
  expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'cond', IfUnmodifiedSince: new Date(0) })))).toMatchObject({
    status: 412,
  });
  await s3
    .send(new GetObjectCommand({ Bucket, Key: 'cond', IfMatch: ETag, IfUnmodifiedSince: new Date(0) }))
    .then(({ Body }) => Body!.transformToString());
});

test('a conditional delete removes only what it names', async () => {
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'del', Body: 'x' }));
  expect(await failure(s3.send(new DeleteObjectCommand({ Bucket, Key: 'del', IfMatch: '"0"' })))).toMatchObject({
    name: 'PreconditionFailed',
    status: 412,
  });
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'del', IfMatch: ETag }));
  expect(await failure(s3.send(new DeleteObjectCommand({ Bucket, Key: 'del', IfMatch: ETag })))).toMatchObject({ status: 404 });
});

test('deleting what is not there is no error, one by one or many at once', async () => {
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'never' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'many/<1>', Body: '1' }));
  const Objects = [{ Key: 'many/<1>' }, { Key: 'never' }];
  expect((await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).Deleted).toEqual(Objects);
  expect((await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))).Deleted ?? []).toEqual([]);
});

test('a copy keeps or replaces the metadata', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'src é+', Body: 'copied', Metadata: { a: '1' }, ContentType: 'text/x' }));
  const CopySource = `${Bucket}/${encodeURIComponent('src é+')}`;
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'dst', CopySource }));
  expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'dst' }))).toMatchObject({ Metadata: { a: '1' }, ContentType: 'text/x' });
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'dst', CopySource, MetadataDirective: 'REPLACE', Metadata: { b: '2' } }));
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'dst' }))).Metadata).toEqual({ b: '2' });
  expect((await read('dst')).toString()).toBe('copied');
});

test('a reader gets the version it began with while others overwrite it', async () => {
  const old = randomBytes(8_000_000);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'versions', Body: old }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'versions' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'versions', Body: 'new' }));
  expectSame(await Body!.transformToByteArray(), old);
  expect((await read('versions')).toString()).toBe('new');
});

test('objects outlive the server', async () => {
  const own = await startTestCloud();
  try {
    const body = randomBytes(700_000);
    await own.s3().send(new PutObjectCommand({ Bucket, Key: 'kept:1', Body: body, Metadata: { a: 'b' } }));
    await own.s3().send(new PutObjectCommand({ Bucket, Key: 'gone', Body: 'x' }));
    await own.s3().send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
    await own.restart();
    const got = await own.s3().send(new GetObjectCommand({ Bucket, Key: 'kept:1' }));
    expectSame(await got.Body!.transformToByteArray(), body);
    expect(got.Metadata).toEqual({ a: 'b' });
    expect((await own.s3().send(new ListObjectsV2Command({ Bucket }))).Contents!.map((c) => c.Key)).toEqual(['kept:1']);
  } finally {
    await own.close();
  }
});
