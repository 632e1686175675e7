import type { ServiceResponse } from '../service';
import { readCondition } from './conditions';
import { missingKey, requireObjectAction, type S3Call } from './context';
import { replyHeaders } from './object-headers';
import { openBytes } from './object-file';
import { readRange } from './range';
import type { ObjectRecord } from './record';

/** Query parameters that replace headers of the answer. */
const OVERRIDES: Readonly<Record<string, string>> = {
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
  'response-content-language': 'content-language',
  'response-content-type': 'content-type',
  'response-expires': 'expires',
};

export function getObject(call: S3Call): ServiceResponse {
  const { record, status, headers, span } = look(call);
  if (status === 304) return { status, headers };
  // No wait between looking the object up and opening its file: they belong to the same version.
  return { status, headers, body: openBytes(call.bucket.pathOf(record), span.start, span.end) };
}

export function headObject(call: S3Call): ServiceResponse {
  const { status, headers } = look(call);
  return { status, headers };
}

function look(call: S3Call): {
  record: ObjectRecord;
  status: number;
  headers: Record<string, string | number>;
  span: { start: number; end: number };
} {
  const { request, bucket, key } = call;
  requireObjectAction(call, 's3:GetObject');
  const record = bucket.objects.get(key);
  if (!record) throw missingKey(call);
  const whole = { start: 0, end: record.bytes };
  if (readCondition(request.headers, record) === 'unchanged')
    return { record, status: 304, headers: replyHeaders(record, false), span: whole };
  const range = readRange(request.headers.range, record.bytes);
  const span = range ?? whole;
  // The checksum is that of the whole object: with a part of it, clients would find it wrong.
  const withChecksums = !range && request.headers['x-amz-checksum-mode']?.toString().toUpperCase() === 'ENABLED';
  const headers: Record<string, string | number> = {
    ...replyHeaders(record, withChecksums),
    ...overrides(request.query),
    'content-length': span.end - span.start,
  };
  if (range) headers['content-range'] = `bytes ${span.start}-${span.end - 1}/${record.bytes}`;
  return { record, status: range ? 206 : 200, headers, span };
}

function overrides(query: URLSearchParams): Record<string, string> {
  if (query.size === 0) return {};
  return Object.fromEntries(Object.entries(OVERRIDES).flatMap(([name, header]) => (query.has(name) ? [[header, query.get(name)!]] : [])));
}
