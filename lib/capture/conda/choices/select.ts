import { canonicalName } from '../../../contract';
import type { Notice } from '../../../contract';
import type { Distribution } from '../../python/distributions';
import { Graph } from '../../python/platform/graph';
import type { PipInstalled } from '../pip';
import { neededBy } from '../records';
import type { CondaOrigin } from '../sources';
import type { CondaChoices } from './names';

/** A package that may travel. */
export interface CondaCandidate extends CondaOrigin {
  readonly depends: readonly string[];
  /** Somebody asked for it by name. @default - nobody knows */
  readonly isRequested?: boolean;
}

/** What there is to choose from. */
export interface CondaSet {
  readonly packages: readonly CondaCandidate[];
  /** What pip has put there. */
  readonly distributions: readonly Distribution[];
}

type Values = Readonly<Record<string, string>>;

/** What of an environment is to travel, and what that means for the rest. */
export function select(
  { packages, distributions }: CondaSet,
  choices: CondaChoices,
  { owned }: Pick<PipInstalled, 'owned'>,
  machines: readonly [Values, ...Values[]],
): CondaSet & { readonly notices: readonly Notice[] } {
  const graph = new Graph([...distributions, ...owned.map(({ distribution }) => distribution)], machines[0]);
  const ownerOf = new Map(owned.map(({ distribution, by }) => [canonicalName(distribution.name), by]));
  const wanted = choices.only.asked.length === 0 ? undefined : closure(packages, choices, { graph, ownerOf, machines });
  const kept = packages.filter(({ name }) => (wanted?.conda.has(name) ?? true) && !choices.ignored.has(name));
  const ofPip = distributions.filter(({ name }) => wanted?.pip.has(canonicalName(name)) ?? true);
  const only = {
    level: 'info' as const,
    text: `only ${choices.only.asked.join(', ')} and what they need: ${kept.length + ofPip.length} of ${packages.length + distributions.length} packages`,
  };
  const missed = missing([...choices.ignored], { packages: kept, distributions: ofPip }, { graph, ownerOf });
  return {
    packages: kept,
    distributions: ofPip,
    notices: [...(wanted ? [only] : []), ...(missed === undefined ? [] : [{ level: 'warning' as const, text: missed }])],
  };
}

interface Known {
  readonly graph: Graph;
  /** conda's name of what brings a distribution of Python, by its canonical name. */
  readonly ownerOf: ReadonlyMap<string, string>;
}

/** These, all that they need of conda and pip, and the Python. */
function closure(
  packages: readonly CondaCandidate[],
  { only }: CondaChoices,
  { graph, ownerOf, machines }: Known & { readonly machines: readonly Values[] },
): { readonly conda: ReadonlySet<string>; readonly pip: ReadonlySet<string> } {
  const byName = new Map(packages.map((found) => [found.name, found]));
  const pip = graph.closure(only.pip, ...machines);
  const conda = new Set<string>();
  const left = [...only.conda, 'python', ...[...pip].flatMap((name) => ownerOf.get(name) ?? [])];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    const found = byName.get(name);
    if (!found || conda.has(name)) continue;
    conda.add(name);
    left.push(...neededBy(found));
  }
  // pip may have put another version in the place of conda's.
  const replaced = [...conda].map(canonicalName).filter((name) => graph.has(name));
  return { conda, pip: new Set([...pip, ...replaced]) };
}

const SHOWN = 3;

function missing(ignored: readonly string[], { packages, distributions }: CondaSet, { graph, ownerOf }: Known): string | undefined {
  const texts = ignored.flatMap((name) => {
    const needing = [
      ...packages.filter((found) => neededBy(found).includes(name)).map((found) => found.name),
      ...distributions
        .map((found) => canonicalName(found.name))
        .filter((other) => graph.needs(other).some((need) => ownerOf.get(need.name) === name)),
    ];
    const few = `${needing.slice(0, SHOWN).join(', ')}${needing.length > SHOWN ? ' …' : ''}`;
    return needing.length > 0 ? [`${name}, which ${few} needs`] : [];
  });
  return texts.length > 0 ? `left out as asked: ${texts.join('; ')}` : undefined;
}
