import { readBody } from '../body';
import { ServiceError, type ServiceResponse } from '../service';
import { childText, parseXml, type XmlNode } from '../xml';
import { deleteCondition } from './conditions';
import { requireObjectAction, type S3Call } from './context';
import { s3Errors } from './errors';
import { xmlReply } from './reply';

/** Source: S3 API reference, DeleteObjects. */
const MAX_KEYS = 1000;
const MAX_BODY_BYTES = 2 * 1024 * 1024;

export function deleteObject(call: S3Call): ServiceResponse {
  deleteOne(call, call.request.headers['if-match']);
  return { status: 204 };
}

export async function deleteObjects(call: S3Call): Promise<ServiceResponse> {
  const { headers } = call.request;
  const body = await readBody(call.request.body, MAX_BODY_BYTES);
  if (headers['content-md5'] === undefined && !call.request.checksums?.size) {
    throw s3Errors.invalidRequest('Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  }
  const request = parseXml(body.toString('utf8'));
  const objects = request?.children.filter((c) => c.name === 'Object') ?? [];
  if (request?.name !== 'Delete' || objects.length === 0 || objects.length > MAX_KEYS) throw s3Errors.malformedXml();
  const quiet = childText(request, 'Quiet') === 'true';
  const results = objects.map((object) => result(call, object));
  return xmlReply('DeleteResult', {
    Deleted: quiet ? [] : results.flatMap((r) => (r.error ? [] : { Key: r.key })),
    Error: results.flatMap((r) => (r.error ? { Key: r.key, Code: r.error.code, Message: r.error.message } : [])),
  });
}

function result(call: S3Call, object: XmlNode): { key: string; error?: ServiceError } {
  const key = childText(object, 'Key');
  if (!key) throw s3Errors.malformedXml();
  // The only version that an object of a bucket without versions has.
  if ((childText(object, 'VersionId') ?? 'null') !== 'null') return { key, error: s3Errors.notImplemented('versions') };
  try {
    deleteOne({ ...call, key }, childText(object, 'ETag'));
    return { key };
  } catch (error) {
    if (error instanceof ServiceError) return { key, error };
    throw error;
  }
}

/** A condition on the tag needs s3:GetObject as well. Source: S3 user guide, "How to perform conditional deletes". */
function deleteOne(call: S3Call, ifMatch: string | undefined): void {
  requireObjectAction(call, 's3:DeleteObject');
  if (ifMatch !== undefined && ifMatch !== '*') requireObjectAction(call, 's3:GetObject');
  call.bucket.remove(call.key, deleteCondition(ifMatch, call.key));
}
