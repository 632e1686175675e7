import type { IncomingHttpHeaders } from 'node:http';
import { CHECKSUM_NAMES } from '../checksums';
import type { ServiceResponse } from '../service';
import { requireObjectAction, type S3Call, wholeSeconds } from './context';
import { s3Errors } from './errors';
import { checksumHeaders, quoted, storedHeaders } from './object-headers';
import { checkLength, checksumsOf } from './put-object';
import type { PartRecord, UploadRecord } from './record';
import { xmlReply } from './reply';
import type { Upload } from './uploads';

/** Source: S3 user guide, "Multipart upload limits". */
const MAX_PART_NUMBER = 10_000;

export function createMultipartUpload(call: S3Call): ServiceResponse {
  const { request, bucket, key, context } = call;
  requireObjectAction(call, 's3:PutObject');
  const checksum = readChecksum(request.headers);
  const uploadId = bucket.uploads.create({
    key,
    initiated: wholeSeconds(context.now()),
    headers: storedHeaders(request.headers),
    ...(checksum ? { checksum } : {}),
  });
  const headers: Record<string, string> = checksum
    ? { 'x-amz-checksum-algorithm': checksum.name.toUpperCase(), 'x-amz-checksum-type': checksum.type }
    : {};
  return xmlReply('InitiateMultipartUploadResult', { Bucket: bucket.record.name, Key: key, UploadId: uploadId }, headers);
}

/** CRC-64 covers whole objects only, SHA parts only, the 32-bit CRCs either. Source: S3 user guide, "Checking object integrity". */
function readChecksum(headers: IncomingHttpHeaders): UploadRecord['checksum'] {
  const algorithm = headers['x-amz-checksum-algorithm']?.toString();
  if (algorithm === undefined) return undefined;
  const name = CHECKSUM_NAMES.find((n) => n === algorithm.toLowerCase());
  if (!name)
    throw s3Errors.invalidRequest(
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    );
  const type = headers['x-amz-checksum-type']?.toString() ?? (name === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (type !== 'FULL_OBJECT' && type !== 'COMPOSITE') throw s3Errors.invalidRequest('Value for x-amz-checksum-type header is invalid.');
  const impossible = type === 'COMPOSITE' ? name === 'crc64nvme' : name.startsWith('sha');
  if (impossible) throw s3Errors.invalidRequest(`The ${type} checksum type cannot be used with the ${name} checksum algorithm.`);
  return { name, type };
}

export async function uploadPart(call: S3Call): Promise<ServiceResponse> {
  const { request, bucket, context } = call;
  requireObjectAction(call, 's3:PutObject');
  checkLength(request.headers);
  const number = readPartNumber(request.query);
  const { record: upload } = findUpload(call);
  const staged = await bucket.staging.receive(request.body, upload.checksum ? { checksum: upload.checksum.name } : {});
  const part: PartRecord = {
    v: 1,
    number,
    bytes: staged.bytes,
    etag: staged.md5.toString('hex'),
    modified: wholeSeconds(context.now()),
    checksums: upload.checksum ? { [upload.checksum.name]: staged.checksum! } : checksumsOf(request),
  };
  try {
    checkChecksum(upload, Object.keys(checksumsOf(request)));
    await staged.seal(part);
    // It may have been completed or aborted while this part came in.
    findUpload(call);
    bucket.uploads.addPart(upload.uploadId, staged, part);
  } catch (error) {
    await staged.discard();
    throw error;
  }
  return { status: 200, headers: { etag: quoted(part.etag), ...checksumHeaders({ checksums: part.checksums }) } };
}

function checkChecksum({ checksum }: UploadRecord, given: readonly string[]): void {
  const other = given.find((name) => checksum && name !== checksum.name);
  if (other === undefined) return;
  throw s3Errors.invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${checksum!.name}, actual checksum Type: ${other}`,
  );
}

function readPartNumber(query: URLSearchParams): number {
  const text = query.get('partNumber') ?? '';
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= MAX_PART_NUMBER) return number;
  throw s3Errors.invalidArgument(`Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`, 'partNumber', text);
}

export function abortMultipartUpload(call: S3Call): ServiceResponse {
  requireObjectAction(call, 's3:AbortMultipartUpload');
  call.bucket.uploads.remove(findUpload(call).record.uploadId);
  return { status: 204 };
}

/** The upload that a request names. @throws ServiceError NoSuchUpload */
export function findUpload({ request, bucket, key }: S3Call): Upload {
  const uploadId = request.query.get('uploadId') ?? '';
  const upload = bucket.uploads.find(uploadId, key);
  if (upload) return upload;
  throw s3Errors.noSuchUpload(uploadId);
}
