import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { hasCode } from '../errno';

/** Removes a machine's directory, with what its programs left unwritable in it (package caches often are). */
export async function removeTree(directory: string): Promise<void> {
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  await remove().catch(async (error: unknown) => {
    if (!hasCode(error, 'EACCES', 'EPERM')) throw error;
    await promisify(execFile)('chmod', ['-R', 'u+rwX', directory]);
    await remove();
  });
}
