import { canonicalName, RawcloudError } from '../../contract';
import type { CondaPackage, CondaSolve, Strictness } from '../../contract';
import { ruleFor } from '../python/platform/rules';
import { channelOf } from './channels';
import type { CondaAddition, CondaChoices } from './choices/names';
import type { CondaCandidate } from './choices/select';
import { neededBy } from './records';

/*
 * What a VM solves by rattler: an environment of another platform that no lockfile has for the VM's, what need not be exact, and
 * additions of conda. It is done there and not here by the conda, mamba or pixi that somebody has: one solver, of one version, gives
 * everybody the same; it sees the VM's own glibc and CUDA, and nothing has to be installed or run here.
 */

/** What is left to the VM. */
export interface Solving {
  /** What the packages are made for: `osx-arm64`. */
  readonly made: string;
  readonly choices: CondaChoices;
}

/** undefined when every package is there as it is: made for the VM, and exact. */
export function solvingFor(
  packages: readonly CondaCandidate[],
  choices: CondaChoices,
  { made, wanted }: { readonly made: string; readonly wanted: string },
): Solving | undefined {
  const isExact = made === wanted && packages.every(({ name }) => levelOf(name, choices, true) === 'exact');
  return isExact && choices.added.length === 0 ? undefined : { made, choices };
}

function levelOf(name: string, { strictness, strictnessOf }: CondaChoices, isSame: boolean): Strictness {
  return strictnessOf.get(name) ?? strictness ?? (isSame ? 'exact' : 'compatible');
}

interface Asked {
  readonly solving: Solving;
  /** conda's name of the VM's platform, and ours: `linux-64`, `linux-x86_64`. */
  readonly wanted: string;
  readonly platform: string;
  readonly title: string;
}

/**
 * Archives of this machine travel; all others are asked for by name and version.
 * @param sources - of the candidates, in their order
 * @throws E_PACKAGE naming what has to be exact and cannot be
 */
export function compileSolve(
  candidates: readonly CondaCandidate[],
  sources: readonly CondaPackage[],
  { solving, wanted, platform, title }: Asked,
): { readonly packages: readonly CondaPackage[]; readonly solve: CondaSolve } {
  const { made, choices } = solving;
  const all = candidates.map((candidate, at) => ({ candidate, source: sources[at]! }));
  const levels = new Map(candidates.map(({ name }) => [name, levelOf(name, choices, made === wanted)]));
  const isForVm = (candidate: CondaCandidate): boolean => [wanted, 'noarch'].includes(subdirOfPackage(candidate));
  const local = all.filter(({ source }) => source.content !== undefined);
  refuseForeign(
    all.filter(({ candidate, source }) => !isForVm(candidate) && (levels.get(candidate.name) === 'exact' || source.content !== undefined)),
    { wanted, title },
  );
  const rest = all.filter(
    ({ candidate, source }) => source.content === undefined && !choices.added.some(({ name }) => name === candidate.name),
  );
  const roleOf = rolesOf(candidates, platform);
  const channels = channelsOf(rest.map(({ source }) => channelOf(source.url)));
  const add = choices.added.map((one) => ({ ...one, channel: channelFor(one, channels) }));
  return {
    packages: local.map(({ source }) => source),
    solve: {
      made,
      channels: [...new Set([...channels, ...add.map(({ channel }) => channel)])],
      wanted: rest
        .map(({ candidate: { name }, source: { version, build, url } }) => {
          return { name, version, build, channel: channelOf(url), level: levels.get(name)!, role: roleOf(name) };
        })
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      add,
      needs: [...new Set(local.flatMap(({ candidate }) => candidate.depends))].sort(),
      without: [...choices.ignored].sort(),
    },
  };
}

function subdirOfPackage({ subdir, url }: CondaCandidate): string {
  if (subdir) return subdir;
  return URL.canParse(url ?? '') ? new URL(url!).pathname.split('/').at(-2)! : '';
}

/** Who asked is written down where conda, mamba or pixi have done it. */
function rolesOf(candidates: readonly CondaCandidate[], platform: string): (name: string) => CondaSolve['wanted'][number]['role'] {
  const needed = new Set(candidates.flatMap((candidate) => neededBy(candidate).filter((name) => name !== candidate.name)));
  const asked = new Set(candidates.flatMap(({ name, isRequested }) => (isRequested ? [name] : [])));
  return (name) => {
    const isOfOthers = ruleFor(canonicalName(name), platform) !== undefined;
    if (asked.has(name) && !isOfOthers) return 'asked';
    if (needed.has(name)) return 'needed';
    return asked.size > 0 || isOfOthers ? 'alone' : 'asked';
  };
}

/** conda writes down what came from where, and no order: who gives most comes first. */
function channelsOf(channels: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const channel of channels) counts.set(channel, (counts.get(channel) ?? 0) + 1);
  return [...counts].sort(([a, of], [b, other]) => other - of || (a < b ? -1 : 1)).map(([channel]) => channel);
}

/** A name is that of a channel which packages come from, a mirror of it included; else one of anaconda.org. */
function channelFor({ channel }: CondaAddition, known: readonly string[]): string {
  if (/^https?:/.test(channel)) return channel.replace(/\/+$/, '');
  return known.find((url) => url.endsWith(`/${channel}`)) ?? `https://conda.anaconda.org/${channel}`;
}

function refuseForeign(
  foreign: readonly { readonly candidate: CondaCandidate; readonly source: CondaPackage }[],
  { wanted, title }: { readonly wanted: string; readonly title: string },
): void {
  if (foreign.length === 0) return;
  const shown = foreign.slice(0, SHOWN).map(({ candidate, source }) => {
    const what = source.content === undefined ? 'made for' : 'an archive of this machine for';
    return `${candidate.name} (${what} ${subdirOfPackage(candidate)})`;
  });
  const more = foreign.length > SHOWN ? ` and ${foreign.length - SHOWN} more` : '';
  const { name } = foreign[0]!.candidate;
  throw new RawcloudError('E_PACKAGE', `${title} cannot be made exactly as it is on ${wanted}: ${shown.join(', ')}${more}`, {
    remedy:
      `--package-strictness compatible takes builds for ${wanted}, and lists what changes; --package-strictness ${name}=compatible does so for one ` +
      `package, --package-ignore ${name} leaves it out; what is of this machine has to be in a channel for ${wanted}. Or ask for VMs of its own platform (--arch).`,
    data: { packages: foreign.map(({ candidate }) => candidate.name) },
  });
}

const SHOWN = 5;
