import type { ServiceResponse } from '../service';
import { requireBucketAction, requireObjectAction, type S3Call } from './context';
import { s3Errors } from './errors';
import { compareKeys } from './key-index';
import { checksumElements, quoted } from './object-headers';
import { xmlReply, xmlTime } from './reply';
import { findUpload } from './upload-parts';
import type { Upload } from './uploads';

const MAX_PAGE = 1000;

export function listParts(call: S3Call): ServiceResponse {
  requireObjectAction(call, 's3:ListMultipartUploadParts');
  const { query } = call.request;
  const { record, parts } = findUpload(call);
  const marker = Number(query.get('part-number-marker') ?? 0);
  const max = readMax(query, 'max-parts');
  const behind = [...parts.values()].filter((p) => p.number > marker).sort((a, b) => a.number - b.number);
  const page = behind.slice(0, max);
  const truncated = behind.length > page.length;
  return xmlReply('ListPartsResult', {
    Bucket: call.bucket.record.name,
    Key: call.key,
    UploadId: record.uploadId,
    PartNumberMarker: marker,
    NextPartNumberMarker: truncated ? page.at(-1)?.number : undefined,
    MaxParts: max,
    IsTruncated: truncated,
    Part: page.map((p) => ({
      PartNumber: p.number,
      LastModified: xmlTime(p.modified),
      ETag: quoted(p.etag),
      Size: p.bytes,
      ...checksumElements(p),
    })),
    StorageClass: 'STANDARD',
    ChecksumAlgorithm: record.checksum?.name.toUpperCase(),
    ChecksumType: record.checksum?.type,
  });
}

/** By key, then by upload id. There is no delimiter here. */
export function listMultipartUploads(call: S3Call): ServiceResponse {
  requireBucketAction(call, 's3:ListBucketMultipartUploads');
  const { query } = call.request;
  if (query.get('delimiter')) throw s3Errors.notImplemented('a delimiter in ListMultipartUploads');
  const prefix = query.get('prefix') ?? '';
  const max = readMax(query, 'max-uploads');
  const uploads = call.bucket.uploads.all().filter((u) => u.record.key.startsWith(prefix) && isBehind(u, query));
  const sorted = uploads.sort((a, b) => order(a, b));
  const page = sorted.slice(0, max);
  const last = sorted.length > page.length ? page.at(-1) : undefined;
  return xmlReply('ListMultipartUploadsResult', {
    Bucket: call.bucket.record.name,
    KeyMarker: query.get('key-marker') ?? '',
    UploadIdMarker: query.get('upload-id-marker') ?? '',
    NextKeyMarker: last?.record.key,
    NextUploadIdMarker: last?.record.uploadId,
    Prefix: prefix,
    MaxUploads: max,
    IsTruncated: last !== undefined,
    Upload: page.map(({ record }) => ({
      Key: record.key,
      UploadId: record.uploadId,
      StorageClass: 'STANDARD',
      Initiated: xmlTime(record.initiated),
      ChecksumAlgorithm: record.checksum?.name.toUpperCase(),
      ChecksumType: record.checksum?.type,
    })),
  });
}

function order(a: Upload, b: Upload): number {
  return compareKeys(a.record.key, b.record.key) || compareKeys(a.record.uploadId, b.record.uploadId);
}

function isBehind({ record }: Upload, query: URLSearchParams): boolean {
  const keyMarker = query.get('key-marker');
  if (!keyMarker) return true;
  const byKey = compareKeys(record.key, keyMarker);
  const idMarker = query.get('upload-id-marker');
  return byKey > 0 || (byKey === 0 && idMarker !== null && compareKeys(record.uploadId, idMarker) > 0);
}

function readMax(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null) return MAX_PAGE;
  if (/^\d{1,10}$/.test(text)) return Math.min(MAX_PAGE, Number(text));
  throw s3Errors.invalidArgument(`Provided ${name} not an integer or within integer range`, name, text);
}
