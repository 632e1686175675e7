import path from 'node:path';
import * as v from 'valibot';
import { canonicalName, LocalPackageSchema, PythonLeewaySchema } from '../../contract';
import type { CaptureContext, Capturer, Found, MeasuredPackages, Notice, PythonIndex, PythonRecipe } from '../../contract';
import { findConda } from '../conda/environment';
import { makeLayer } from '../layer';
import { findNeeds } from '../needs';
import type { Need } from '../needs';
import type { Distribution } from './distributions';
import { callsUv, findPython, runnersOf } from './environment';
import { readIndexes } from './index-settings';
import { measureInstalled } from './installed-size';
import type { Interpreter } from './interpreter';
import { findLocked } from './locked';
import { readPackages } from './packages';
import { refuseUnknownBuilds } from './platform/builds';
import { namesIn, NO_INDEXES, placesOf, readRecipe } from './recipe';
import { changedMeanwhile, stampsOf } from './unchanged';

export const PYTHON_KIND = 'python';

/** What `detect` tells `capture`; the rest of a found's detail is for people. */
const DetailSchema = v.object({
  kind: v.picklist(['venv', 'interpreter']),
  minor: v.string(),
  prefix: v.string(),
  sites: v.array(v.string()),
  baseSites: v.array(v.string()),
  gone: v.optional(v.string()),
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
    // A conda environment has its Python, and lockfiles of its own.
    return context.packages === 'lock' && !(await findConda(context)) ? detectLocked(need, context) : [];
  },

  async capture(found, context) {
    if ('requirements' in found.detail) return captureLocked(found, context);
    const { uv, runners, ...python } = v.parse(DetailSchema, found.detail);
    const sites = [...python.sites, ...python.baseSites];
    const before = await stampsOf(sites);
    const { distributions, ofSystem } = await readPackages(python);
    const read = await readRecipe(distributions, { title: found.title, minor: python.minor, prefix: python.prefix }, context);
    if ((await stampsOf(sites)) !== before) throw changedMeanwhile(found.title);
    const venv = python.kind === 'venv' ? insideTree(python.prefix, context.root) : undefined;
    const recipe: PythonRecipe = {
      ...read.recipe,
      ...(venv === undefined ? {} : { venv }),
      uv,
      ...(runners.length > 0 ? { runners } : {}),
    };
    const said = [...goneNotice(python, found.title), ...read.notices, ...notices(ofSystem, recipe.index)];
    const layer = makeLayer(PYTHON_KIND, context.platform, recipe, read.contents, said);
    // Of another directory than a virtual environment's own much is the system's.
    const own = python.kind === 'venv' && ofSystem.length === 0 ? python.sites[0] : undefined;
    const measure = (): Promise<MeasuredPackages> => measureTravelling(distributions, recipe, own);
    return { layer, contents: read.contents, secrets: read.secrets, measure };
  },
};

/** What is left out takes no room there. */
async function measureTravelling(
  distributions: readonly Distribution[],
  { requirements, leeway, local = [] }: PythonRecipe,
  site: string | undefined,
): Promise<MeasuredPackages> {
  const names = new Set([...namesIn([...requirements, ...(leeway?.solve ?? [])]), ...local.map(({ name }) => canonicalName(name))]);
  const { sizes, notices } = await measureInstalled(distributions, site);
  return { sizes: Object.fromEntries(Object.entries(sizes).filter(([name]) => names.has(name))), notices };
}

function goneNotice({ gone }: Pick<Interpreter, 'gone'>, title: string): Notice[] {
  if (gone === undefined) return [];
  return [{ level: 'info', text: `${title} does not run here any more, as ${gone} is gone; its packages travel as they are recorded` }];
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
