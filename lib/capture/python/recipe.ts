import { canonicalName, RawcloudError } from '../../contract';
import type { CaptureContext, LocalPackage, Notice, PythonRecipe, SourceContent } from '../../contract';
import type { Distribution } from './distributions';
import { readIndexes } from './index-settings';
import type { Indexes } from './index-settings';
import { carryLocals } from './local';
import { directoriesOf } from './lock/directories';
import { choosePackages } from './lock/installed';
import type { Chosen } from './lock/installed';
import { adapt, asInstalled, isAnythingChosen, leewayFor } from './platform/adapt';
import { refuseUnknownBuilds } from './platform/builds';
import { requirementOf } from './requirement';
import type { RefusalReason, Requirement } from './requirement';

/** What an environment holds though nobody asked for it: with nothing else in it, an interpreter is all a job needs. */
const SEEDS = new Set(['pip', 'setuptools', 'wheel', 'distribute', 'pkg-resources']);

/** An environment whose packages are read. */
export interface ReadEnvironment {
  /** For people. */
  readonly title: string;
  /** Of its Python: `3.11`. */
  readonly minor: string;
  readonly prefix: string;
  /** Canonical names of packages that are there by other means, and are none of the installer's business. @default - none */
  readonly provided?: ReadonlySet<string>;
  /** They were chosen for the VM's platform, by a lockfile that the caller has read. @default false */
  readonly isChosen?: boolean;
  /** By canonical name, where the caller knows it. @default - none */
  readonly indexes?: Readonly<Record<string, string>>;
}

/** How distributions come to a VM. */
export interface PythonRead {
  readonly recipe: Omit<PythonRecipe, 'uv'>;
  readonly contents: readonly SourceContent[];
  readonly notices: readonly Notice[];
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * Asks for exactly these versions on the VM, and carries what a package index cannot give.
 * @throws E_PACKAGE that names everything that cannot be carried
 */
export async function readRecipe(
  distributions: readonly Distribution[],
  environment: ReadEnvironment,
  context: CaptureContext,
): Promise<PythonRead> {
  const { title, minor, prefix, provided, isChosen = context.packages === 'lock' } = environment;
  const choices = context.packageChoices ?? {};
  // A lockfile chooses for the platform by itself.
  const adapted =
    isChosen && !isAnythingChosen(choices)
      ? asInstalled(distributions)
      : await adapt(distributions, {
          platform: context.platform,
          here: isChosen ? context.platform : (context.here ?? context.platform),
          minor,
          choices,
          title,
          isLocked: isChosen,
          ...(provided ? { provided } : {}),
          ...(context.otherNames ? { otherNames: context.otherNames } : {}),
        });
  const carried = await carry(adapted.distributions, { title, minor }, context);
  const { lines, local, contents } = carried;
  const indexes = { ...adapted.indexes, ...carried.indexes, ...environment.indexes };
  const leeway = leewayFor(lines, adapted.leeway);
  const needsIndex = lines.length > 0 || local.length > 0 || leeway !== undefined;
  const names = namesIn([...lines, ...(leeway?.solve ?? [])]);
  const where = needsIndex ? await readIndexes({ ...context, prefix, locked: indexes, names }) : NO_INDEXES;
  if (where.index === undefined) refuseUnknownBuilds(adapted.unknownBuilds, indexes, title);
  const recipe = {
    python: minor,
    requirements: [...lines],
    ...(leeway ? { leeway } : {}),
    ...(local.length > 0 ? { local: [...local] } : {}),
    ...placesOf(where),
  };
  return { recipe, contents, notices: [...adapted.notices, ...carried.notices], secrets: where.secrets };
}

export const NO_INDEXES: Indexes = { packages: {}, credentials: {}, secrets: {} };

export function placesOf({ index, packages, credentials }: Indexes): Pick<PythonRecipe, 'index' | 'indexes' | 'credentials'> {
  return {
    ...(Object.keys(packages).length > 0 ? { indexes: { ...packages } } : {}),
    ...(index ? { index } : {}),
    ...(Object.keys(credentials).length > 0 ? { credentials: { ...credentials } } : {}),
  };
}

export function namesIn(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.map(nameOfLine));
}

interface Carried {
  readonly lines: readonly string[];
  /** Of packages whose lockfile names one. */
  readonly indexes: Readonly<Record<string, string>>;
  readonly local: readonly LocalPackage[];
  readonly contents: SourceContent[];
  readonly notices: readonly Notice[];
}

/** @throws E_PACKAGE that names everything that cannot be carried */
async function carry(
  distributions: readonly Distribution[],
  { title, minor }: { title: string; minor: string },
  context: CaptureContext,
): Promise<Carried> {
  const all = distributions.map(requirementOf);
  const carried = await carryLocals(
    all.filter((requirement) => requirement.kind === 'local'),
    context,
  );
  const refused = [...all.filter((requirement) => requirement.kind === 'refused'), ...carried.refused];
  if (refused.length > 0) throw refusal(refused, title);
  const installed = all.flatMap((found) => {
    if (found.kind === 'refused') return [];
    const { name, version } = found;
    return found.kind === 'local' ? [{ name, version, isLocal: true }] : [{ name, version, isLocal: false, line: found.line }];
  });
  const chosen = await choosePackages(installed, { platform: context.platform, minor }, context);
  const local = [...carried.local, ...(await directoriesBeside(chosen, carried.local, context))];
  const named = new Set([...chosen.lines.map(nameOfLine), ...Object.keys(chosen.indexes)]);
  const isBare = local.length + carried.lines.length === 0 && [...named].every((name) => SEEDS.has(name));
  const lines = isBare ? [] : [...chosen.lines, ...carried.lines.filter((line) => !named.has(nameOfLine(line)))].sort();
  const { indexes, notices: said } = chosen;
  return { lines, indexes, local, contents: distinct(carried.contents), notices: said };
}

/** What a lockfile that is taken by itself has of the tree, and is not installed here. */
async function directoriesBeside(chosen: Chosen, carried: readonly LocalPackage[], { root }: CaptureContext): Promise<LocalPackage[]> {
  const { lockfile } = chosen;
  if (!lockfile) return [];
  return directoriesOf(lockfile.selected, { file: lockfile.file, root, carried: new Set(carried.map(({ name }) => canonicalName(name))) });
}

function nameOfLine(line: string): string {
  return canonicalName(/^[\w.-]+/.exec(line)?.[0] ?? line);
}

function distinct(contents: readonly SourceContent[]): SourceContent[] {
  return [...new Map(contents.map((content) => [content.sha256, content])).values()];
}

const REMEDIES: Readonly<Record<RefusalReason, string>> = {
  gone: 'Install them again here, from where their source is now: pip install --force-reinstall …',
  private: 'Install them from a public index or URL, or build a wheel of them here and install that: pip wheel --no-deps …',
  platform: 'Install a build for the platform of the VM, or ask for VMs of this platform (--arch).',
  damaged: 'Install what is damaged again: pip install --force-reinstall NAME.',
};

function refusal(refused: readonly Extract<Requirement, { kind: 'refused' }>[], title: string): RawcloudError {
  const sorted = [...refused].sort((a, b) => (a.name < b.name ? -1 : 1));
  const what = sorted.map(({ name, why }) => `${name} (${why})`).join(', ');
  const reasons = [...new Set(sorted.map(({ reason }) => reason))];
  const damaged = sorted.filter(({ reason }) => reason === 'damaged').map(({ name }) => name);
  const remedies = reasons.map((reason) => REMEDIES[reason].replace('NAME', damaged.join(' ')));
  const count = sorted.length === 1 ? 'a package' : `${sorted.length} packages`;
  return new RawcloudError('E_PACKAGE', `${count} of ${title} cannot be carried: ${what}`, {
    remedy: `${remedies.join(' ')} --package-ignore ${sorted[0]!.name} leaves it out.`,
    data: { packages: sorted.map(({ name }) => name) },
  });
}
