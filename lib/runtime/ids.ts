import { randomBytes } from 'node:crypto';

/** Digits of Crockford's base 32: no letters that look alike. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

/** Public job id: `j` and 11 random base-32 digits (55 bits), so that the first few tell jobs apart. */
export function newJobId(): string {
  return `j${[...randomBytes(11)].map((byte) => DIGITS[byte & 31]).join('')}`;
}

/** The secret half of a job's prefix: 128 bits as 32 hex digits. */
export function newSecret(): string {
  return randomBytes(16).toString('hex');
}
