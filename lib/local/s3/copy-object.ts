import type { ServiceResponse } from '../service';
import { bodyOf } from '../body';
import { decodeUri } from '../canonical';
import { readCondition, writeCondition } from './conditions';
import { missingKey, requireObjectAction, type S3Call, wholeSeconds } from './context';
import { s3Errors } from './errors';
import { openBytes } from './object-file';
import { checksumElements, quoted, storedHeaders } from './object-headers';
import { commit, requireWrite } from './put-object';
import type { NewObject, ObjectRecord } from './record';
import { xmlReply, xmlTime } from './reply';

export async function copyObject(call: S3Call): Promise<ServiceResponse> {
  const { request, bucket, key, context } = call;
  requireWrite(call);
  const source = findSource(call);
  const replace = readDirective(request.headers['x-amz-metadata-directive']);
  if (source.call.bucket === bucket && source.call.key === key && !replace) {
    throw s3Errors.invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const headers = storedHeaders(request.headers);
  const bytes = openBytes(source.call.bucket.pathOf(source.record), 0, source.record.bytes);
  const staged = await bucket.staging.receive(Buffer.isBuffer(bytes) ? bodyOf(bytes) : bytes);
  const record: NewObject = {
    ...source.record,
    key,
    etag: staged.md5.toString('hex'),
    modified: wholeSeconds(context.now()),
    headers: replace ? headers : source.record.headers,
    // A checksum of checksums would not be that of the copy, which is in one piece.
    ...(source.record.checksumType === 'COMPOSITE' ? { checksums: {}, checksumType: undefined } : {}),
  };
  await commit(call, staged, record, writeCondition(request.headers, key));
  return xmlReply('CopyObjectResult', { ETag: quoted(record.etag), LastModified: xmlTime(record.modified), ...checksumElements(record) });
}

function findSource(call: S3Call): { call: S3Call; record: ObjectRecord } {
  const { request, context } = call;
  const [path = '', version] = String(request.headers['x-amz-copy-source']).split('?');
  if (version !== undefined) throw s3Errors.notImplemented('versions');
  const text = decodeUri(path).replace(/^\//, '');
  const slash = text.indexOf('/');
  if (slash < 1 || slash === text.length - 1) {
    throw s3Errors.invalidArgument('Copy Source must mention the source bucket and key: sourcebucket/sourcekey', 'x-amz-copy-source', text);
  }
  const source = { ...call, bucket: context.buckets.get(text.slice(0, slash)), key: text.slice(slash + 1) };
  const owner = request.headers['x-amz-source-expected-bucket-owner'];
  if (owner !== undefined && owner !== context.account) throw s3Errors.accessDenied();
  requireObjectAction(source, 's3:GetObject');
  const record = source.bucket.objects.get(source.key);
  if (!record) throw missingKey(source);
  if (readCondition(request.headers, record, 'x-amz-copy-source-') === 'unchanged')
    throw s3Errors.preconditionFailed('x-amz-copy-source-If-None-Match');
  return { call: source, record };
}

/** True when the copy takes its metadata from the request. */
function readDirective(value: string | string[] | undefined): boolean {
  if (value === undefined || value === 'COPY') return false;
  if (value === 'REPLACE') return true;
  throw s3Errors.invalidArgument('Unknown metadata directive.', 'x-amz-metadata-directive', String(value));
}
