import type { ServiceResponse } from '../service';
import { encodeStrictly } from '../canonical';
import type { XmlFields } from '../xml';
import type { Bucket } from './bucket';
import { requireBucketAction, type S3Call } from './context';
import { s3Errors } from './errors';
import { compareKeys, firstWhere } from './key-index';
import { checksumElements, quoted } from './object-headers';
import { xmlReply, xmlTime } from './reply';

/** Most entries of a page. Source: S3 API reference, ListObjectsV2. */
const MAX_PAGE = 1000;

interface ListQuery {
  readonly prefix: string;
  readonly delimiter: string;
  /** Only what stands behind it, exclusively. */
  readonly after: string;
  readonly max: number;
}

interface Page {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  /** Key or common prefix that the next page starts behind; `undefined` on the last page. */
  readonly next: string | undefined;
}

export function listObjectsV2(call: S3Call): ServiceResponse {
  const { bucket } = call;
  const { query } = call.request;
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? '';
  const { asked, page, encode } = readPage(call, token === null ? startAfter : readToken(token));
  return xmlReply('ListBucketResult', {
    ...common(bucket, asked, page, encode),
    KeyCount: page.keys.length + page.prefixes.length,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: page.next === undefined ? undefined : writeToken(page.next),
    StartAfter: startAfter === '' ? undefined : encode(startAfter),
    ...entries(call, page, encode, query.get('fetch-owner') === 'true'),
  });
}

/** The first version of the call, which older tools use: a marker instead of a token. */
export function listObjects(call: S3Call): ServiceResponse {
  const marker = call.request.query.get('marker') ?? '';
  const { asked, page, encode } = readPage(call, marker);
  return xmlReply('ListBucketResult', {
    ...common(call.bucket, asked, page, encode),
    Marker: encode(marker),
    NextMarker: page.next === undefined || asked.delimiter === '' ? undefined : encode(page.next),
    ...entries(call, page, encode, true),
  });
}

/** No bucket here is versioned: each object has the one version that S3 calls `null`, and nothing is a delete marker. */
export function listObjectVersions(call: S3Call): ServiceResponse {
  const { query } = call.request;
  const marker = query.get('key-marker') ?? '';
  // A key that the page before began with may have more versions: here it never has.
  const { asked, page, encode } = readPage(call, marker, 's3:ListBucketVersions');
  const { Contents, CommonPrefixes } = entries(call, page, encode, true);
  return xmlReply('ListVersionsResult', {
    ...common(call.bucket, asked, page, encode),
    KeyMarker: encode(marker),
    VersionIdMarker: query.get('version-id-marker') ?? '',
    NextKeyMarker: page.next === undefined ? undefined : encode(page.next),
    NextVersionIdMarker: page.next === undefined ? undefined : 'null',
    Version: (Contents as XmlFields[]).map((object) => ({ ...object, VersionId: 'null', IsLatest: true })),
    CommonPrefixes,
  });
}

function readPage(call: S3Call, after: string, action = 's3:ListBucket'): { asked: ListQuery; page: Page; encode: Encode } {
  requireBucketAction(call, action);
  const { query } = call.request;
  const asked = { prefix: query.get('prefix') ?? '', delimiter: query.get('delimiter') ?? '', after, max: readMax(query.get('max-keys')) };
  return { asked, page: walk(call.bucket.objects.keys(), asked), encode: readEncoding(query.get('encoding-type')) };
}

type Encode = (text: string) => string;

/** Elements that both versions share, in S3's order as far as anybody looks at it. */
function common(bucket: Bucket, asked: ListQuery, page: Page, encode: Encode): XmlFields {
  return {
    Name: bucket.record.name,
    Prefix: encode(asked.prefix),
    Delimiter: asked.delimiter === '' ? undefined : encode(asked.delimiter),
    MaxKeys: asked.max,
    EncodingType: encode === PLAIN ? undefined : 'url',
    IsTruncated: page.next !== undefined,
  };
}

function entries({ bucket, context }: S3Call, page: Page, encode: Encode, withOwner: boolean): XmlFields {
  const owner = withOwner ? { ID: context.account } : undefined;
  const contents = page.keys.flatMap((key) => {
    const record = bucket.objects.get(key);
    if (!record) return [];
    return {
      Key: encode(key),
      LastModified: xmlTime(record.modified),
      ETag: quoted(record.etag),
      ChecksumAlgorithm: Object.keys(record.checksums).map((name) => name.toUpperCase()),
      ChecksumType: checksumElements(record)['ChecksumType'],
      Size: record.bytes,
      Owner: owner,
      StorageClass: 'STANDARD',
    };
  });
  return { Contents: contents, CommonPrefixes: page.prefixes.map((p) => ({ Prefix: encode(p) })) };
}

/** One page of sorted keys. A common prefix counts as one entry, and its keys are jumped over. */
export function walk(keys: readonly string[], { prefix, delimiter, after, max }: ListQuery): Page {
  const found: string[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  let at = firstWhere(keys, (key) => compareKeys(key, after) > 0 && compareKeys(key, prefix) >= 0);
  while (at < keys.length && keys[at]!.startsWith(prefix)) {
    const key = keys[at]!;
    const common = commonPrefix(key, prefix, delimiter);
    // The page before may have ended with this very prefix.
    const known = common !== undefined && common === after;
    if (!known && found.length + prefixes.length === max) return { keys: found, prefixes, next: max === 0 ? undefined : last };
    if (common === undefined) found.push(key);
    else if (!known) prefixes.push(common);
    last = common ?? key;
    at = common === undefined ? at + 1 : firstWhere(keys, (k) => !k.startsWith(common) && compareKeys(k, common) > 0, at);
  }
  return { keys: found, prefixes, next: undefined };
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined;
  const end = key.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : key.slice(0, end + delimiter.length);
}

function readMax(text: string | null): number {
  if (text === null || text === '') return MAX_PAGE;
  if (/^\d{1,10}$/.test(text)) return Math.min(MAX_PAGE, Number(text));
  throw s3Errors.invalidArgument('Provided max-keys not an integer or within integer range', 'max-keys', text);
}

const PLAIN: Encode = (text) => text;

function readEncoding(type: string | null): Encode {
  if (type === null) return PLAIN;
  if (type === 'url') return (text) => encodeStrictly(text).replaceAll('%2F', '/');
  throw s3Errors.invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', type);
}

const TOKEN_MARK = '1:';

function writeToken(next: string): string {
  return Buffer.from(TOKEN_MARK + next).toString('base64');
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (text.startsWith(TOKEN_MARK)) return text.slice(TOKEN_MARK.length);
  throw s3Errors.invalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
}
