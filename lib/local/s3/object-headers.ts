import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '../service';
import { s3Errors } from './errors';
import type { ObjectRecord } from './record';

const KEPT = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-type', 'expires'] as const;
const META = 'x-amz-meta-';
/** Names and values of `x-amz-meta-*` together. Source: S3 user guide, "Working with object metadata". */
const MAX_META_BYTES = 2048;

/** Headers that would change what S3 does with the object, and that the local cloud cannot honour. */
const REFUSED = /^x-amz-(server-side-encryption-customer-|object-lock-|tagging$|website-redirect-location$|grant-|write-offset-bytes$)/;

/** What of a request's headers is stored and given back with the object. @throws ServiceError NotImplemented, MetadataTooLarge */
export function storedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const refused = Object.keys(headers).find((name) => REFUSED.test(name));
  if (refused !== undefined) throw s3Errors.notImplemented(`the header ${refused}`);
  const kept: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of KEPT) {
    const value = name === 'content-encoding' ? withoutChunked(headers[name]) : headers[name];
    if (value) kept[name] = value;
  }
  let metaBytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(META) || value === undefined) continue;
    kept[name] = String(value);
    metaBytes += name.length - META.length + kept[name].length;
  }
  if (metaBytes <= MAX_META_BYTES) return kept;
  throw new ServiceError(400, 'MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
    Size: String(metaBytes),
    MaxSizeAllowed: String(MAX_META_BYTES),
  });
}

/** The framing of the request is not the object's encoding. */
function withoutChunked(encoding: string | undefined): string {
  const encodings = (encoding ?? '').split(',').map((e) => e.trim());
  return encodings.filter((e) => e !== '' && e !== 'aws-chunked').join(',');
}

/** The headers with which an object is given back, but for its length. */
export function replyHeaders(record: ObjectRecord, withChecksums: boolean): Record<string, string> {
  return {
    ...record.headers,
    etag: quoted(record.etag),
    'last-modified': new Date(record.modified).toUTCString(),
    'accept-ranges': 'bytes',
    ...(withChecksums ? checksumHeaders(record) : {}),
  };
}

export function checksumHeaders({ checksums, checksumType }: Pick<ObjectRecord, 'checksums' | 'checksumType'>): Record<string, string> {
  const headers = Object.fromEntries(Object.entries(checksums).map(([name, value]) => [`x-amz-checksum-${name}`, value]));
  return checksumType ? { ...headers, 'x-amz-checksum-type': checksumType } : headers;
}

/** `{ ChecksumCRC32: '…', ChecksumType: 'FULL_OBJECT' }`, as elements of an answer. */
export function checksumElements({ checksums, checksumType }: Pick<ObjectRecord, 'checksums' | 'checksumType'>): Record<string, string> {
  const elements = Object.fromEntries(Object.entries(checksums).map(([name, value]) => [`Checksum${name.toUpperCase()}`, value]));
  return checksumType ? { ...elements, ChecksumType: checksumType } : elements;
}

export function quoted(etag: string): string {
  return `"${etag}"`;
}
