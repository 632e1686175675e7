import { canonicalName, changeNotice, RawcloudError } from '../../../contract';
import type { Notice, PackageChoices, PythonLeeway } from '../../../contract';
import type { Distribution } from '../distributions';
import { chooseBuilds } from './builds';
import { choiceNotices } from './changes';
import { readChoices, select } from './choose';
import { Graph } from './graph';
import { Levels } from './levels';
import { loosen } from './loosen';
import { moveTo } from './move';
import type { Moved } from './move';
import { markerValues, platformOfEnvironment } from './target';

/** Where an environment is to be made again, and what of it. */
export interface Destination {
  /** As `linux-arm64`. */
  readonly platform: string;
  /** This machine. */
  readonly here: string;
  /** Minor version of Python: `3.11`. */
  readonly minor: string;
  readonly choices: PackageChoices;
  /** The environment, for people. */
  readonly title: string;
  /** It is what a lockfile asks for on `platform`, not what is installed. @default false */
  readonly isLocked?: boolean;
  /** Canonical names of packages that are there by other means. @default - none */
  readonly provided?: ReadonlySet<string>;
  /** Canonical names that choices may be about, and which another layer of the command has. @default - none */
  readonly otherNames?: ReadonlySet<string>;
}

/** What of an environment is asked for on the VM. */
export interface Adapted {
  /** To be installed as they are recorded, with names and versions of the VM's platform. */
  readonly distributions: readonly Distribution[];
  readonly leeway: PythonLeeway;
  /** Indexes of builds that lie in one of their own, by canonical name. */
  readonly indexes: Readonly<Record<string, string>>;
  /** `name==version` of builds that have to be exact, and which the default index cannot have. */
  readonly unknownBuilds: readonly string[];
  readonly notices: readonly Notice[];
}

/**
 * Fits an environment to the platform of the VM, by rules, by the markers of its own packages, and by what was chosen about them.
 * @throws E_PACKAGE for names that are not installed, and for what has to be exact and cannot be
 */
export async function adapt(installed: readonly Distribution[], to: Destination): Promise<Adapted> {
  const made = await platformOfEnvironment(installed, to.here);
  const [from, values] = [markerValues(made, to.minor), markerValues(to.platform, to.minor)];
  const chosen = readChoices(to.choices, installed, to.title, to.otherNames);
  const graph = new Graph(installed, from);
  const selected = select(installed, chosen, graph, [from, values]);
  const levels = new Levels(chosen, made === to.platform);
  const { isLocked = false, provided = new Set() } = to;
  const move = { graph, levels, chosen, platform: to.platform, from, to: values, isLocked, provided };
  const moved: Moved = made === to.platform && !isLocked ? { ...NOTHING, distributions: selected } : await moveTo(selected, move);
  if (moved.refused.length > 0) throw notExact(moved, to);
  const builds = chooseBuilds(moved.distributions, levels, to.platform);
  const { pinned, solve } = await loosen(builds.distributions, move);
  const leeway: PythonLeeway = {
    yielding: pinned.filter((one) => isOfIndex(one) && levels.of(one.name) === 'compatible').map(({ name }) => canonicalName(name)),
    solve: [...new Set([...chosen.added.values(), ...solve, ...moved.solve])].sort(),
    completes: made !== to.platform && levels.ofRest !== 'exact',
    without: [...chosen.ignored].sort(),
  };
  return {
    distributions: pinned,
    leeway,
    indexes: builds.indexes,
    unknownBuilds: builds.unknown,
    notices: [
      ...changeNotice([...moved.changes, ...builds.changes], to.platform),
      ...choiceNotices(chosen, { installed, selected, graph }),
    ],
  };
}

export function isAnythingChosen({ strictness, strictnessOf = {}, ignore = [], only = [], add = [] }: PackageChoices): boolean {
  return strictness !== undefined || Object.keys(strictnessOf).length + ignore.length + only.length + add.length > 0;
}

/** Nothing is changed, and nothing left open. */
export function asInstalled(distributions: readonly Distribution[]): Adapted {
  const leeway = { yielding: [], solve: [], completes: false, without: [] };
  return { distributions, leeway, indexes: {}, unknownBuilds: [], notices: [] };
}

const NOTHING = { solve: [], changes: [], refused: [] };

/** Of these lines; undefined where it leaves nothing open. */
export function leewayFor(lines: readonly string[], { yielding, ...rest }: PythonLeeway): PythonLeeway | undefined {
  const names = new Set(lines.map((line) => /^[\w.-]+(?===)/.exec(line)?.[0]));
  const open = yielding.filter((name) => names.has(name)).sort();
  const completes = rest.completes && lines.length > 0;
  return open.length > 0 || rest.solve.length > 0 || completes ? { ...rest, yielding: open, completes } : undefined;
}

function isOfIndex({ directUrl, linkedTo }: Distribution): boolean {
  return directUrl === undefined && linkedTo === undefined;
}

function notExact({ refused }: Moved, { title, platform }: Destination): RawcloudError {
  const sorted = [...refused].sort((a, b) => (a.name < b.name ? -1 : 1));
  const what = sorted.map(({ name, why }) => `${name} (${why})`).join(', ');
  const { name } = sorted[0]!;
  return new RawcloudError('E_PACKAGE', `${title} cannot be made exactly as it is on ${platform}: ${what}`, {
    remedy:
      `--package-strictness compatible changes what has to be, and lists it; --package-strictness ${name}=compatible does so for one package, ` +
      `--package-ignore ${name} leaves it out, --package-add 'NAME==VERSION' says which version of one that is not here.`,
    data: { packages: sorted.map((refusal) => refusal.name) },
  });
}
