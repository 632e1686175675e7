import { AuthFault, type AuthFaultKind } from '../../lib/local/auth-errors';
import { dechunk, FRAMINGS } from '../../lib/local/aws-chunked';
import { type Signable } from '../../lib/local/canonical';
import { readClaim } from '../../lib/local/claim';
import type { KnownKey } from '../../lib/local/principals';
import { verify, type Verified } from '../../lib/local/sigv4';

/** The example keys and requests of AWS's own documentation (S3 API reference, "Signature Calculations"). */
const EXAMPLE: KnownKey = {
  principal: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', account: '123456789012', arn: 'arn', userId: 'AIDA', kind: 'developer' },
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const NOW = Date.parse('2013-05-24T00:00:00Z');
const CREDENTIAL = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

interface Example {
  readonly method?: string;
  readonly path: string;
  readonly query?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly hash: string;
  readonly signature?: string;
}

function signable({ method = 'GET', path, query = '', headers, signature }: Example): Signable {
  const all = Object.fromEntries(Object.entries({ host: 'examplebucket.s3.amazonaws.com', ...headers }).map(([k, v]) => [k, [v]]));
  const signed = Object.keys(all).sort().join(';');
  if (signature) all['authorization'] = [`AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=${signed},Signature=${signature}`];
  return { method, rawPath: path, rawQuery: query, headers: all };
}

function check(example: Example, now = NOW, key: KnownKey | undefined = EXAMPLE): Verified {
  const request = signable(example);
  return verify(request, readClaim(request, new URLSearchParams(request.rawQuery))!, key, example.hash, now);
}

/** The kind of fault that `check` ends with. */
function faultOf(check: () => unknown): AuthFaultKind | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof AuthFault) return error.kind;
    throw error;
  }
}

const DATE = { 'x-amz-date': '20130524T000000Z' };
const GET_OBJECT: Example = {
  path: '/test.txt',
  headers: { ...DATE, range: 'bytes=0-9', 'x-amz-content-sha256': EMPTY },
  hash: EMPTY,
  signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
};
const PUT_HASH = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072';
const PUT_OBJECT: Example = {
  method: 'PUT',
  path: '/test$file.text',
  headers: {
    ...DATE,
    date: 'Fri, 24 May 2013 00:00:00 GMT',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-content-sha256': PUT_HASH,
  },
  hash: PUT_HASH,
  signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
};
const PRESIGNED: Example = {
  path: '/test.txt',
  query: `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(CREDENTIAL)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
  headers: {},
  hash: 'UNSIGNED-PAYLOAD',
};
const CHUNKED_SEED: Example = {
  method: 'PUT',
  path: '/examplebucket/chunkObject.txt',
  headers: {
    ...DATE,
    host: 's3.amazonaws.com',
    'content-encoding': 'aws-chunked',
    'content-length': '66824',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  },
  hash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
};
const CHUNK_SIGNATURES = [
  'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
  '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
  'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
];

test.each(Object.entries({ GET_OBJECT, PUT_OBJECT, PRESIGNED, CHUNKED_SEED }))('the documented example %s verifies', (_, example) => {
  expect(check(example).principal).toBe(EXAMPLE.principal);
});

const withToken = (token: string): Example => ({ ...GET_OBJECT, headers: { ...GET_OBJECT.headers, 'x-amz-security-token': token } });
const session = (expiresAt: number): KnownKey => ({ ...EXAMPLE, sessionToken: 't', expiresAt });

test.each<{ what: string; kind: string; example: Example; now?: number; key?: KnownKey }>([
  { what: 'another path', kind: 'bad-signature', example: { ...GET_OBJECT, path: '/test2.txt' } },
  { what: 'another method', kind: 'bad-signature', example: { ...GET_OBJECT, method: 'PUT' } },
  { what: 'another secret', kind: 'bad-signature', example: GET_OBJECT, key: { ...EXAMPLE, secretAccessKey: 'other' } },
  { what: 'a clock 16 minutes ahead', kind: 'skewed', example: GET_OBJECT, now: NOW + 16 * 60_000 },
  { what: 'a clock 16 minutes behind', kind: 'skewed', example: GET_OBJECT, now: NOW - 16 * 60_000 },
  { what: 'an expired URL', kind: 'expired-url', example: PRESIGNED, now: NOW + 86_401_000 },
  { what: 'an ended session', kind: 'expired-token', example: withToken('t'), key: session(NOW) },
  { what: 'a wrong token', kind: 'wrong-token', example: withToken('u'), key: session(NOW + 1) },
  { what: 'temporary keys without their token', kind: 'unknown-key', example: GET_OBJECT, key: session(NOW + 1) },
])('fails for $what: $kind', ({ kind, example, now, key }) => {
  expect(faultOf(() => check(example, now, key))).toBe(kind);
});

test('fails for an unknown key', () => {
  const request = signable(GET_OBJECT);
  const claim = readClaim(request, new URLSearchParams())!;
  expect(faultOf(() => verify(request, claim, undefined, EMPTY, NOW))).toBe('unknown-key');
});

test('fails for signatures of version 2 by their name, in header and URL', () => {
  const request = signable(GET_OBJECT);
  const old = { ...request, headers: { ...request.headers, authorization: ['AWS AKIA:sig='] } };
  expect(faultOf(() => readClaim(old, new URLSearchParams()))).toBe('old-signature');
  const anonymous = { ...request, headers: {} };
  expect(faultOf(() => readClaim(anonymous, new URLSearchParams('AWSAccessKeyId=AKIA&Signature=s&Expires=1')))).toBe('old-signature');
});

test('fails for an amz header that is not signed', () => {
  const request = signable(GET_OBJECT);
  const headers = { ...request.headers, 'x-amz-acl': ['public-read'] };
  const claim = readClaim(request, new URLSearchParams())!;
  expect(faultOf(() => verify({ ...request, headers }, claim, EXAMPLE, EMPTY, NOW))).toBe('unsigned-headers');
});

test('no error repeats a session token', () => {
  const known = { ...EXAMPLE, sessionToken: 'topsecret', expiresAt: NOW + 1 };
  const example = { ...GET_OBJECT, headers: { ...GET_OBJECT.headers, 'x-amz-security-token': 'topsecret' } };
  try {
    check(example, NOW, known);
    throw new Error('it verified');
  } catch (error) {
    expect(error).toMatchObject({ kind: 'bad-signature' });
    expect(JSON.stringify(error)).not.toContain('topsecret');
  }
});

function frame(signatures: readonly string[], sizes = [65_536, 1024, 0]): Buffer {
  return Buffer.concat(sizes.map((n, i) => Buffer.from(`${n.toString(16)};chunk-signature=${signatures[i]}\r\n${'a'.repeat(n)}\r\n`)));
}

async function unframe(bytes: Uint8Array, pieceBytes: number): Promise<string> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const out: Uint8Array[] = [];
  const framing = FRAMINGS['STREAMING-AWS4-HMAC-SHA256-PAYLOAD']!;
  for await (const piece of dechunk(pieces(), framing, check(CHUNKED_SEED), () => undefined)) out.push(piece);
  return Buffer.concat(out).toString();
}

test.each([1, 7, 1000, 100_000])('the documented chunks verify when they come in pieces of %d', async (pieceBytes) => {
  expect(await unframe(frame(CHUNK_SIGNATURES), pieceBytes)).toBe('a'.repeat(66_560));
});

test('fails for a chunk signature that is not the chunk’s', async () => {
  const wrong = [CHUNK_SIGNATURES[0]!, CHUNK_SIGNATURES[2]!, CHUNK_SIGNATURES[1]!];
  await expect(unframe(frame(wrong), 1000)).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
});

test('fails for a framed body that ends early', async () => {
  await expect(unframe(frame(CHUNK_SIGNATURES).subarray(0, 66_000), 1000)).rejects.toMatchObject({ code: 'IncompleteBody' });
});
