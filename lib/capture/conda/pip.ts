import path from 'node:path';
import { canonicalName } from '../../contract';
import type { CaptureContext, PythonRecipe } from '../../contract';
import { isDirectory } from '../executables';
import { readDistributions } from '../python/distributions';
import { readRecipe } from '../python/recipe';
import type { PythonRead } from '../python/recipe';
import { changedMeanwhile, stampsOf } from '../python/unchanged';
import type { CondaRecord } from './records';

/** What pip and uv have put into a conda environment, and how it comes to a VM. */
export interface CondaPip extends Omit<PythonRead, 'recipe'> {
  readonly recipe: PythonRecipe;
}

/**
 * Reads what is recorded in an environment's Python, and which no package of conda holds; undefined when there is nothing.
 * @throws E_PACKAGE that names what cannot be carried
 */
export async function capturePip(
  prefix: string,
  records: readonly CondaRecord[],
  title: string,
  context: CaptureContext,
): Promise<CondaPip | undefined> {
  const python = records.find(({ name }) => name === 'python');
  const minor = /^\d+\.\d+/.exec(python?.version ?? '')?.[0];
  const site = minor === undefined ? undefined : path.join(prefix, siteOf(python, minor));
  if (minor === undefined || site === undefined || !(await isDirectory(site))) return undefined;
  const before = await stampsOf([site]);
  const all = await readDistributions(site);
  const owned = ownedBy(records, prefix);
  const added = all.filter((distribution) => !owned.has(distribution.record));
  if (added.length === 0) return undefined;
  const provided = new Set(all.filter(({ record }) => owned.has(record)).map(({ name }) => canonicalName(name)));
  // Lockfiles of other tools are about environments of theirs.
  const read = await readRecipe(added, { title, minor, prefix, provided }, { ...context, packages: 'installed' });
  if ((await stampsOf([site])) !== before) throw changedMeanwhile(title);
  const { requirements, local = [], leeway } = read.recipe;
  if (requirements.length + local.length === 0 && leeway === undefined) return undefined;
  return { ...read, recipe: { ...read.recipe, uv: false } };
}

/** Builds without the global lock look elsewhere. */
function siteOf(python: CondaRecord | undefined, minor: string): string {
  return python?.python_site_packages_path ?? path.join('lib', `python${minor}`, 'site-packages');
}

/** Records of Python that packages of conda have brought. */
function ownedBy(records: readonly CondaRecord[], prefix: string): ReadonlySet<string> {
  return new Set(records.flatMap(({ files }) => files.flatMap((file) => recordOf(file) ?? [])).map((record) => path.join(prefix, record)));
}

/** `lib/python3.11/site-packages/x-1.dist-info/METADATA` is of the record `…/x-1.dist-info`. */
function recordOf(file: string): string | undefined {
  return /^(.*?\.(?:dist-info|egg-info|egg-link|pth))(?:\/|$)/.exec(file)?.[1];
}
