import path from 'node:path';
import * as v from 'valibot';
import { canonicalName, LocalPackageSchema, PythonLeewaySchema, RawcloudError } from '../../contract';
import type { CaptureContext, Capturer, Found, LocalPackage, Notice, PythonIndex, PythonRecipe, SourceContent } from '../../contract';
import { makeLayer } from '../layer';
import { findNeeds } from '../needs';
import type { Need } from '../needs';
import type { Distribution } from './distributions';
import { callsUv, findPython, runnersOf } from './environment';
import { readIndexes } from './index-settings';
import type { Indexes } from './index-settings';
import type { Interpreter } from './interpreter';
import { carryLocals } from './local';
import { directoriesOf } from './lock/directories';
import { choosePackages } from './lock/installed';
import type { Chosen } from './lock/installed';
import { findLocked } from './locked';
import { readPackages } from './packages';
import { adapt, asInstalled, leewayFor } from './platform/adapt';
import { refuseUnknownBuilds } from './platform/builds';
import { requirementOf } from './requirement';
import { changedMeanwhile, stampsOf } from './unchanged';
import type { RefusalReason, Requirement } from './requirement';

export const PYTHON_KIND = 'python';

/** What an environment holds though nobody asked for it: with nothing else in it, an interpreter is all a job needs. */
const SEEDS = new Set(['pip', 'setuptools', 'wheel', 'distribute', 'pkg-resources']);

/** What `detect` tells `capture`; the rest of a found's detail is for people. */
const DetailSchema = v.object({
  kind: v.picklist(['venv', 'interpreter']),
  minor: v.string(),
  prefix: v.string(),
  sites: v.array(v.string()),
  baseSites: v.array(v.string()),
  uv: v.boolean(),
  runners: v.array(v.string()),
});

/**
 * Carries Python packages: reads the environment's own records (dist-info, egg-info, direct_url.json, links), asks for
 * exactly those versions on the VM, and carries what a package index cannot give. For what is deployed it reads the
 * job's requirements.txt instead.
 */
export const pythonCapturer: Capturer = {
  kind: PYTHON_KIND,

  async detect(context) {
    const { python: need } = await findNeeds(context);
    if (!need) return [];
    if (context.locked) return detectLocked(need, context);
    const python = await findPython(need, context);
    if (python) return [describe(python, { uv: callsUv(need), runners: runnersOf(need) }, context)];
    return context.packages === 'lock' ? detectLocked(need, context) : [];
  },

  async capture(found, context) {
    if ('requirements' in found.detail) return captureLocked(found, context);
    const { uv, runners, ...python } = v.parse(DetailSchema, found.detail);
    const sites = [...python.sites, ...python.baseSites];
    const before = await stampsOf(sites);
    const { distributions, ofSystem } = await readPackages(python);
    // A lockfile chooses for the platform by itself.
    const adapted =
      context.packages === 'lock'
        ? asInstalled(distributions)
        : await adapt(distributions, {
            platform: context.platform,
            here: context.here ?? context.platform,
            minor: python.minor,
            choices: context.packageChoices ?? {},
            title: found.title,
          });
    const carried = await carry(adapted.distributions, { title: found.title, minor: python.minor }, context);
    if ((await stampsOf(sites)) !== before) throw changedMeanwhile(found.title);
    const { lines, local, contents } = carried;
    const said = [...adapted.notices, ...carried.notices];
    const indexes = { ...adapted.indexes, ...carried.indexes };
    const leeway = leewayFor(lines, adapted.leeway);
    const needsIndex = lines.length > 0 || local.length > 0 || leeway !== undefined;
    const names = namesIn([...lines, ...(leeway?.solve ?? [])]);
    const where = needsIndex ? await readIndexes({ ...context, prefix: python.prefix, locked: indexes, names }) : NO_INDEXES;
    if (where.index === undefined) refuseUnknownBuilds(adapted.unknownBuilds, indexes, found.title);
    const venv = python.kind === 'venv' ? insideTree(python.prefix, context.root) : undefined;
    const recipe: PythonRecipe = {
      python: python.minor,
      requirements: [...lines],
      ...(leeway ? { leeway } : {}),
      ...(local.length > 0 ? { local: [...local] } : {}),
      ...placesOf(where),
      ...(venv === undefined ? {} : { venv }),
      uv,
      ...(runners.length > 0 ? { runners } : {}),
    };
    const layer = makeLayer(PYTHON_KIND, context.platform, recipe, contents, [...said, ...notices(ofSystem, where.index)]);
    return { layer, contents, secrets: where.secrets };
  },
};

const NO_INDEXES: Indexes = { packages: {}, credentials: {}, secrets: {} };

function placesOf({ index, packages, credentials }: Indexes): Pick<PythonRecipe, 'index' | 'indexes' | 'credentials'> {
  return {
    ...(Object.keys(packages).length > 0 ? { indexes: { ...packages } } : {}),
    ...(index ? { index } : {}),
    ...(Object.keys(credentials).length > 0 ? { credentials: { ...credentials } } : {}),
  };
}

function namesIn(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.map(nameOfLine));
}

const LockedSchema = v.object({
  title: v.string(),
  minor: v.string(),
  requirements: v.array(v.string()),
  leeway: v.optional(PythonLeewaySchema),
  indexes: v.record(v.string(), v.string()),
  unknownBuilds: v.array(v.string()),
  local: v.array(LocalPackageSchema),
  file: v.optional(v.string()),
  uv: v.boolean(),
  runners: v.array(v.string()),
  notices: v.array(v.object({ level: v.picklist(['info', 'warning']), text: v.string() })),
});

async function detectLocked(need: Need, context: CaptureContext): Promise<Found[]> {
  const locked = await findLocked(need, context);
  if (!locked) return [];
  return [{ kind: PYTHON_KIND, title: locked.title, detail: { ...locked, packages: locked.requirements.length } }];
}

async function captureLocked(found: Found, context: CaptureContext): ReturnType<Capturer['capture']> {
  const {
    minor,
    requirements,
    leeway,
    indexes,
    unknownBuilds,
    local,
    file,
    uv,
    runners,
    notices: said,
  } = v.parse(LockedSchema, found.detail);
  const prefix = file === undefined ? context.cwd : path.dirname(file);
  const names = namesIn([...requirements, ...(leeway?.solve ?? [])]);
  const where = names.size > 0 ? await readIndexes({ ...context, prefix, locked: indexes, names }) : NO_INDEXES;
  if (where.index === undefined) refuseUnknownBuilds(unknownBuilds, indexes, found.title);
  const recipe: PythonRecipe = {
    python: minor,
    requirements,
    ...(leeway ? { leeway } : {}),
    ...(local.length > 0 ? { local } : {}),
    ...placesOf(where),
    uv,
    ...(runners.length > 0 ? { runners } : {}),
  };
  const layer = makeLayer(PYTHON_KIND, context.platform, recipe, [], [...said, ...notices([], where.index)]);
  return { layer, contents: [], secrets: where.secrets };
}

function describe(python: Interpreter, calls: { uv: boolean; runners: readonly string[] }, { cwd }: CaptureContext): Found {
  const near = path.relative(cwd, python.prefix);
  const where = near.startsWith('../..') ? python.prefix : near || '.';
  return { kind: PYTHON_KIND, title: `Python ${python.minor} (${where})`, detail: { ...python, ...calls } };
}

function insideTree(prefix: string, root: string): string | undefined {
  const relative = path.relative(root, prefix);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? undefined : relative.split(path.sep).join('/');
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
  damaged: 'Reinstall them: pip install --force-reinstall NAME.',
};

function refusal(refused: readonly Extract<Requirement, { kind: 'refused' }>[], title: string): RawcloudError {
  const sorted = [...refused].sort((a, b) => (a.name < b.name ? -1 : 1));
  const what = sorted.map(({ name, why }) => `${name} (${why})`).join(', ');
  const reasons = [...new Set(sorted.map(({ reason }) => reason))];
  const count = sorted.length === 1 ? 'a package' : `${sorted.length} packages`;
  return new RawcloudError('E_PACKAGE', `${count} of ${title} cannot be carried: ${what}`, {
    remedy: `${reasons.map((reason) => REMEDIES[reason]).join(' ')} --package-ignore ${sorted[0]!.name} leaves it out.`,
    data: { packages: sorted.map(({ name }) => name) },
  });
}

/** Names shown of a list that may be hundreds long. */
const SHOWN = 4;

function notices(ofSystem: readonly Distribution[], index: PythonIndex | undefined): Notice[] {
  const names = ofSystem.map(({ name }) => name);
  const few = names.slice(0, SHOWN).join(', ') + (names.length > SHOWN ? ' …' : '');
  const directories = index?.findLinks.filter((link) => path.isAbsolute(link)) ?? [];
  return [
    ...(names.length > 0
      ? [
          {
            level: 'info' as const,
            text: `left out ${names.length} Python packages that the operating system installed (${few}); use a virtual environment to carry them`,
          },
        ]
      : []),
    ...(directories.length > 0
      ? [
          {
            level: 'info' as const,
            text: `${directories.join(', ')} (find-links) is a directory of this machine: a VM in AWS takes packages from the index only`,
          },
        ]
      : []),
  ];
}
