import { stat } from 'node:fs/promises';
import { RawcloudError } from '../../contract';

/** Of directories of packages: installing and removing changes them. */
export async function stampsOf(sites: readonly string[]): Promise<string> {
  const stamps: string[] = [];
  for (const site of sites) {
    const { mtimeMs, ino } = await stat(site);
    stamps.push(`${ino} ${mtimeMs}`);
  }
  return stamps.join('\n');
}

export function changedMeanwhile(title: string): RawcloudError {
  return new RawcloudError('E_PACKAGE', `packages of ${title} were installed or removed while they were read`, {
    remedy: 'Wait until pip or whatever is at it has ended, and run the command again.',
    retryable: true,
  });
}
