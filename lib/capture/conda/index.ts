import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { canonicalName, CONDA_SECRETS, RawcloudError, unlessMissing } from '../../contract';
import type { CaptureContext, Capturer, CondaRecipe, Found, MeasuredPackages, Notice } from '../../contract';
import { makeLayer } from '../layer';
import { readIndexes } from '../python/index-settings';
import { measureInstalled } from '../python/installed-size';
import { changedMeanwhile, stampsOf } from '../python/unchanged';
import { channelCredentials } from './credentials';
import { findConda, condaMeta } from './environment';
import type { CondaEnvironment } from './environment';
import { choosePackages } from './choose';
import { readPip } from './pip';
import { subdirOf } from './platform';
import { readRecords } from './records';
import type { CondaRecord } from './records';
import { compileSolve } from './solve';
import { sourcesOf } from './sources';
import { tasksOf } from './tasks';

export const CONDA_KIND = 'conda';

/**
 * Carries conda environments, whoever made them: conda, mamba, micromamba or pixi. Reads the environment's own records, and
 * names each archive by URL and hash; runs neither conda nor anything of the environment.
 */
export const condaCapturer: Capturer = {
  kind: CONDA_KIND,

  async detect(context) {
    const conda = await findConda(context);
    return conda ? [describe(conda, context)] : [];
  },

  async capture(found, context) {
    const conda = await findConda(context);
    if (!conda) throw new RawcloudError('E_INTERNAL', 'the conda environment that was found a moment ago is gone');
    const { prefix } = conda;
    const meta = [condaMeta(prefix)];
    const before = await stampsOf(meta);
    const records = await readRecords(prefix);
    const installed = await readPip(prefix, records, found.title);
    const {
      packages,
      solving,
      pip,
      notices: said,
    } = await choosePackages({ title: found.title, prefix, records, pip: installed }, context);
    await installed.checkUnchanged();
    if ((await stampsOf(meta)) !== before) throw changedMeanwhile(found.title);
    const sources = await sourcesOf(packages, found.title);
    const wanted = subdirOf(context.platform);
    const { platform } = context;
    const compiled = solving && compileSolve(packages, sources.packages, { solving, wanted, platform, title: found.title });
    const solver = compiled && (await readIndexes({ ...context, prefix, locked: {}, names: new Set() }));
    const urls = sources.packages.map(({ url }) => url);
    const channels = await channelCredentials([...urls, ...(compiled?.solve.channels ?? []).map((url) => `${url}/`)], sources.secrets, {
      env: context.env,
      prefix,
    });
    const recipe: CondaRecipe = {
      name: nameOf(conda),
      subdir: wanted,
      packages: [...(compiled?.packages ?? sources.packages)],
      ...(compiled ? { solve: { ...compiled.solve, ...(solver?.index ? { index: solver.index } : {}) } } : {}),
      ...(Object.keys(channels.found).length > 0 ? { credentials: { ...channels.found } } : {}),
      ...(pip ? { pip: pip.recipe } : {}),
      postLink: !(await isOfPixi(conda)),
      ...placeIn(prefix, context.root),
      runners: conda.run ? [conda.run.runner] : [],
      tasks: await tasksOf(conda, context),
    };
    const contents = [...sources.contents, ...(pip?.contents ?? [])];
    const layer = makeLayer(CONDA_KIND, context.platform, recipe, contents, [...notices(conda, records), ...said, ...(pip?.notices ?? [])]);
    const measure = async (): Promise<MeasuredPackages> => {
      const { sizes } = await measureInstalled(pip ? installed.distributions : []);
      return { sizes: { ...Object.fromEntries(records.map(({ name, bytes }) => [name, bytes])), ...sizes }, notices: [] };
    };
    return {
      layer,
      contents,
      secrets: { ...solver?.secrets, ...channels.secrets, ...(await variablesOf(conda)), ...pip?.secrets },
      measure,
    };
  },
};

/** Canonical names of what the environment of a command has, of conda and of pip; undefined when it runs in none. */
export async function namesInConda(context: CaptureContext): Promise<ReadonlySet<string> | undefined> {
  const conda = await findConda(context);
  if (!conda) return undefined;
  const records = await readRecords(conda.prefix);
  const { distributions } = await readPip(conda.prefix, records, conda.prefix);
  return new Set([...records, ...distributions].map(({ name }) => canonicalName(name)));
}

function describe(conda: CondaEnvironment, { cwd }: CaptureContext): Found {
  const near = path.relative(cwd, conda.prefix);
  const where = near.startsWith('..') ? conda.prefix : near;
  return { kind: CONDA_KIND, title: `conda ${nameOf(conda)} (${where})`, detail: { prefix: conda.prefix, base: conda.isBase } };
}

function nameOf({ prefix, isBase }: CondaEnvironment): string {
  return isBase ? 'base' : path.basename(prefix);
}

async function isOfPixi({ prefix }: CondaEnvironment): Promise<boolean> {
  return (await unlessMissing(readFile(path.join(condaMeta(prefix), 'pixi')), undefined)) !== undefined;
}

function placeIn(prefix: string, root: string): { readonly place?: string } {
  const relative = path.relative(root, prefix);
  const isInside = relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
  return isInside ? { place: relative.split(path.sep).join('/') } : {};
}

/** What `conda env config vars set` has left. Source: conda's PREFIX_STATE_FILE. */
const StateSchema = v.object({ env_vars: v.optional(v.record(v.string(), v.string()), {}) });

/** People keep passwords there: it travels sealed. */
async function variablesOf({ prefix }: CondaEnvironment): Promise<Record<string, string>> {
  const file = path.join(condaMeta(prefix), 'state');
  const text = await unlessMissing(readFile(file, 'utf8'), undefined);
  if (text === undefined) return {};
  const { success, output } = v.safeParse(v.pipe(v.string(), v.parseJson(), StateSchema), text);
  if (!success) {
    throw new RawcloudError('E_PACKAGE', `the variables of the conda environment cannot be read: ${file}`, {
      remedy: "Set them again: 'conda env config vars set NAME=VALUE'.",
    });
  }
  const set = Object.entries(output.env_vars).filter(([, value]) => value !== UNSET);
  return set.length > 0 ? { [CONDA_SECRETS.variables]: JSON.stringify(Object.fromEntries(set)) } : {};
}

/** conda writes this for variables that were removed. */
const UNSET = '***unset***';

function notices({ isBase }: CondaEnvironment, records: readonly CondaRecord[]): Notice[] {
  if (!isBase) return [];
  const text =
    `conda's base environment travels, all ${records.length} packages of it; ` +
    "one with what the job needs is there sooner: 'conda create -n NAME …', 'conda activate NAME'";
  return [{ level: 'warning', text }];
}
