import path from 'node:path';
import { canonicalName, RawcloudError } from '../../../contract';
import type { PackageChoices } from '../../../contract';
import type { Distribution } from '../distributions';
import type { LockedDependency, LockedPackage } from '../lock/model';
import { adapt } from './adapt';
import type { Adapted } from './adapt';

/** What a lockfile asks for on the VM's platform. */
export interface LockedSet {
  readonly packages: readonly LockedPackage[];
  /** What the project asks for of its own accord. */
  readonly asked: readonly { readonly name: string }[];
  /** Absent when the job has none. */
  readonly file?: string;
}

export interface AdaptedLock extends Pick<Adapted, 'leeway' | 'indexes' | 'notices' | 'unknownBuilds'> {
  /** Those that are asked for as the lockfile has them. */
  readonly packages: readonly LockedPackage[];
  /** Those that took the place of others: none of the lockfile's hashes is theirs. */
  readonly others: readonly string[];
}

/** Lockfiles that say of each package what it needs. */
const TELL_NEEDS = ['uv.lock', 'poetry.lock', 'pdm.lock'];

/**
 * A lockfile as choices change it. It chooses for the platform by itself, and is exact where nothing else is chosen: then no rule changes it.
 * @throws E_PACKAGE for names that it does not have, and for choices that it cannot answer
 */
export async function adaptLocked(
  { packages, asked, file }: LockedSet,
  to: { readonly platform: string; readonly minor: string; readonly choices: PackageChoices; readonly title: string },
): Promise<AdaptedLock> {
  if ((to.choices.only ?? []).length > 0) checkTellsNeeds(file);
  const requested = new Set(asked.map(({ name }) => canonicalName(name)));
  const known = new Map(packages.map((locked) => [distributionOf(locked, requested), locked]));
  const { distributions, ...adapted } = await adapt([...known.keys()], { ...to, here: to.platform, isLocked: true });
  const others = distributions.filter((one) => !known.has(one));
  return {
    ...adapted,
    packages: distributions.flatMap((one) => known.get(one) ?? []),
    others: others.map(({ name, version }) => `${canonicalName(name)}==${version}`),
  };
}

function distributionOf({ name, version, origin, dependencies, optional }: LockedPackage, requested: ReadonlySet<string>): Distribution {
  const ofExtras = Object.entries(optional).flatMap(([extra, needed]) => needed.map((one) => requirementOf(one, extra)));
  return {
    name,
    ...(version === undefined ? {} : { version }),
    requires: [...dependencies.map((one) => requirementOf(one)), ...ofExtras],
    requested: requested.has(name),
    ...(origin.kind === 'index' ? {} : { directUrl: origin }),
    record: '',
  };
}

function requirementOf({ name, extras, marker }: LockedDependency, extra?: string): string {
  const markers = [...(marker === undefined ? [] : [`(${marker})`]), ...(extra === undefined ? [] : [`extra == "${extra}"`])];
  return `${name}${extras.length > 0 ? `[${extras.join(',')}]` : ''}${markers.length > 0 ? `; ${markers.join(' and ')}` : ''}`;
}

function checkTellsNeeds(file: string | undefined): void {
  if (file === undefined || TELL_NEEDS.includes(path.basename(file))) return;
  throw new RawcloudError('E_PACKAGE', `${file} does not say what its packages need, so --package-only cannot be answered from it`, {
    remedy: `Name what is to be left out (--package-ignore), or take a lockfile that says so: ${TELL_NEEDS.join(', ')}.`,
  });
}
