import { decodeUri } from '../canonical';
import type { ServiceRequest } from '../service';
import { ServiceError } from '../service';

/** What a request is about; '' where it names none. */
export interface Address {
  readonly bucket: string;
  readonly key: string;
}

/** Bytes of UTF-8. Source: S3 user guide, "Naming Amazon S3 objects". */
const MAX_KEY_BYTES = 1024;

/**
 * Bucket and key, of path-style requests and of virtual-hosted ones under `localhost` (`<bucket>.localhost`,
 * `<bucket>.s3.localhost`). Keys are taken as they are: `..`, `//` and a leading `/` mean nothing.
 * @throws ServiceError InvalidURI, KeyTooLongError
 */
export function addressOf(request: Pick<ServiceRequest, 'rawPath' | 'headers'>): Address {
  const hosted = /^(.+?)(?:\.s3)?\.localhost(?::\d+)?$/.exec(request.headers.host ?? '')?.[1];
  if (hosted !== undefined && hosted !== 's3') return { bucket: hosted, key: checkedKey(request.rawPath.slice(1)) };
  const slash = request.rawPath.indexOf('/', 1);
  if (slash < 0) return { bucket: decodeUri(request.rawPath.slice(1)), key: '' };
  return { bucket: decodeUri(request.rawPath.slice(1, slash)), key: checkedKey(request.rawPath.slice(slash + 1)) };
}

function checkedKey(raw: string): string {
  const key = decodeUri(raw);
  // A key of a third of the limit in UTF-16 units cannot pass it in UTF-8.
  if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new ServiceError(400, 'KeyTooLongError', 'Your key is too long', {
      Size: String(Buffer.byteLength(key)),
      MaxSizeAllowed: String(MAX_KEY_BYTES),
    });
  }
  return key;
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

export function objectArn(bucket: string, key: string): string {
  return `arn:aws:s3:::${bucket}/${key}`;
}
