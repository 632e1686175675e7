import { canonicalName } from '../../../contract';
import { parseVersion, compareVersions } from './version';
import type { Lockfile } from './lockfile';
import type { LockedPackage } from './model';

/** A package that is installed here. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  /** Not by an index: from a directory, a repository, a file. */
  readonly isLocal: boolean;
}

/** What an environment holds though nobody asked for it. */
const SEEDS = new Set(['pip', 'setuptools', 'wheel', 'distribute', 'pkg-resources']);

/** One phrase for each difference between what is installed and what a lockfile asks for; none when it is used as it is. */
export function differences(installed: readonly Installed[], { lock, selected }: Lockfile): string[] {
  const locked = new Map<string, LockedPackage[]>();
  for (const found of lock.packages) locked.set(found.name, [...(locked.get(found.name) ?? []), found]);
  const here = new Set(installed.map(({ name }) => canonicalName(name)));
  return [
    ...installed.flatMap((found) => differenceOf(found, locked.get(canonicalName(found.name)))),
    ...selected.filter(({ name, origin }) => origin.kind === 'index' && !here.has(name)).map(({ name }) => `${name} is not installed`),
  ].sort();
}

function differenceOf({ name, version, isLocal }: Installed, known: readonly LockedPackage[] | undefined): string[] {
  if (known === undefined) return isLocal || SEEDS.has(canonicalName(name)) ? [] : [`${name} ${version} is not in it`];
  // What a directory or a repository makes has the version that it had when it was installed.
  const versions = known.flatMap((found) => (found.origin.kind === 'index' && found.version !== undefined ? [found.version] : []));
  if (isLocal || versions.length === 0 || versions.some((other) => isSame(other, version))) return [];
  return [`${name} is ${versions.join(' or ')} in it and ${version} here`];
}

export function isSame(a: string, b: string): boolean {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  return a === b || (left !== undefined && right !== undefined && compareVersions(left, right) === 0 && left.local === right.local);
}

const SHOWN = 3;

/** A few of them, for a line. */
export function few(differs: readonly string[]): string {
  const more = differs.length - SHOWN;
  return differs.slice(0, SHOWN).join('; ') + (more > 0 ? `; and ${more} more` : '');
}
