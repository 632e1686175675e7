import { canonicalName } from '../../../contract';
import { evaluateMarker } from './marker';
import type { MarkerEnvironment } from './marker';
import type { Lock, LockedDependency, LockedPackage } from './model';

/** The packages that a lockfile asks for on a machine: no development groups, no extras that nobody named. */
export function selectPackages(lock: Lock, environment: MarkerEnvironment): LockedPackage[] {
  const selected =
    'wanted' in lock.roots
      ? [...lock.roots.wanted].filter(({ marker }) => marker === undefined || evaluateMarker(marker, environment))
      : reach(lock.packages, lock.roots.dependencies, environment);
  return distinct(selected);
}

function reach(packages: readonly LockedPackage[], roots: readonly LockedDependency[], environment: MarkerEnvironment): LockedPackage[] {
  const byName = new Map<string, LockedPackage[]>();
  for (const found of packages) byName.set(found.name, [...(byName.get(found.name) ?? []), found]);
  const reached = new Set<LockedPackage>();
  const seen = new Set<string>();
  const left = [...roots];
  for (let asked = left.pop(); asked !== undefined; asked = left.pop()) {
    if (asked.marker !== undefined && !evaluateMarker(asked.marker, environment)) continue;
    const found = choose(byName.get(canonicalName(asked.name)) ?? [], asked, environment);
    if (!found) continue;
    if (!reached.has(found)) left.push(...found.dependencies);
    reached.add(found);
    for (const extra of asked.extras) {
      const key = `${found.name} ${found.version ?? ''} ${extra}`;
      if (!seen.has(key)) left.push(...(found.optional[canonicalName(extra)] ?? []));
      seen.add(key);
    }
  }
  return [...reached];
}

function choose(
  candidates: readonly LockedPackage[],
  { version }: LockedDependency,
  environment: MarkerEnvironment,
): LockedPackage | undefined {
  const fitting = candidates.filter(
    (candidate) =>
      (version === undefined || candidate.version === version) &&
      (candidate.marker === undefined || evaluateMarker(candidate.marker, environment)),
  );
  return fitting[0];
}

/** Tools that list a package once for each of its extras mean one package. */
function distinct(packages: readonly LockedPackage[]): LockedPackage[] {
  return [...new Map(packages.map((found) => [found.name, found])).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
