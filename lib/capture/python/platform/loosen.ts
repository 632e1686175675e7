import { canonicalName } from '../../../contract';
import type { Distribution } from '../distributions';
import { parseVersion } from '../lock/version';
import type { Graph } from './graph';
import type { Levels } from './levels';
import { wasRequested } from './move';
import type { Move } from './move';

export interface Loosened {
  /** To be installed as they are. */
  readonly pinned: readonly Distribution[];
  /** Requirement lines that the VM solves. */
  readonly solve: readonly string[];
}

/** In every environment, and needed by none of its packages. */
const SEEDS = new Set(['pip', 'setuptools', 'wheel']);

/**
 * Loose packages are asked for by their major release, and only those that no other loose package brings: the VM solves the rest.
 * What only loose packages need is not pinned either: it would keep them where they are.
 */
export async function loosen(distributions: readonly Distribution[], { graph, levels, from, to }: Move): Promise<Loosened> {
  if (!levels.anyLoose) return { pinned: distributions, solve: [] };
  const names = new Set(distributions.map(({ name }) => canonicalName(name)));
  const askers = askersOf(names, graph, [from, to]);
  const isFree = await freeOf(distributions, askers, levels);
  const free = [...names].filter((name) => isFree.has(name));
  const tops = free.filter((name) => levels.isNamed(name) || !askedByFree(name) || askedByPinned(name));
  const reached = graph.closure(tops, from, to);
  const listed = new Set([...tops, ...free.filter((name) => !reached.has(name))]);
  return {
    pinned: distributions.filter(({ name }) => !isFree.has(canonicalName(name))),
    solve: distributions.filter(({ name }) => listed.has(canonicalName(name))).map((one) => looseLine(one, graph)),
  };

  function askedByFree(name: string): boolean {
    return [...askers.get(name)!].some((asker) => isFree.has(asker));
  }
  function askedByPinned(name: string): boolean {
    return [...askers.get(name)!].some((asker) => !isFree.has(asker));
  }
}

function askersOf(names: ReadonlySet<string>, graph: Graph, machines: readonly Move['to'][]): ReadonlyMap<string, ReadonlySet<string>> {
  const askers = new Map([...names].map((name): [string, Set<string>] => [name, new Set()]));
  for (const name of names) {
    for (const values of machines) {
      for (const dependency of graph.needs(name, values)) if (dependency.name !== name) askers.get(dependency.name)?.add(name);
    }
  }
  return askers;
}

async function freeOf(
  distributions: readonly Distribution[],
  askers: ReadonlyMap<string, ReadonlySet<string>>,
  levels: Levels,
): Promise<ReadonlySet<string>> {
  const free = new Set<string>();
  const open: string[] = [];
  for (const distribution of distributions) {
    const name = canonicalName(distribution.name);
    if (distribution.directUrl !== undefined || distribution.linkedTo !== undefined) continue;
    if (levels.of(name) === 'loose' && !(SEEDS.has(name) && !levels.isNamed(name))) free.add(name);
    else if (!levels.isNamed(name) && askers.get(name)!.size > 0 && !(await wasRequested(distribution))) open.push(name);
  }
  for (let before = -1; before !== free.size;) {
    before = free.size;
    for (const name of open) if ([...askers.get(name)!].every((asker) => free.has(asker))) free.add(name);
  }
  return free;
}

/** The same major release, nothing older than the minor one that is here. */
function looseLine({ name, version = '' }: Distribution, graph: Graph): string {
  const canonical = canonicalName(name);
  const extras = graph.extrasOf(canonical);
  const what = `${canonical}${extras.length > 0 ? `[${extras.join(',')}]` : ''}`;
  const parsed = parseVersion(version);
  if (!parsed) return what;
  const { epoch, release } = parsed;
  const [major = 0, minor = 0] = release;
  const of = (text: string): string => (epoch > 0 ? `${epoch}!${text}` : text);
  // A pre-release is only taken where one is named.
  const isPre = /\d(a|b|rc|\.dev|\.?alpha|\.?beta|\.?pre)\d*/i.test(version);
  const least = isPre ? version.split('+', 1)[0]! : of(`${major}.${minor}`);
  return `${what}>=${least},<${of(String(major + 1))}`;
}
