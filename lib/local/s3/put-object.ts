import type { IncomingHttpHeaders } from 'node:http';
import { type ServiceRequest, ServiceError, type ServiceResponse } from '../service';
import type { ChecksumName } from '../checksums';
import { writeCondition, type WriteCondition } from './conditions';
import { requireObjectAction, type S3Call, wholeSeconds } from './context';
import { s3Errors } from './errors';
import { checksumHeaders, quoted, storedHeaders } from './object-headers';
import type { NewObject } from './record';
import type { Staged } from './staging';

/** 5 GiB, of one PUT and of one part. Source: S3 user guide, "Multipart upload limits". */
const MAX_PUT_BYTES = 5 * 2 ** 30;

export async function putObject(call: S3Call): Promise<ServiceResponse> {
  const { request, bucket, key, context } = call;
  requireWrite(call);
  checkLength(request.headers);
  const headers = storedHeaders(request.headers);
  const condition = writeCondition(request.headers, key);
  const staged = await bucket.staging.receive(request.body);
  const checksums = checksumsOf(request);
  const record: NewObject = {
    v: 1,
    key,
    bytes: staged.bytes,
    etag: staged.md5.toString('hex'),
    modified: wholeSeconds(context.now()),
    headers,
    checksums,
    ...(Object.keys(checksums).length > 0 ? { checksumType: 'FULL_OBJECT' } : {}),
  };
  await commit(call, staged, record, condition);
  return { status: 200, headers: { etag: quoted(record.etag), ...checksumHeaders(record) } };
}

/** s3:PutObject, and s3:GetObject when the write depends on the object's tag. Source: S3 user guide, "Conditional writes". */
export function requireWrite(call: S3Call): void {
  requireObjectAction(call, 's3:PutObject');
  if (call.request.headers['if-match'] !== undefined) requireObjectAction(call, 's3:GetObject');
}

/** Seals and commits; nothing stays behind when the condition does not hold. */
export async function commit(
  { bucket }: Pick<S3Call, 'bucket'>,
  staged: Staged,
  object: NewObject,
  condition: WriteCondition,
): Promise<void> {
  try {
    // Asked before the file is written, too, which saves the losers of a race the writing.
    condition(bucket.objects.get(object.key));
    const record = { ...object, serial: bucket.nextSerial() };
    await staged.seal(record);
    bucket.commit(staged, record, condition);
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

/** @throws ServiceError EntityTooLarge, NotImplemented: S3 wants to know the length beforehand */
export function checkLength(headers: IncomingHttpHeaders): void {
  const decoded = headers['x-amz-decoded-content-length']?.toString();
  if (headers['transfer-encoding'] !== undefined && decoded === undefined)
    throw s3Errors.notImplemented('Transfer-Encoding without a length, as S3 itself');
  const length = decoded ?? headers['content-length'];
  if (length === undefined) throw new ServiceError(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  if (Number(length) <= MAX_PUT_BYTES) return;
  throw new ServiceError(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    ProposedSize: length,
    MaxSizeAllowed: String(MAX_PUT_BYTES),
  });
}

/** The checksums that came with the body, by algorithm; complete once it is read. */
export function checksumsOf(request: ServiceRequest): Partial<Record<ChecksumName, string>> {
  return Object.fromEntries(request.checksums ?? []);
}
