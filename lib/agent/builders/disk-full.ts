import { RawcloudError } from '../../contract';

/** How pip, uv, compilers and package managers of Node say that nothing more goes onto the disk. */
const SIGN = /No space left on device|Disk quota exceeded|\bENOSPC\b|\bEDQUOT\b|\(os error (?:28|122)\)|\[Errno (?:28|122)\]/;

/** In the data of errors that say what a full disk has hindered. Whoever makes environments does not try it another way then. */
export const DISK_REASON = 'disk';

export function saysDiskFull(line: string): boolean {
  return SIGN.test(line);
}

/** @param what was installed, for people: `Python packages` */
export function diskFull(what: string, cause: unknown): RawcloudError {
  return new RawcloudError('E_ENVIRONMENT', `the VM's disk is full: the ${what} did not fit beside what they are made from`, {
    remedy: 'Give the VM more disk (--disk). The environment log shows how far it went (rawcloud logs --environment).',
    data: { reason: DISK_REASON },
    cause,
  });
}
