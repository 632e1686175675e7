import type { IncomingHttpHeaders } from 'node:http';
import { s3Errors } from './errors';
import type { ObjectRecord } from './record';

/** Asked with what is stored at the moment of the write; throws when the write must not happen. */
export type WriteCondition = (current: ObjectRecord | undefined) => void;

/** If-None-Match and If-Match of a PUT or a completion. @throws ServiceError NotImplemented for what S3 does not take there */
export function writeCondition(headers: IncomingHttpHeaders, key: string): WriteCondition {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*')
    throw s3Errors.notImplemented('If-None-Match with anything but * on a write, as S3 itself');
  return (current) => {
    if (ifNoneMatch !== undefined && current) throw s3Errors.preconditionFailed('If-None-Match');
    if (ifMatch === undefined) return;
    if (!current) throw s3Errors.noSuchKey(key);
    if (!matches(ifMatch, current.etag)) throw s3Errors.preconditionFailed('If-Match');
  };
}

/** If-Match of a DELETE; `*` stands for any object. */
export function deleteCondition(ifMatch: string | undefined, key: string): WriteCondition {
  return (current) => {
    if (ifMatch === undefined) return;
    if (!current) throw s3Errors.noSuchKey(key);
    if (!matches(ifMatch, current.etag)) throw s3Errors.preconditionFailed('If-Match');
  };
}

/**
 * The four conditions of a GET or HEAD, in the order of RFC 9110, 13.2.2; with `prefix` those of a copy's source.
 * @returns 'unchanged' when the client's copy is good
 * @throws ServiceError PreconditionFailed
 */
export function readCondition(headers: IncomingHttpHeaders, record: ObjectRecord, prefix = ''): 'changed' | 'unchanged' {
  const get = (name: string): string | undefined => headers[prefix + name]?.toString();
  const ifMatch = get('if-match');
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, record.etag)) throw s3Errors.preconditionFailed('If-Match');
  } else if (record.modified > timeOf(get('if-unmodified-since'), Infinity)) {
    throw s3Errors.preconditionFailed('If-Unmodified-Since');
  }
  const ifNoneMatch = get('if-none-match');
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, record.etag) ? 'unchanged' : 'changed';
  return record.modified <= timeOf(get('if-modified-since'), -Infinity) ? 'unchanged' : 'changed';
}

/** A header that is not a date is ignored, as RFC 9110 wants it. */
function timeOf(header: string | undefined, otherwise: number): number {
  const ms = Date.parse(header ?? '');
  return Number.isNaN(ms) ? otherwise : ms;
}

/** Tags may come with or without quotes, and several of them. */
function matches(header: string, etag: string): boolean {
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''));
  return tags.includes('*') || tags.includes(etag);
}
