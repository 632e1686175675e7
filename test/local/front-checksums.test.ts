import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { CHECKSUM_NAMES, checksumOf, createChecksum } from '../../lib/local/checksums';

/** Check values over "123456789". Sources: catalogue of parametrised CRC algorithms; FIPS 180-4 by Node's own implementation. */
const CHECK = {
  crc32: 'cbf43926',
  crc32c: 'e3069283',
  crc64nvme: 'ae8b14860a799888',
  sha1: createHash('sha1').update('123456789').digest('hex'),
  sha256: createHash('sha256').update('123456789').digest('hex'),
};

test.each(CHECKSUM_NAMES)('%s of the check input is the catalogue’s value', (name) => {
  expect(Buffer.from(checksumOf(name, Buffer.from('123456789')), 'base64').toString('hex')).toBe(CHECK[name]);
});

test.each(CHECKSUM_NAMES)('%s does not depend on how the bytes are cut', (name) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (pieces) => {
      const checksum = createChecksum(name);
      for (const piece of pieces) checksum.update(piece);
      expect(checksum.digest().toString('base64')).toBe(checksumOf(name, Buffer.concat(pieces)));
    }),
  );
});

/** Bit by bit, as the definition has it. */
function slowCrc(bytes: Uint8Array, polynomial: bigint, width: bigint): bigint {
  const ones = (1n << width) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return crc ^ ones;
}

test.each([
  ['crc32', 0xedb88320n, 32n],
  ['crc32c', 0x82f63b78n, 32n],
  ['crc64nvme', 0x9a6c9329ac4bc9b5n, 64n],
] as const)('%s is what its definition says, for any bytes', (name, polynomial, width) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const hex = Buffer.from(checksumOf(name, bytes), 'base64').toString('hex');
      expect(BigInt(`0x${hex}`)).toBe(slowCrc(bytes, polynomial, width));
    }),
  );
});
