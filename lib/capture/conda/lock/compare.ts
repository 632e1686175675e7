import { canonicalName, changeNotice } from '../../../contract';
import type { Notice, PackageChange } from '../../../contract';
import { isSame } from '../../python/lock/compare';
import type { LockedSet } from './model';

/** What is installed in an environment. */
export interface CondaInstalled {
  readonly conda: readonly { readonly name: string; readonly version: string; readonly build: string }[];
  /** By pip; `isLocal`: not from an index. */
  readonly pip: readonly { readonly name: string; readonly version?: string; readonly isLocal: boolean }[];
}

/** What comes with a Python that pip was used in. */
const SEEDS = new Set(['pip', 'setuptools', 'wheel']);

/** One phrase for each difference between what is installed and what a lockfile asks for; none when it says the same. */
export function differences(installed: CondaInstalled, locked: LockedSet): string[] {
  const conda = new Map(locked.conda.map((found) => [found.name, found]));
  const pip = new Map(locked.pip.map((found) => [canonicalName(found.name), found]));
  const here = new Set(installed.conda.map(({ name }) => name));
  const pipHere = new Set(installed.pip.map(({ name }) => canonicalName(name)));
  return [
    ...installed.conda.flatMap(({ name, version, build }) => {
      const other = conda.get(name);
      if (!other) return [`${name} ${version} is not in it`];
      if (other.version !== version) return [`${name} is ${other.version} in it and ${version} here`];
      return other.build === build ? [] : [`${name} ${version} is the build ${other.build} in it and ${build} here`];
    }),
    ...installed.pip.flatMap(({ name, version = '', isLocal }) => {
      const other = pip.get(canonicalName(name));
      if (!other) return isLocal || SEEDS.has(canonicalName(name)) ? [] : [`${name} ${version} is not in it`];
      const isOther = !isLocal && other.version !== undefined && !isSame(other.version, version);
      return isOther ? [`${name} is ${other.version} in it and ${version} here`] : [];
    }),
    ...locked.conda.filter(({ name }) => !here.has(name) && !locked.optional.has(name)).map(({ name }) => `${name} is not installed`),
    ...locked.pip
      .filter(({ name }) => !pipHere.has(canonicalName(name)) && !locked.optional.has(name))
      .map(({ name }) => `${name} is not installed`),
  ].sort();
}

/** What is otherwise on another platform, in one notice. */
export function changesFor(installed: CondaInstalled, locked: LockedSet, name: string, subdir: string): Notice[] {
  const [here, there] = [versions(installed), versions(locked)];
  const changes: PackageChange[] = [];
  for (const [of, version] of here) {
    const other = there.get(of);
    if (other === undefined) changes.push({ kind: 'dropped', name: of, reason: `${name} has none for ${subdir}` });
    else if (other !== '' && other !== version && !isSame(other, version)) {
      changes.push({ kind: 'replaced', name: of, version, to: { name: of, version: other }, reason: `as ${name} has it` });
    }
  }
  for (const [of, version] of there) {
    if (!here.has(of)) changes.push({ kind: 'added', line: `${of} ${version}`.trim(), reason: `as ${name} has it` });
  }
  return changeNotice(changes, subdir, (text) => text);
}

type Versions = ReadonlyMap<string, string>;

function versions({ conda, pip }: { conda: CondaInstalled['conda']; pip: readonly { name: string; version?: string }[] }): Versions {
  return new Map([
    ...pip.map(({ name, version = '' }) => [canonicalName(name), version] as const),
    ...conda.map(({ name, version }) => [name, version] as const),
  ]);
}
