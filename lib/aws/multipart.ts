import type { S3Client } from '@aws-sdk/client-s3';
import { cutIntoParts, PART_BYTES } from './parts';

/** Parts under way at once, and so in memory. */
const PARTS_AT_ONCE = 4;

export interface UploadInput {
  readonly client: S3Client;
  readonly where: { readonly Bucket: string; readonly Key: string; readonly ExpectedBucketOwner?: string };
  readonly source: AsyncIterable<Uint8Array>;
  /** Counted up, for the bill. */
  readonly requests: { put: number };
  readonly signal?: AbortSignal;
}

/** Puts a stream of any length: in one request when it fits into a part, else part by part. Nothing stays when it fails. */
export async function uploadStream({ client, where, source, requests, signal }: UploadInput): Promise<{ etag: string }> {
  const sdk = await import('./sdk/s3.js');
  const options = { abortSignal: signal };
  const parts = cutIntoParts(source);
  const first = await parts.next();
  const head = first.done ? Buffer.alloc(0) : first.value;
  if (head.byteLength < PART_BYTES) {
    requests.put += 1;
    const written = await client.send(new sdk.PutObjectCommand({ ...where, Body: head }), options);
    return { etag: written.ETag ?? '' };
  }
  requests.put += 2;
  const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(where), options);
  try {
    const done: { PartNumber: number; ETag: string; ChecksumCRC32?: string }[] = [];
    const send = async (PartNumber: number, Body: Uint8Array): Promise<void> => {
      requests.put += 1;
      const part = await client.send(new sdk.UploadPartCommand({ ...where, UploadId, PartNumber, Body }), options);
      done.push({ PartNumber, ETag: part.ETag ?? '', ...(part.ChecksumCRC32 ? { ChecksumCRC32: part.ChecksumCRC32 } : {}) });
    };
    await sendAll(head, parts, send);
    const Parts = done.sort((a, b) => a.PartNumber - b.PartNumber);
    const written = await client.send(new sdk.CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload: { Parts } }), options);
    return { etag: written.ETag ?? '' };
  } catch (error) {
    // Without the caller's signal: an abort must not leave parts that are paid for.
    await client.send(new sdk.AbortMultipartUploadCommand({ ...where, UploadId })).catch(() => undefined);
    throw error;
  }
}

async function sendAll(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  send: (n: number, body: Uint8Array) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let number = 0;
  for (let body: Uint8Array | undefined = head; body && !failure;) {
    const sent: Promise<void> = send(++number, body)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => underWay.delete(sent));
    underWay.add(sent);
    if (underWay.size >= PARTS_AT_ONCE) await Promise.race(underWay);
    const next = await rest.next();
    body = next.done ? undefined : next.value;
  }
  await Promise.all(underWay);
  if (failure) throw failure.error;
}
