import { changeNotice } from '../../../../contract';
import type { CondaPackage, CondaRecipe, CondaSolve, Notice, PackageChange } from '../../../../contract';

/** What is not as it is here, read off what is there: a VM that restores an environment tells the same as the one that solved it. */
export function solveNotices(
  { subdir, packages }: CondaRecipe,
  { wanted, add, without }: CondaSolve,
  there: readonly CondaPackage[],
): Notice[] {
  const versions = new Map(there.map(({ name, version }) => [name, version]));
  const here = new Set([...wanted, ...packages].map(({ name }) => name));
  const changes = wanted.flatMap(({ name, version, level }): PackageChange[] => {
    const other = versions.get(name);
    if (other === version || without.includes(name)) return [];
    if (other === undefined) return [{ kind: 'dropped', name, reason: 'nothing needs it there' }];
    const reason = level === 'loose' ? 'as solved there' : 'not to be had as it is here';
    return [{ kind: 'replaced', name, version, to: { name, version: other }, reason }];
  });
  const added = there
    .filter(({ name }) => !here.has(name))
    .map(({ name, version }): PackageChange => {
      const isAsked = add.some((one) => one.name === name);
      return { kind: 'added', line: `${name} ${version}`, reason: isAsked ? 'as asked' : 'needed there' };
    });
  return changeNotice([...changes, ...added], subdir, (name) => name);
}
