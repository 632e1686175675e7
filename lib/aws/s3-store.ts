import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { absentError, RawcloudError, redactKey } from '../contract';
import type { Store } from '../contract';
import type { AwsContext } from './clients';
import { signWithHash } from './payload-hash';
import { rangeHeader } from './range';
import { serverTime } from './server-time';
import { classify, toRawcloudError } from './errors';
import { uploadStream } from './multipart';

export interface S3StoreOptions {
  readonly bucket: string;
  /** Owner that the bucket must have: a bucket of the same name in foreign hands is refused. */
  readonly account?: string;
}

/** A race of conditional writes answers 409; the request is then to be sent again (S3 user guide, "Conditional writes"). */
const CONFLICT_TRIES = 8;

/** The bucket through the SDK, for clients and Lambdas. */
export function createS3Store(context: AwsContext, { bucket, account }: S3StoreOptions): Store {
  const requests = { put: 0, get: 0 };
  const where = { Bucket: bucket, ...(account ? { ExpectedBucketOwner: account } : {}) };
  const sdk = (): Promise<typeof import('./sdk/s3.js')> => import('./sdk/s3.js');

  return {
    requests,
    async get(key, options = {}) {
      requests.get += 1;
      const { GetObjectCommand } = await sdk();
      const input = {
        ...where,
        Key: key,
        ...(options.range ? { Range: rangeHeader(options.range) } : {}),
        ...(options.ifNoneMatch ? { IfNoneMatch: options.ifNoneMatch } : {}),
      };
      try {
        const found = await (await context.s3()).send(new GetObjectCommand(input), { abortSignal: options.signal });
        const body = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
        return { body, etag: found.ETag ?? '', modified: found.LastModified?.getTime() ?? 0, now: serverTime(found) };
      } catch (error) {
        options.signal?.throwIfAborted();
        if (status(error) === 304) return 'unchanged';
        if (isAbsent(error)) return 'absent';
        // An empty object has no bytes to give a range of.
        if (status(error) === 416) return { body: new Uint8Array(), etag: '', modified: 0, now: 0 };
        throw toRawcloudError(error, `s3:GetObject of ${redactKey(key)}`);
      }
    },

    async put(key, body, options = {}) {
      const { PutObjectCommand } = await sdk();
      const client = await context.s3();
      const condition = options.if === undefined ? {} : options.if === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: options.if.etag };
      for (let attempt = 1; ; attempt++) {
        requests.put += 1;
        try {
          const command = new PutObjectCommand({ ...where, Key: key, Body: body, ...condition });
          if (options.sha256 !== undefined) signWithHash(command, options.sha256);
          const written = await client.send(command, { abortSignal: options.signal });
          return { etag: written.ETag ?? '', now: serverTime(written) };
        } catch (error) {
          options.signal?.throwIfAborted();
          if (options.if !== undefined && (status(error) === 412 || isAbsent(error))) return 'lost';
          if (status(error) !== 409 || attempt >= CONFLICT_TRIES) throw toRawcloudError(error, `s3:PutObject of ${redactKey(key)}`);
        }
      }
    },

    async putStream(key, source, options = {}) {
      try {
        return await uploadStream({ client: await context.s3(), where: { ...where, Key: key }, source, requests, ...options });
      } catch (error) {
        options.signal?.throwIfAborted();
        throw toRawcloudError(error, `s3:PutObject of ${redactKey(key)}`);
      }
    },

    async *getStream(key, options = {}) {
      requests.get += 1;
      const { GetObjectCommand } = await sdk();
      try {
        const input = { ...where, Key: key, ...(options.range ? { Range: rangeHeader(options.range) } : {}) };
        const found = await (await context.s3()).send(new GetObjectCommand(input), { abortSignal: options.signal });
        yield* whole(found, key);
      } catch (error) {
        options.signal?.throwIfAborted();
        if (isAbsent(error)) throw absentError(key);
        throw toRawcloudError(error, `s3:GetObject of ${redactKey(key)}`);
      }
    },

    async *list(prefix, options = {}) {
      const { ListObjectsV2Command } = await sdk();
      const client = await context.s3();
      let ContinuationToken: string | undefined;
      do {
        requests.put += 1; // LIST costs as much as PUT.
        const input = {
          ...where,
          Prefix: prefix,
          ...(options.after ? { StartAfter: options.after } : {}),
          ...(options.delimiter ? { Delimiter: options.delimiter } : {}),
          ...(ContinuationToken ? { ContinuationToken } : {}),
        };
        const page = await client.send(new ListObjectsV2Command(input), { abortSignal: options.signal }).catch((error: unknown) => {
          throw toRawcloudError(error, 's3:ListBucket');
        });
        const objects = (page.Contents ?? []).map((o) => ({
          key: o.Key ?? '',
          bytes: o.Size ?? 0,
          etag: o.ETag ?? '',
          modified: o.LastModified?.getTime() ?? 0,
        }));
        const prefixes = (page.CommonPrefixes ?? []).map((p) => ({ key: p.Prefix ?? '', bytes: 0, etag: '', modified: 0 }));
        yield* prefixes.length === 0
          ? objects
          : [...objects, ...prefixes].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken);
    },

    async delete(key, options = {}) {
      requests.put += 1;
      const { DeleteObjectCommand } = await sdk();
      await (
        await context.s3()
      )
        .send(new DeleteObjectCommand({ ...where, Key: key }), { abortSignal: options.signal })
        .catch((error: unknown) => {
          options.signal?.throwIfAborted();
          throw toRawcloudError(error, `s3:DeleteObject of ${redactKey(key)}`);
        });
    },

    async renew(key, options = {}) {
      requests.put += 1;
      const { CopyObjectCommand } = await sdk();
      // S3 copies an object onto itself only when something of it is said anew: its metadata, of which ours have none.
      const input = { ...where, Key: key, CopySource: encodeURIComponent(`${bucket}/${key}`), MetadataDirective: 'REPLACE' as const };
      try {
        await (await context.s3()).send(new CopyObjectCommand(input), { abortSignal: options.signal });
        return true;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (isAbsent(error) || isTooLargeToCopy(error)) return false;
        throw toRawcloudError(error, `s3:CopyObject of ${redactKey(key)}`);
      }
    },
  };
}

async function* whole(found: GetObjectCommandOutput, key: string): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of (found.Body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    yield chunk;
  }
  if (bytes === (found.ContentLength ?? bytes)) return;
  throw new RawcloudError('E_INTEGRITY', `${redactKey(key)} ended after ${bytes} of ${found.ContentLength} bytes`, { retryable: true });
}

interface Answered {
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function status(error: unknown): number | undefined {
  return (error as Answered).$metadata?.httpStatusCode;
}

/** Over 5 GB. Source: Amazon S3 API reference, CopyObject. */
function isTooLargeToCopy(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidRequest' && error.message.includes('larger than the maximum allowable size');
}

function isAbsent(error: unknown): boolean {
  const { awsCode } = classify(error);
  return awsCode === 'NoSuchKey' || awsCode === 'NotFound';
}
