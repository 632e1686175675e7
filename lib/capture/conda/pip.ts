import path from 'node:path';
import { isDirectory } from '../executables';
import { readDistributions } from '../python/distributions';
import type { Distribution } from '../python/distributions';
import type { CondaRecord } from './records';

/** The Python of an environment, and what is in it that is not conda's. */
export interface CondaPip {
  /** `3.11` */
  readonly minor: string;
  readonly distributions: readonly Distribution[];
}

/** What pip and uv have put into a conda environment: records that no package of conda holds. undefined when there is nothing. */
export async function readPip(prefix: string, records: readonly CondaRecord[]): Promise<CondaPip | undefined> {
  const python = records.find(({ name }) => name === 'python');
  const minor = /^\d+\.\d+/.exec(python?.version ?? '')?.[0];
  const site = minor === undefined ? undefined : path.join(prefix, siteOf(python, minor));
  if (minor === undefined || site === undefined || !(await isDirectory(site))) return undefined;
  const owned = new Set(records.flatMap(({ files }) => files.flatMap((file) => recordOf(file) ?? [])));
  const all = await readDistributions(site);
  const distributions = all.filter(({ record }) => !owned.has(path.relative(prefix, record)));
  return distributions.length > 0 ? { minor, distributions } : undefined;
}

/** Builds without the global lock look elsewhere. */
function siteOf(python: CondaRecord | undefined, minor: string): string {
  return python?.python_site_packages_path ?? path.join('lib', `python${minor}`, 'site-packages');
}

/** `lib/python3.11/site-packages/x-1.dist-info/METADATA` is of the record `…/x-1.dist-info`. */
function recordOf(file: string): string | undefined {
  return /^(.*?\.(?:dist-info|egg-info|egg-link|pth))(?:\/|$)/.exec(file)?.[1];
}
