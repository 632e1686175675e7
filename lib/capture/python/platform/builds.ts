import { canonicalName, RawcloudError } from '../../../contract';
import type { PackageChange } from '../../../contract';
import type { Distribution } from '../distributions';
import type { Levels } from './levels';
import { buildRuleFor, isOn } from './rules';

export interface Builds {
  readonly distributions: readonly Distribution[];
  /** Indexes that builds come from, by canonical name. */
  readonly indexes: Readonly<Record<string, string>>;
  /** `name==version` of builds that no rule knows, and that have to be exact. */
  readonly unknown: readonly string[];
  readonly changes: readonly PackageChange[];
}

/**
 * Builds of one version that its local part tells apart: `2.3.0+cu121`. The default index has none of them: one that a rule knows
 * comes from the index of its own; where it is not made for the platform, any build of the version will do.
 */
export function chooseBuilds(distributions: readonly Distribution[], levels: Levels, platform: string): Builds {
  const indexes: Record<string, string> = {};
  const unknown: string[] = [];
  const changes: PackageChange[] = [];
  const chosen = distributions.map((distribution): Distribution => {
    const { name, version = '', directUrl } = distribution;
    const [plain, label] = version.split('+', 2);
    const level = levels.of(name);
    if (label === undefined || directUrl !== undefined || level === 'loose') return distribution;
    const rule = buildRuleFor(canonicalName(name), label);
    if (rule && (level === 'exact' || isOn(rule.only, platform))) {
      indexes[canonicalName(name)] = rule.index(label);
      return distribution;
    }
    if (level === 'exact') {
      unknown.push(`${canonicalName(name)}==${version}`);
      return distribution;
    }
    const reason = rule ? `+${label} is not made for it` : `the build +${label} is in no public index`;
    changes.push({ kind: 'replaced', name, version, to: { name, version: plain! }, reason });
    return { ...distribution, version: plain! };
  });
  return { distributions: chosen, indexes, unknown, changes };
}

/** @throws E_PACKAGE for builds that have to be exact, where there is no index but the default one, which takes no such versions */
export function refuseUnknownBuilds(builds: readonly string[], indexes: Builds['indexes'], title: string): void {
  const nowhere = builds.filter((build) => indexes[build.split('==')[0]!] === undefined);
  if (nowhere.length > 0) throw noIndexHas(nowhere, title);
}

function noIndexHas(builds: readonly string[], title: string): RawcloudError {
  const name = builds[0]!.split('==')[0]!;
  return new RawcloudError(
    'E_PACKAGE',
    `builds of ${title} are in no index that a VM knows: ${builds.join(', ')} (PyPI takes no versions with a local part)`,
    {
      remedy: `Name their index in PIP_EXTRA_INDEX_URL or UV_INDEX, take any build of the version (--package-strictness ${name}=compatible), or leave it out (--package-ignore ${name}).`,
      data: { packages: builds.map((build) => build.split('==')[0]!) },
    },
  );
}
