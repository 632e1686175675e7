import path from 'node:path';
import { canonicalName, RawcloudError } from '../../contract';
import type { CaptureContext, PackageChoices, PythonRecipe } from '../../contract';
import { isDirectory } from '../executables';
import { readDistributions } from '../python/distributions';
import type { Distribution } from '../python/distributions';
import { isSame } from '../python/lock/compare';
import { readRecipe } from '../python/recipe';
import type { PythonRead } from '../python/recipe';
import { changedMeanwhile, stampsOf } from '../python/unchanged';
import type { LockedPip, LockedSet } from './lock/model';
import type { CondaRecord } from './records';

/** What pip and uv have put into a conda environment. */
export interface PipInstalled {
  readonly distributions: readonly Distribution[];
  /** Canonical names of what conda itself has of Python. */
  readonly provided: ReadonlySet<string>;
  /** What that is, and the package of conda that brings it. */
  readonly owned: readonly { readonly distribution: Distribution; readonly by: string }[];
  /** @throws E_PACKAGE when something was installed since */
  readonly checkUnchanged: () => Promise<void>;
}

/** How it comes to a VM. */
export interface CondaPip extends Omit<PythonRead, 'recipe'> {
  readonly recipe: PythonRecipe;
}

const NOTHING: PipInstalled = { distributions: [], provided: new Set(), owned: [], checkUnchanged: async () => undefined };

/** Reads what is recorded in an environment's Python, and which no package of conda holds. */
export async function readPip(prefix: string, records: readonly CondaRecord[], title: string): Promise<PipInstalled> {
  const python = records.find(({ name }) => name === 'python');
  const minor = minorOf(records);
  const site = minor === undefined ? undefined : path.join(prefix, siteOf(python, minor));
  if (site === undefined || !(await isDirectory(site))) return NOTHING;
  const before = await stampsOf([site]);
  const all = await readDistributions(site);
  const owners = ownersOf(records, prefix);
  const owned = all.flatMap((distribution) => {
    const by = owners.get(distribution.record);
    return by === undefined ? [] : [{ distribution, by }];
  });
  return {
    distributions: all.filter((distribution) => !owners.has(distribution.record)),
    provided: new Set(owned.map(({ distribution }) => canonicalName(distribution.name))),
    owned,
    checkUnchanged: async () => {
      if ((await stampsOf([site])) !== before) throw changedMeanwhile(title);
    },
  };
}

interface Asking {
  readonly title: string;
  readonly prefix: string;
  /** Minor version of the Python; undefined when the environment has none. */
  readonly minor: string | undefined;
}

/** What of it travels. */
export interface PipChosen {
  readonly distributions: readonly Distribution[];
  readonly choices: PackageChoices;
}

/**
 * What is installed, as it is; with the hashes of a lockfile that says the same.
 * @throws E_PACKAGE that names what cannot be carried
 */
export async function installedPip(
  chosen: PipChosen,
  { provided, locked }: Pick<PipInstalled, 'provided'> & { readonly locked: LockedSet | undefined },
  asking: Asking,
  context: CaptureContext,
): Promise<CondaPip | undefined> {
  return recipeFor(chosen, { locked, provided, isChosen: false }, asking, context);
}

/**
 * What a lockfile asks for, of what is chosen of {@link lockedDistributions}.
 * @throws E_PACKAGE that names what cannot be carried
 */
export async function lockedPip(
  chosen: PipChosen,
  { provided, locked }: Pick<PipInstalled, 'provided'> & { readonly locked: LockedSet },
  asking: Asking,
  context: CaptureContext,
): Promise<CondaPip | undefined> {
  return recipeFor(chosen, { locked, provided, isChosen: true }, asking, context);
}

/**
 * The distributions of a lockfile. Of directories it knows the place alone: they travel as they are installed here.
 * @throws E_PACKAGE that names those that are not installed
 */
export function lockedDistributions(
  { distributions }: PipInstalled,
  { locked, file }: { locked: LockedSet; file: string },
): Distribution[] {
  const here = new Map(distributions.map((found) => [canonicalName(found.name), found]));
  const wanted = locked.pip.map((found) => asDistribution(found, locked, here) ?? found);
  const missing = wanted.flatMap((found) => ('record' in found ? [] : [`${found.name} (${found.place})`]));
  if (missing.length > 0) {
    throw new RawcloudError('E_PACKAGE', `${file} has packages from directories that are not installed here: ${missing.join(', ')}`, {
      remedy: 'Install the environment here (pixi install, conda-lock install), so that they can be read.',
    });
  }
  return wanted.flatMap((found) => {
    if (!('record' in found)) return [];
    // Lockfiles of conda's world leave it out; where a package is installed here it says what it needs.
    const { requires } = here.get(canonicalName(found.name)) ?? {};
    return found.requires === undefined && requires !== undefined ? { ...found, requires } : found;
  });
}

async function recipeFor(
  { distributions, choices }: PipChosen,
  { locked, provided, isChosen }: { locked: LockedSet | undefined; provided: ReadonlySet<string>; isChosen: boolean },
  { title, prefix, minor }: Asking,
  context: CaptureContext,
): Promise<CondaPip | undefined> {
  const isAdded = (choices.add ?? []).length > 0;
  if (minor === undefined || (distributions.length === 0 && !isAdded)) return undefined;
  const ofIndex = (locked?.pip ?? []).filter((found) => isOfIndex(found, locked!));
  const indexes = locked?.index === undefined ? {} : Object.fromEntries(ofIndex.map(({ name }) => [canonicalName(name), locked.index!]));
  // Lockfiles of other tools are about environments of theirs.
  const read = await readRecipe(
    distributions,
    { title, minor, prefix, provided, isChosen, indexes },
    { ...context, packages: 'installed', packageChoices: choices },
  );
  const { requirements, local = [], leeway } = read.recipe;
  if (requirements.length + local.length === 0 && leeway === undefined) return undefined;
  return { ...read, recipe: { ...read.recipe, requirements: requirements.map((line) => withHash(line, ofIndex)), uv: false } };
}

/** Whether it comes from an index, and not from a URL that somebody wrote down. */
function isOfIndex({ place, version }: LockedPip, { index }: LockedSet): boolean {
  if (version === undefined || !URL.canParse(place)) return false;
  const { protocol, host } = new URL(place);
  return /^https?:$/.test(protocol) && (index !== undefined || host === 'files.pythonhosted.org');
}

/** undefined for a directory that is not installed here. */
function asDistribution(found: LockedPip, locked: LockedSet, here: ReadonlyMap<string, Distribution>): Distribution | undefined {
  const { name, version, place, sha256 } = found;
  if (version !== undefined && isOfIndex(found, locked)) return { name, version, record: '' };
  const url = URL.canParse(place) ? new URL(place) : undefined;
  if (url?.protocol.startsWith('git+')) {
    const directUrl = { url: `${place.slice('git+'.length).split(/[?#]/)[0]}`, vcs_info: { vcs: 'git', commit_id: url.hash.slice(1) } };
    return { name, version: version ?? '0', directUrl, record: '' };
  }
  if (url && /^https?:$/.test(url.protocol)) {
    const directUrl = { url: place, archive_info: sha256 === undefined ? {} : { hashes: { sha256 } } };
    return { name, version: version ?? '0', directUrl, record: '' };
  }
  const installed = here.get(canonicalName(name));
  return installed?.directUrl === undefined && installed?.linkedTo === undefined ? undefined : installed;
}

function withHash(line: string, locked: readonly LockedPip[]): string {
  const [, name, version] = /^([\w.-]+)==(\S+)$/.exec(line) ?? [];
  const same = locked.find((found) => name !== undefined && canonicalName(found.name) === name && isSame(found.version ?? '', version!));
  return same?.sha256 === undefined ? line : `${line} --hash=sha256:${same.sha256}`;
}

/** Of an environment's Python: `3.11`. */
export function minorOf(packages: readonly { readonly name: string; readonly version: string }[]): string | undefined {
  return /^\d+\.\d+/.exec(packages.find(({ name }) => name === 'python')?.version ?? '')?.[0];
}

/** Builds without the global lock look elsewhere. */
function siteOf(python: CondaRecord | undefined, minor: string): string {
  return python?.python_site_packages_path ?? path.join('lib', `python${minor}`, 'site-packages');
}

/** Records of Python, and the packages of conda that have brought them. */
function ownersOf(records: readonly CondaRecord[], prefix: string): ReadonlyMap<string, string> {
  return new Map(
    records.flatMap(({ name, files }) => files.flatMap((file) => recordOf(file) ?? []).map((record) => [path.join(prefix, record), name])),
  );
}

/** `lib/python3.11/site-packages/x-1.dist-info/METADATA` is of the record `…/x-1.dist-info`. */
function recordOf(file: string): string | undefined {
  return /^(.*?\.(?:dist-info|egg-info|egg-link|pth))(?:\/|$)/.exec(file)?.[1];
}
