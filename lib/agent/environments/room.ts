import { statfs } from 'node:fs/promises';
import { findRawcloudError, formatSize, RawcloudError } from '../../contract';
import { DISK_REASON } from '../builders/disk-full';

const MORE_DISK = 'Give the VM more disk (--disk).';
/** Room that is left for everything else. */
const MARGIN_BYTES = 64 * 2 ** 20;
/** A file takes whole blocks. */
const BLOCK_BYTES = 4096;

/** @throws E_ENVIRONMENT when the disk is too small for it */
export async function mustHaveRoom(directory: string, bytes: number, files: number): Promise<void> {
  const free = await freeBytes(directory);
  if (free < bytes + files * BLOCK_BYTES * 0.5 + MARGIN_BYTES) throw tooSmall(bytes, free);
}

export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

function tooSmall(bytes: number, free: number): RawcloudError {
  const text = `the VM's disk is too small for the environment: it takes ${formatSize(bytes)}, and ${formatSize(free)} are free`;
  return new RawcloudError('E_ENVIRONMENT', text, { remedy: MORE_DISK, data: { reason: DISK_REASON, bytes, free } });
}

/** There was room when it was begun. */
export function filledUp(bytes: number, free: number, cause: unknown): RawcloudError {
  const text =
    `the VM's disk became full while the environment was restored: it takes ${formatSize(bytes)}, ` +
    `and ${formatSize(free)} were left when something else had taken the room`;
  return new RawcloudError('E_ENVIRONMENT', text, { remedy: MORE_DISK, data: { reason: DISK_REASON, bytes, free }, cause });
}

/** @throws what is an error of the disk: building would not take less */
export function mustNotBeDisk(error: unknown): void {
  if (findRawcloudError(error)?.data['reason'] === DISK_REASON) throw error;
}
