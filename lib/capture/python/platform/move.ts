import path from 'node:path';
import { canonicalName, unlessMissing } from '../../../contract';
import type { PackageChange } from '../../../contract';
import { stat } from 'node:fs/promises';
import type { Distribution } from '../distributions';
import type { Chosen } from './choose';
import type { Graph } from './graph';
import type { Levels } from './levels';
import { isOn, ruleFor } from './rules';
import type { PlatformRule } from './rules';
import { isCompiled, tagsOf } from './target';

type Values = Readonly<Record<string, string>>;

export interface Move {
  readonly graph: Graph;
  readonly levels: Levels;
  readonly chosen: Chosen;
  /** Of the VM. */
  readonly platform: string;
  /** What markers see where the packages were installed, and on the VM. */
  readonly from: Values;
  readonly to: Values;
  /** What has to be exact is as a lockfile has it for the platform. */
  readonly isLocked: boolean;
  /** Canonical names of packages that are there by other means. */
  readonly provided: ReadonlySet<string>;
}

/** What has to be exact and cannot be. */
export interface Refusal {
  readonly name: string;
  readonly why: string;
}

export interface Moved {
  readonly distributions: readonly Distribution[];
  /** Requirement lines that the VM solves. */
  readonly solve: readonly string[];
  readonly changes: readonly PackageChange[];
  readonly refused: readonly Refusal[];
}

/** From one platform to another: by rule what is of one alone; by the markers of the packages what else the other needs, and what not. */
export async function moveTo(selected: readonly Distribution[], move: Move): Promise<Moved> {
  const ruled = byRule(selected, move);
  const needless = await needlessOf(ruled.distributions, move);
  const added = additions(ruled.asking, needless, move);
  const distributions = ruled.distributions.filter(({ name }) => !needless.has(canonicalName(name)));
  const dropped = [...needless].map((name): PackageChange => ({ kind: 'dropped', name, reason: 'nobody needs it there' }));
  return {
    distributions,
    solve: [...ruled.solve, ...added.solve],
    changes: [...ruled.changes, ...dropped, ...added.changes],
    refused: [...ruled.refused, ...refusedNeedless(needless, move), ...added.refused],
  };
}

/** Also what is replaced still says what the platform needs besides. */
type Ruled = Moved & { readonly asking: readonly Distribution[] };

function byRule(selected: readonly Distribution[], { levels, platform, isLocked }: Move): Ruled {
  const names = new Set(selected.map(({ name }) => canonicalName(name)));
  const result = { distributions: [] as Distribution[], asking: [] as Distribution[] };
  const [solve, changes, refused]: [string[], PackageChange[], Refusal[]] = [[], [], []];
  for (const distribution of selected) {
    const name = canonicalName(distribution.name);
    const rule = isLocked && levels.of(name) === 'exact' ? undefined : ruleFor(name, platform);
    const instead = rule?.instead && isOn(rule.instead.on, platform) ? rule.instead : undefined;
    if (!rule || instead) result.asking.push(distribution);
    if (!rule) result.distributions.push(distribution);
    else if (levels.of(name) === 'exact') refused.push({ name, why: `${rule.reason}: there is none for ${platform}` });
    else if (!instead || names.has(instead.name)) changes.push({ kind: 'dropped', name, reason: rule.reason });
    else {
      const replaced = replacedBy(distribution, instead, rule);
      changes.push(replaced.change);
      if (replaced.distribution) result.distributions.push(replaced.distribution);
      else solve.push(instead.name);
    }
  }
  return { ...result, solve, changes, refused };
}

function replacedBy(
  { name, version = '', record, requires }: Distribution,
  { name: other, anyVersion }: NonNullable<PlatformRule['instead']>,
  { reason }: PlatformRule,
): { change: PackageChange; distribution?: Distribution } {
  const to = anyVersion ? { name: other } : { name: other, version };
  return {
    change: { kind: 'replaced', name, version, to, reason },
    ...(anyVersion ? {} : { distribution: { name: other, version, record, ...(requires ? { requires } : {}) } }),
  };
}

/** Made for the old platform, asked for by nobody but packages that do not need it on the new one: CUDA on a machine without. */
async function needlessOf(distributions: readonly Distribution[], { graph, levels, from, to }: Move): Promise<Set<string>> {
  const needless = new Set<string>();
  const candidates: string[] = [];
  for (const distribution of distributions) {
    const name = canonicalName(distribution.name);
    const isOpen = levels.of(name) !== 'loose' && !levels.isNamed(name) && distribution.directUrl === undefined;
    const neededHere = isOpen && distributions.some((other) => asks(graph, other, name, from));
    if (neededHere && isCompiled(await tagsOf(distribution)) && !(await wasRequested(distribution))) candidates.push(name);
  }
  for (let before = -1; before !== needless.size;) {
    before = needless.size;
    for (const name of candidates) {
      const left = distributions.filter((other) => !needless.has(canonicalName(other.name)));
      if (!left.some((other) => asks(graph, other, name, to))) needless.add(name);
    }
  }
  return needless;
}

function asks(graph: Graph, { name }: Distribution, needed: string, values: Values): boolean {
  return graph.needs(canonicalName(name), values).some((dependency) => dependency.name === needed);
}

/** Installers write down what was named on their command line. Source: PEP 376, file REQUESTED. */
export async function wasRequested({ record, requested }: Pick<Distribution, 'record' | 'requested'>): Promise<boolean> {
  return requested ?? (await unlessMissing(stat(path.join(record, 'REQUESTED')), undefined)) !== undefined;
}

function refusedNeedless(needless: ReadonlySet<string>, { levels, platform }: Move): Refusal[] {
  const exact = [...needless].filter((name) => levels.of(name) === 'exact');
  return exact.map((name) => ({ name, why: `made for this platform, and nothing needs it on ${platform}` }));
}

/** What packages need there, and not here: it was never installed, so no version of it is known. */
function additions(asking: readonly Distribution[], needless: ReadonlySet<string>, move: Move): Omit<Moved, 'distributions'> {
  const { graph, levels, chosen, from, to, platform, provided } = move;
  const lines = new Map<string, { specifiers: Set<string>; by: string[]; isExact: boolean }>();
  for (const { name } of asking) {
    const by = canonicalName(name);
    if (needless.has(by) || levels.of(by) === 'loose') continue;
    const here = new Set(graph.needs(by, from).map((dependency) => dependency.name));
    for (const { name: needed, line } of graph.needs(by, to)) {
      if (here.has(needed) || graph.has(needed) || chosen.ignored.has(needed) || chosen.added.has(needed)) continue;
      if (provided.has(needed) || ruleFor(needed, platform)) continue;
      const known = lines.get(needed) ?? { specifiers: new Set(), by: [], isExact: false };
      lines.set(needed, {
        specifiers: known.specifiers.add(line),
        by: [...known.by, by],
        isExact: known.isExact || levels.of(by) === 'exact',
      });
    }
  }
  const wanted = [...lines.entries()];
  return {
    solve: wanted.flatMap(([, { specifiers }]) => [...specifiers]),
    changes: wanted.map(([, { specifiers, by }]) => ({
      kind: 'added',
      line: [...specifiers].join(', '),
      reason: `${[...new Set(by)].sort().join(', ')} needs it there`,
    })),
    refused: wanted
      .filter(([, { isExact }]) => isExact)
      .map(([name, { by }]) => ({ name, why: `${by.join(', ')} needs it on ${platform}, and no version of it is installed here` })),
  };
}
