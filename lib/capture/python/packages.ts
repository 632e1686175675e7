import { canonicalName, RawcloudError } from '../../contract';
import { readDistributions } from './distributions';
import type { Distribution } from './distributions';
import type { Interpreter } from './interpreter';

/** Installers that people call; whatever else an interpreter's own directories hold came with the operating system. */
const PYTHON_INSTALLERS = ['pip', 'uv', 'poetry', 'pdm', 'pipenv', 'hatch', 'flit', 'rye', 'installer', 'conda'];

export interface Packages {
  /** Each name once, as `import` would find it: the first on the path. */
  readonly distributions: readonly Distribution[];
  /** Left out: debs, RPMs and what else the operating system brought. */
  readonly ofSystem: readonly Distribution[];
}

/**
 * Reads all packages that an interpreter sees.
 * @throws E_PACKAGE when one directory records two versions of a package: nobody can say which one is there
 */
export async function readPackages(python: Pick<Interpreter, 'kind' | 'sites' | 'baseSites'>): Promise<Packages> {
  const byName = new Map<string, Distribution>();
  const ofSystem: Distribution[] = [];
  for (const { site, own } of [
    ...python.sites.map((directory) => ({ site: directory, own: python.kind === 'venv' })),
    ...python.baseSites.map((directory) => ({ site: directory, own: false })),
  ]) {
    const here = await readDistributions(site, { installers: !own });
    refuseTwins(here, site);
    for (const distribution of here) {
      const name = canonicalName(distribution.name);
      if (byName.has(name)) continue;
      if (own || isUsers(distribution)) byName.set(name, distribution);
      else ofSystem.push(distribution);
    }
  }
  return { distributions: [...byName.values()], ofSystem: ofSystem.filter(({ name }) => !byName.has(canonicalName(name))) };
}

function isUsers({ installer, record }: Distribution): boolean {
  return record.endsWith('.egg-link') || (installer !== undefined && PYTHON_INSTALLERS.some((known) => installer.startsWith(known)));
}

function refuseTwins(distributions: readonly Distribution[], site: string): void {
  const versions = new Map<string, string>();
  for (const { name, version, linkedTo } of distributions) {
    if (version === undefined || linkedTo !== undefined) continue;
    const other = versions.get(canonicalName(name));
    if (other !== undefined && other !== version) {
      throw new RawcloudError('E_PACKAGE', `${site} records two versions of ${name}: ${other} and ${version}`, {
        remedy: `Uninstall it until it is gone, and install it again: pip uninstall ${name}.`,
      });
    }
    versions.set(canonicalName(name), version);
  }
}
