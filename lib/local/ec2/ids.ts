import { createHash, randomBytes } from 'node:crypto';

/** `i-` and 17 hex digits, as all ids of EC2 since 2016. */
export function randomId(prefix: string): string {
  return `${prefix}-0${randomBytes(8).toString('hex')}`;
}

/** The same seed gives the same id: for what every region has from the beginning. */
export function fixedId(prefix: string, seed: string): string {
  return `${prefix}-0${createHash('sha256').update(`${prefix} ${seed}`).digest('hex').slice(0, 16)}`;
}

/** `sir-` and eight characters. */
export function spotRequestId(): string {
  return `sir-${randomBytes(8)
    .toString('base64url')
    .replace(/[^a-z0-9]/gi, 'x')
    .slice(0, 8)
    .toLowerCase()}`;
}

export function isId(prefix: string, id: string): boolean {
  return new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`).test(id);
}
