import path from 'node:path';
import * as v from 'valibot';
import { canonicalName, RawcloudError } from '../../contract';
import type { CaptureContext, Capturer, Found, LocalPackage, Notice, PythonIndex, PythonRecipe, SourceContent } from '../../contract';
import { makeLayer } from '../layer';
import { findNeeds } from '../needs';
import type { Need } from '../needs';
import type { Distribution } from './distributions';
import { callsUv, findPython } from './environment';
import { readIndex } from './index-settings';
import type { Interpreter } from './interpreter';
import { carryLocals } from './local';
import { findLocked } from './locked';
import { readPackages } from './packages';
import { requirementOf } from './requirement';
import type { RefusalReason, Requirement } from './requirement';
import { REQUIREMENTS } from './requirements-file';

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
    if (need && context.locked) return detectLocked(need, context);
    const python = need && (await findPython(need, context));
    return need && python ? [describe(python, callsUv(need), context)] : [];
  },

  async capture(found, context) {
    if (context.locked) return captureLocked(found, context);
    const { uv, ...python } = v.parse(DetailSchema, found.detail);
    const { distributions, ofSystem } = await readPackages(python);
    const { lines, local, contents } = await carry(distributions, found.title, context);
    const index =
      lines.length > 0 || local.length > 0 ? await readIndex(context.env, { prefix: python.prefix, cwd: context.cwd }) : undefined;
    const venv = python.kind === 'venv' ? insideTree(python.prefix, context.root) : undefined;
    const recipe: PythonRecipe = {
      python: python.minor,
      requirements: lines,
      ...(local.length > 0 ? { local: [...local] } : {}),
      ...(index ? { index } : {}),
      ...(venv === undefined ? {} : { venv }),
      uv,
    };
    return { layer: makeLayer(PYTHON_KIND, context.platform, recipe, contents, notices(ofSystem, index)), contents };
  },
};

const LockedSchema = v.object({
  minor: v.string(),
  requirements: v.array(v.string()),
  directory: v.optional(v.string()),
  uv: v.boolean(),
  notices: v.array(v.object({ level: v.picklist(['info', 'warning']), text: v.string() })),
});

async function detectLocked(need: Need, context: CaptureContext): Promise<Found[]> {
  const locked = await findLocked(need, context);
  if (!locked) return [];
  const { minor, directory, requirements } = locked;
  const where = directory === undefined ? '' : ` (${path.join(path.relative(context.root, directory), REQUIREMENTS)})`;
  return [{ kind: PYTHON_KIND, title: `Python ${minor}${where}`, detail: { ...locked, packages: requirements.length } }];
}

async function captureLocked(found: Found, { env, cwd, platform }: CaptureContext): ReturnType<Capturer['capture']> {
  const { minor, requirements, directory, uv, notices: said } = v.parse(LockedSchema, found.detail);
  const index = requirements.length > 0 ? await readIndex(env, { prefix: directory ?? cwd, cwd }) : undefined;
  const recipe: PythonRecipe = { python: minor, requirements, ...(index ? { index } : {}), uv };
  return { layer: makeLayer(PYTHON_KIND, platform, recipe, [], [...said, ...notices([], index)]), contents: [] };
}

function describe(python: Interpreter, uv: boolean, { cwd }: CaptureContext): Found {
  const near = path.relative(cwd, python.prefix);
  const where = near.startsWith('../..') ? python.prefix : near || '.';
  return { kind: PYTHON_KIND, title: `Python ${python.minor} (${where})`, detail: { ...python, uv } };
}

function insideTree(prefix: string, root: string): string | undefined {
  const relative = path.relative(root, prefix);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? undefined : relative.split(path.sep).join('/');
}

interface Carried {
  readonly lines: string[];
  readonly local: readonly LocalPackage[];
  readonly contents: SourceContent[];
}

/** @throws E_PACKAGE that names everything that cannot be carried */
async function carry(distributions: readonly Distribution[], title: string, context: CaptureContext): Promise<Carried> {
  const all = distributions.map(requirementOf);
  const carried = await carryLocals(
    all.filter((requirement) => requirement.kind === 'local'),
    context,
  );
  const refused = [...all.filter((requirement) => requirement.kind === 'refused'), ...carried.refused];
  if (refused.length > 0) throw refusal(refused, title);
  const asked = all.filter((requirement) => requirement.kind === 'requirement');
  const { local, contents } = carried;
  const isBare = local.length + carried.lines.length === 0 && asked.every(({ name }) => SEEDS.has(canonicalName(name)));
  const lines = isBare ? [] : [...asked.map(({ line }) => line), ...carried.lines].sort();
  return { lines, local, contents: distinct(contents) };
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
    remedy: reasons.map((reason) => REMEDIES[reason]).join(' '),
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
