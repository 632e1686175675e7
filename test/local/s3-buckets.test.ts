import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectsV2CommandInput,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import * as fc from 'fast-check';
import { compareKeys, KeyIndex } from '../../lib/local/s3/key-index';
import { walk } from '../../lib/local/s3/list-objects';
import { BUCKET, failure, REGION, startTestCloud, type TestCloud } from './front-fixture';

const Bucket = BUCKET;
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

async function fill(keys: readonly string[]): Promise<void> {
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
}

async function list(
  ask: Partial<ListObjectsV2CommandInput> = {},
  pageSize?: number,
): Promise<{ keys: string[]; prefixes: string[]; pages: number }> {
  const all = { keys: [] as string[], prefixes: [] as string[], pages: 0 };
  for await (const page of paginateListObjectsV2({ client: s3, ...(pageSize ? { pageSize } : {}) }, { Bucket, ...ask })) {
    all.pages++;
    all.keys.push(...(page.Contents ?? []).map((c) => c.Key!));
    all.prefixes.push(...(page.CommonPrefixes ?? []).map((p) => p.Prefix!));
  }
  return all;
}

test('a bucket is created, found, located and deleted when it is empty', async () => {
  const own = 'another-bucket-1';
  await s3.send(new CreateBucketCommand({ Bucket: own, CreateBucketConfiguration: { LocationConstraint: REGION } }));
  expect(await s3.send(new HeadBucketCommand({ Bucket: own }))).toMatchObject({ BucketRegion: REGION });
  expect((await s3.send(new GetBucketLocationCommand({ Bucket: own }))).LocationConstraint).toBe(REGION);
  expect((await s3.send(new ListBucketsCommand({}))).Buckets!.map((b) => b.Name)).toEqual([own, BUCKET]);
  expect(
    await failure(s3.send(new CreateBucketCommand({ Bucket: own, CreateBucketConfiguration: { LocationConstraint: REGION } }))),
  ).toMatchObject({
    name: 'BucketAlreadyOwnedByYou',
    status: 409,
  });
  await s3.send(new PutObjectCommand({ Bucket: own, Key: 'x', Body: '' }));
  expect(await failure(s3.send(new DeleteBucketCommand({ Bucket: own })))).toMatchObject({ name: 'BucketNotEmpty', status: 409 });
  await s3.send(new DeleteObjectCommand({ Bucket: own, Key: 'x' }));
  await s3.send(new DeleteBucketCommand({ Bucket: own }));
  expect(await failure(s3.send(new GetObjectCommand({ Bucket: own, Key: 'x' })))).toMatchObject({ name: 'NoSuchBucket', status: 404 });
  expect(await failure(s3.send(new HeadBucketCommand({ Bucket: own })))).toMatchObject({ name: 'NotFound', status: 404 });
});

test.each(['Upper', 'a', 'under_score', 'two..dots', '10.0.0.1', '-dash'])('fails to create a bucket named %s', async (name) => {
  const create = new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: REGION } });
  expect(await failure(s3.send(create))).toMatchObject({ name: 'InvalidBucketName', status: 400 });
});

test('fails for a bucket that is asked for in another region', async () => {
  const elsewhere = cloud.s3(undefined, { region: 'eu-west-1' });
  expect(await failure(elsewhere.send(new ListObjectsV2Command({ Bucket })))).toMatchObject({
    name: 'AuthorizationHeaderMalformed',
    status: 400,
  });
  const create = new CreateBucketCommand({ Bucket: 'other', CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } });
  expect(await failure(s3.send(create))).toMatchObject({ name: 'IllegalLocationConstraintException', status: 400 });
});

test('what is not implemented says so', async () => {
  await fill(['x']);
  expect(await failure(s3.send(new GetObjectAclCommand({ Bucket, Key: 'x' })))).toMatchObject({
    name: 'NotImplemented',
    status: 501,
    message: expect.stringContaining('GET object acl'),
  });
  const tagged = new PutObjectCommand({ Bucket, Key: 'x', Body: '', Tagging: 'a=b' });
  expect(await failure(s3.send(tagged))).toMatchObject({ name: 'NotImplemented', message: expect.stringContaining('x-amz-tagging') });
});

test('keys are listed in pages, in the order of their bytes', async () => {
  const keys = Array.from({ length: 25 }, (_, i) => `k/${String(i).padStart(2, '0')}`);
  await fill([...keys].reverse());
  expect(await list({}, 10)).toEqual({ keys, prefixes: [], pages: 3 });
  expect((await list({ StartAfter: 'k/22' })).keys).toEqual(['k/23', 'k/24']);
  expect((await list({ Prefix: 'k/1' })).keys).toEqual(keys.slice(10, 20));
  const none = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
  expect(none).toMatchObject({ KeyCount: 0, IsTruncated: false });
  const [entry] = (await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 }))).Contents!;
  expect(entry).toMatchObject({ Key: 'k/00', Size: 4, StorageClass: 'STANDARD', ChecksumAlgorithm: ['CRC32'] });
  expect(entry!.LastModified!.getTime() % 1000).toBe(0);
});

test('common prefixes stand for what lies under them, in pages of any size', async () => {
  await fill(['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e/f']);
  for (const size of [1, 2, 3, 1000])
    expect(await list({ Delimiter: '/' }, size)).toMatchObject({ keys: ['a', 'd'], prefixes: ['b/', 'e/'] });
  expect(await list({ Delimiter: '/', Prefix: 'b/' })).toMatchObject({ keys: ['b/1', 'b/2'], prefixes: ['b/c/'] });
});

test('the first version of the call knows markers', async () => {
  await fill(['a', 'b/1', 'c']);
  const first = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2 }));
  expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'b/' });
  const rest = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', Marker: 'b/' }));
  expect(rest.Contents!.map((c) => c.Key)).toEqual(['c']);
});

test('each object has one version, called null, by which it is deleted; listed in pages', async () => {
  await fill(['a', 'b/c', 'b/d']);
  const first = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2 }));
  expect(first).toMatchObject({ IsTruncated: true, NextKeyMarker: 'b/c', NextVersionIdMarker: 'null' });
  expect(first.Versions).toMatchObject([{ Key: 'a', VersionId: 'null', IsLatest: true, Size: 1 }, { Key: 'b/c' }]);
  const KeyMarker = first.NextKeyMarker;
  const second = await s3.send(new ListObjectVersionsCommand({ Bucket, KeyMarker, VersionIdMarker: 'null' }));
  expect(second.Versions?.map(({ Key }) => Key)).toEqual(['b/d']);
  expect(second.DeleteMarkers).toBeUndefined();
  const Objects = [
    { Key: 'a', VersionId: 'null' },
    { Key: 'b/c', VersionId: 'other' },
  ];
  const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect(Deleted).toMatchObject([{ Key: 'a' }]);
  expect(Errors).toMatchObject([{ Key: 'b/c', Code: 'NotImplemented' }]);
  expect((await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'b/' }))).Versions).toHaveLength(2);
});

test('keys may be asked for in URL encoding', async () => {
  await fill(['a b+c/ü']);
  const got = await s3.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url', Prefix: 'a b' }));
  expect(got).toMatchObject({ EncodingType: 'url', Prefix: 'a%20b', Contents: [{ Key: 'a%20b%2Bc/%C3%BC' }] });
});

const anyKey = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é', '\uffee', '😀'), minLength: 1, maxLength: 5 });

test('an index holds what was written and not deleted, in order of bytes', () => {
  const step = fc.tuple(fc.constantFrom('set', 'delete', 'list'), anyKey);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const index = new KeyIndex<number>();
      const model = new Set<string>();
      for (const [what, key] of steps) {
        if (what === 'set') {
          index.set(key, 1);
          model.add(key);
        } else if (what === 'delete') {
          index.delete(key);
          model.delete(key);
        } else {
          index.keys();
        }
      }
      const expected = [...model].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(index.keys()).toEqual(expected);
      expect(index.size).toBe(model.size);
    }),
  );
});

test('pages of any size together are the listing', () => {
  const ask = fc.record({
    prefix: fc.constantFrom('', 'a', '/', 'a/'),
    delimiter: fc.constantFrom('', '/'),
    max: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(anyKey, { maxLength: 20 }), ask, (unsorted, { prefix, delimiter, max }) => {
      const keys = unsorted.sort(compareKeys);
      const whole = walk(keys, { prefix, delimiter, after: '', max: 1000 });
      const paged = { keys: [] as string[], prefixes: [] as string[] };
      for (let after: string | undefined = ''; after !== undefined;) {
        const page: ReturnType<typeof walk> = walk(keys, { prefix, delimiter, after, max });
        paged.keys.push(...page.keys);
        paged.prefixes.push(...page.prefixes);
        after = page.next;
      }
      expect(paged).toEqual({ keys: whole.keys, prefixes: whole.prefixes });
      const under = keys.filter((k) => k.startsWith(prefix));
      expect(under.every((k) => whole.keys.includes(k) || whole.prefixes.some((p) => k.startsWith(p)))).toBe(true);
    }),
  );
});
