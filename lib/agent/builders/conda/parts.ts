import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { CondaPackageSchema, CondaRecipeSchema, fsPath, mapBounded, RawcloudError } from '../../../contract';
import type { BuildIo, BuiltPart, CondaPackage, CondaRecipe, CondaSolve, EnvironmentParts, PythonRecipe } from '../../../contract';
import { Groups } from '../groups';
import { distributionsIn, filesOf, idsByName, packageIds } from '../python-parts';
import { readRecipe } from '../recipe';
import { cudaOf } from './solve/cuda';

/** Where the environment lies in the layer's directory. */
export const CONDA_PLACE = 'env';
/** By these conda knows an environment, and we where it was made. Relative to it. */
export const HISTORY = 'conda-meta/history';
export const PREFIX_MARK = 'conda-meta/.rawcloud-prefix';

const PREFIX = 'prefix';

/** How a conda environment is kept: one part for each package, by its own record. */
export const condaParts: EnvironmentParts = {
  async facts(layer, io) {
    const { packages, solve } = readRecipe(CondaRecipeSchema, layer);
    const facts: Record<string, string> = {};
    // Solving sees the driver of the machine.
    if (solve) facts['cuda'] = await cudaOf(io);
    return packages.length === 0 && !solve ? undefined : facts;
  },
  wanted(layer) {
    const recipe = readRecipe(CondaRecipeSchema, layer);
    const pip = recipe.pip ? packageIds(recipe.pip).map((id) => pipId(recipe.pip!, id)) : [];
    const solved = recipe.solve ? [solveId(recipe.solve)] : [];
    return [PREFIX, ...recipe.packages.map((wanted) => idOf(recipe, wanted)), ...solved, ...pip];
  },
  // Bytecode carries the time of its source, which is another after restoring.
  isKept: (at) => (at === CONDA_PLACE || at.startsWith(`${CONDA_PLACE}/`)) && !at.endsWith('/__pycache__'),
  split: (layer, directory, paths) => splitPrefix(readRecipe(CondaRecipeSchema, layer), directory, paths),
  async check(_layer, io) {
    if (existsSync(path.join(io.directory, CONDA_PLACE, 'conda-meta'))) return;
    throw new RawcloudError('E_ENVIRONMENT', 'it has no conda-meta');
  },
};

/** The same archive is linked in the same way for the same Python only. */
function idOf({ packages }: CondaRecipe, { url, sha256, md5 }: CondaPackage): string {
  const python = /^\d+\.\d+/.exec(packages.find(({ name }) => name === 'python')?.version ?? '')?.[0] ?? 'none';
  return `${url}#${sha256 ?? md5 ?? ''} python ${python}`;
}

/** By which the cache tells what a VM solved: it means the same for the same question alone. */
export function solveId(solve: CondaSolve): string {
  return `solved ${createHash('sha256').update(JSON.stringify(solve)).digest('hex').slice(0, 16)}`;
}

/** What is on record in an environment. */
export async function packagesIn(prefix: string): Promise<CondaPackage[]> {
  const directory = path.join(prefix, 'conda-meta');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  return mapBounded(names, CONCURRENCY, async (name) => {
    return v.parse(v.pipe(v.string(), v.parseJson(), CondaPackageSchema), await readFile(path.join(directory, name), 'utf8'));
  });
}

/** Records read at once. */
const CONCURRENCY = 8;

/** The name of a package's record in conda-meta. */
export function recordName({ name, version, build }: CondaPackage): string {
  return `${name}-${version}-${build}.json`;
}

/** What pip installs depends on the Python that it is for. */
function pipId({ python }: PythonRecipe, id: string): string {
  return `pip ${python} ${id}`;
}

/** What of the packages of pip is left, in their own words. */
export function ofPip(pip: PythonRecipe, io: BuildIo): BuildIo {
  if (!io.restored) return io;
  const left = new Set(io.restored.missing);
  return { ...io, restored: { missing: packageIds(pip).filter((id) => left.has(pipId(pip, id))) } };
}

interface Member {
  readonly name: string;
  readonly version: string;
  /** Absent where nobody but the very same environment can take it over. */
  readonly id?: string;
}

async function splitPrefix(recipe: CondaRecipe, directory: string, paths: readonly string[]): Promise<BuiltPart[]> {
  const there = new Set(paths);
  const groups = new Groups<Member>();
  const taken = new Set<string>();
  const solved = recipe.solve ? await packagesIn(path.join(directory, CONDA_PLACE)) : [];
  const own = new Set(recipe.packages.map(({ name }) => name));
  const all = [...recipe.packages, ...solved.filter(({ name }) => !own.has(name))];
  for (const wanted of all) {
    const record = `${CONDA_PLACE}/conda-meta/${recordName(wanted)}`;
    if (!there.has(record)) continue;
    const { files } = JSON.parse(await readFile(fsPath(directory, record), 'utf8')) as { files: string[] };
    const placed = files.map((at) => `${CONDA_PLACE}/${Buffer.from(at).toString('latin1')}`);
    for (const at of placed) taken.add(at);
    // pip may have put another version in its place.
    const isWhole = own.has(wanted.name) && placed.every((at) => there.has(at) || at.includes('/__pycache__/'));
    const { name, version } = wanted;
    groups.add(
      { name, version, ...(isWhole ? { id: idOf(recipe, wanted) } : {}) },
      [record, ...placed].filter((at) => there.has(at)),
    );
  }
  for (const distribution of recipe.pip ? distributionsIn(paths) : []) {
    if (taken.has(distribution.record)) continue;
    const id = idsByName(recipe.pip!).get(distribution.name);
    const { name, version } = distribution;
    const files = await filesOf(directory, distribution);
    groups.add(
      { name, version, ...(id === undefined ? {} : { id: pipId(recipe.pip!, id) }) },
      files.filter((at) => there.has(at)),
    );
  }
  const packages = groups.parts.map(({ members, paths: of }): BuiltPart => {
    const ids = members.flatMap(({ id }) => id ?? []);
    return {
      name: members.map(({ name }) => name).join(' + '),
      version: members[0]!.version,
      ids: ids.length === members.length ? ids.sort() : [],
      paths: of,
    };
  });
  const marks = [HISTORY, PREFIX_MARK].map((at) => `${CONDA_PLACE}/${at}`).filter((at) => there.has(at));
  return [{ name: 'conda environment', ids: [PREFIX], paths: marks }, ...packages];
}
