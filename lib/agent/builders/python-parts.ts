import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { canonicalName, fsPath, PythonRecipeSchema, RawcloudError, recordedPaths } from '../../contract';
import type { BuildIo, BuiltPart, EnvironmentParts, LocalPackage, PythonRecipe } from '../../contract';
import { Groups } from './groups';
import { findInterpreter, PYTHONS_PLACE } from './python-interpreter';
import { solvedId } from './python-leeway';
import { UV_PLACE } from './python-installer';
import { readRecipe } from './recipe';

const VENV = 'venv';
const UV = 'uv';
const INTERPRETER = 'interpreter';

/** What venv itself installs into a new environment. */
const SEEDS = ['pip', 'setuptools', 'wheel'];
/** What uv and virtualenv put beside the packages. */
const OF_VENV = /^_virtualenv\.(py|pth)$/;

/** How a Python environment is kept: one part for each distribution, by the line of the recipe that asks for it. */
export const pythonParts: EnvironmentParts = {
  async facts(layer, io) {
    const recipe = readRecipe(PythonRecipeSchema, layer);
    const interpreter = await findInterpreter(recipe.python, io);
    // Links to an interpreter of the VM are quicker made than restored.
    if (isBare(recipe) && interpreter !== undefined) return undefined;
    return { interpreter: interpreter ?? 'fetched' };
  },
  wanted(layer) {
    return [VENV, UV, INTERPRETER, ...packageIds(readRecipe(PythonRecipeSchema, layer))];
  },
  isForBuilding: (layer, { ids }) => ids.includes(UV) && !readRecipe(PythonRecipeSchema, layer).uv,
  isKept(at) {
    const [top, second, ...rest] = at.split('/');
    if (rest.length === 0 && top === PYTHONS_PLACE && second?.startsWith('.')) return false;
    // The interpreter writes bytecode when it first imports, as after any installation.
    return [VENV, UV_PLACE, PYTHONS_PLACE].includes(top!) && !at.endsWith('/__pycache__');
  },
  async split(layer, directory, paths) {
    const recipe = readRecipe(PythonRecipeSchema, layer);
    const under = (top: string): string[] => paths.filter((at) => at === top || at.startsWith(`${top}/`));
    return [
      { name: 'Python', ids: [INTERPRETER], paths: under(PYTHONS_PLACE) },
      { name: 'uv', ids: [UV], paths: under(UV_PLACE) },
      ...(await splitVenv(recipe, directory, under(VENV))),
    ];
  },
  async check(layer, io) {
    const recipe = readRecipe(PythonRecipeSchema, layer);
    if (isBare(recipe)) return;
    await access(path.join(io.directory, VENV, 'bin', 'python'), constants.X_OK).catch((cause: unknown) => {
      throw new RawcloudError('E_ENVIRONMENT', 'its Python cannot be run on this VM', { cause });
    });
  },
};

/** By which the cache tells the packages of a recipe. */
export function packageIds(recipe: PythonRecipe): string[] {
  const lines = recipe.requirements.map((line) => requirementId(recipe, line));
  return [...lines, ...[solvedId(recipe) ?? []].flat(), ...(recipe.local ?? []).flatMap((found) => localId(found) ?? [])];
}

/** The one that asks for a package, by its canonical name. */
export function idsByName(recipe: PythonRecipe): ReadonlyMap<string, string> {
  const lines = new Map(recipe.requirements.map((line) => [nameOf(line), requirementId(recipe, line)]));
  for (const found of recipe.local ?? []) {
    const id = localId(found);
    if (id !== undefined) lines.set(canonicalName(found.name), id);
  }
  return lines;
}

/** A line means the same only where it is looked for in the same indexes. */
function requirementId({ index, indexes, leeway }: PythonRecipe, exact: string): string {
  const where = indexes?.[nameOf(exact)] ?? index;
  // Another version may stand for it.
  const line = leeway?.yielding.includes(nameOf(exact)) ? `${exact} or near` : exact;
  return where === undefined ? line : `${line} # ${createHash('sha256').update(JSON.stringify(where)).digest('hex').slice(0, 16)}`;
}

/** Canonical name of the package that a requirement line asks for. */
export function nameOf(line: string): string {
  return canonicalName(/^[\w.-]+/.exec(line)?.[0] ?? '');
}

/** The lines of a recipe that are still to be installed. */
export function requirementsLeft(recipe: PythonRecipe, { restored }: Pick<BuildIo, 'restored'>): readonly string[] {
  if (!restored) return recipe.requirements;
  const missing = new Set(restored.missing);
  return recipe.requirements.filter((line) => missing.has(requirementId(recipe, line)));
}

/** Whether the recipe leaves something to be solved that is not there yet. */
export function isSolvingLeft(recipe: PythonRecipe, { restored }: Pick<BuildIo, 'restored'>): boolean {
  const id = solvedId(recipe);
  return id !== undefined && (!restored || restored.missing.includes(id));
}

/** Nothing is to be installed: an interpreter is enough. */
export function isBare({ requirements, local, uv, leeway }: PythonRecipe): boolean {
  return requirements.length === 0 && local === undefined && leeway === undefined && !uv;
}

/** Packages of a recipe that came from no index and are still to be put in place: what names places of this VM always is. */
export function localLeft({ local = [] }: PythonRecipe, { restored }: Pick<BuildIo, 'restored'>): readonly LocalPackage[] {
  if (!restored) return local;
  const missing = new Set(restored.missing);
  return local.filter((found) => {
    const id = localId(found);
    return id === undefined || missing.has(id);
  });
}

/** undefined for what is there only in part: the rest lies in the tree. */
function localId(found: LocalPackage): string | undefined {
  const isWhole = found.kind === 'file' || (found.kind === 'source' && !found.editable);
  return isWhole ? `${canonicalName(found.name)} @ ${found.content}` : undefined;
}

/** A distribution by its own record. */
export interface RecordedDistribution {
  /** Canonical. */
  readonly name: string;
  readonly version: string;
  /** By which its files are named. */
  readonly site: string;
  readonly record: string;
}

const RECORD = /^(.*\/site-packages\/)([^/]+)-([^-/]+)\.dist-info\/RECORD$/;

/** By the distributions' own records. Those that share a file are one part: which of them wrote it last, nobody knows. */
async function splitVenv(recipe: PythonRecipe, directory: string, paths: readonly string[]): Promise<BuiltPart[]> {
  const lines = idsByName(recipe);
  const there = new Set(paths);
  const groups = new Groups<RecordedDistribution>();
  for (const distribution of distributionsIn(paths)) {
    const files = (await filesOf(directory, distribution)).filter((at) => there.has(at));
    const isSeed = !lines.has(distribution.name) && SEEDS.includes(distribution.name);
    if (!isSeed) groups.add(distribution, files);
  }
  const owned = groups.parts.map(({ members: distributions, paths: of }): BuiltPart => {
    const ids = distributions.map(({ name }) => lines.get(name));
    const [first] = distributions as [RecordedDistribution];
    return {
      name: distributions.map(({ name }) => name).join(' + '),
      version: first.version,
      ids: ids.every((id) => id !== undefined) ? ids.sort() : [],
      paths: of,
    };
  });
  const taken = new Set(owned.flatMap((part) => part.paths));
  const seeds = new RegExp(`^(${SEEDS.join('|')}|_distutils_hack|pkg_resources|distutils-precedence\\.pth)(/|-|$)`);
  const isOfVenv = (at: string): boolean => {
    const inSite = /^venv\/lib\/[^/]+\/site-packages\/(.*)$/.exec(at)?.[1];
    return inSite === undefined || OF_VENV.test(inSite) || seeds.test(inSite);
  };
  return [{ name: 'virtual environment', ids: [VENV], paths: paths.filter((at) => !taken.has(at) && isOfVenv(at)) }, ...owned];
}

/** Those whose records are among paths. */
export function distributionsIn(paths: readonly string[]): RecordedDistribution[] {
  return paths.flatMap((record) => {
    const [, site, name, version] = RECORD.exec(record) ?? [];
    return site && name && version ? [{ site, name: canonicalName(name), version, record }] : [];
  });
}

/** What a distribution says that it has. */
export async function filesOf(directory: string, { site, record }: RecordedDistribution): Promise<string[]> {
  const names = recordedPaths(await readFile(fsPath(directory, record), 'latin1'));
  return names.map((name) => path.posix.join(site, name));
}
