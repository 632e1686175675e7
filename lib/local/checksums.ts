import { createHash } from 'node:crypto';
import { Crc32 } from './crc32';
import { Crc64Nvme } from './crc64';

/** Checksum algorithms of S3, as in the header `x-amz-checksum-<name>`. */
export const CHECKSUM_NAMES = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
export type ChecksumName = (typeof CHECKSUM_NAMES)[number];

/** A checksum over bytes as they come; `digest` once, at the end. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

export function createChecksum(name: ChecksumName | 'md5'): Checksum {
  switch (name) {
    case 'crc32':
    case 'crc32c':
      // zlib.crc32 exists only from Node 22.2.
      return new Crc32(name);
    case 'crc64nvme':
      return new Crc64Nvme();
    case 'sha1':
    case 'sha256':
    case 'md5':
      return createHash(name);
  }
}

/** Base64, as S3 writes checksums. */
export function checksumOf(name: ChecksumName | 'md5', bytes: Uint8Array): string {
  const checksum = createChecksum(name);
  checksum.update(bytes);
  return checksum.digest().toString('base64');
}

/** The algorithm that a header or trailer `x-amz-checksum-<name>` carries; `undefined` for other headers. */
export function checksumNameOf(header: string): ChecksumName | undefined {
  return CHECKSUM_NAMES.find((name) => header === `x-amz-checksum-${name}`);
}
