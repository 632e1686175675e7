import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CondaRecipeSchema, isRawcloudError, mapBounded, RawcloudError } from '../../../contract';
import type { Builder, BuildIo, CondaPackage, CondaRecipe } from '../../../contract';
import { linkInTree } from '../programs';
import { readRecipe } from '../recipe';
import { activate } from './activate';
import { fetchPackage } from './fetch';
import { readInfo } from './info';
import type { PackageInfo } from './info';
import { linkPackage, pythonOf } from './link';
import { CONDA_PLACE, HISTORY, packagesIn, recordName, solveId } from './parts';
import { installPip } from './pip';
import { markPrefix, movePrefix } from './moved';
import { runPostLink } from './post-link';
import { writeRunners } from './runners';
import { solvePackages } from './solve';
import { solveNotices } from './solve/notices';
import { unpackArchive } from './unpack';

/** Packages fetched and unpacked at once: the network, and tar and its decompressor, are busy with a few. */
const CONCURRENCY = 6;

/**
 * Makes a conda environment of exactly the archives of the recipe, without conda: a list of archives needs no solver. Each is fetched,
 * checked, unpacked, and moved to its place; then the environment is activated.
 */
export const condaBuilder: Builder = {
  kind: 'conda',
  async build(layer, io) {
    const asked = readRecipe(CondaRecipeSchema, layer);
    const prefix = path.join(io.directory, CONDA_PLACE);
    await mkdir(path.join(prefix, 'conda-meta'), { recursive: true });
    if (io.restored) await movePrefix(prefix);
    const packages = await packagesOf(asked, prefix, io);
    const recipe = { ...asked, packages: [...packages] };
    await installPackages(recipe, prefix, io);
    await linkPlace(recipe, prefix, io);
    const runners = await writeRunners(recipe, io);
    const activated = await activate(prefix, recipe.name, io);
    const ofPip = recipe.pip
      ? await installPip(recipe, { prefix, python: await pythonThere(recipe, prefix), activated, platform: layer.platform }, io)
      : [];
    const notices = [...(asked.solve ? solveNotices(asked, asked.solve, packages) : []), ...ofPip];
    return { path: [...activated.path, ...runners], env: activated.env, notices };
  },
};

/** What is asked for, or was solved: by the VM that has built the environment, or by this one. */
async function packagesOf(recipe: CondaRecipe, prefix: string, io: BuildIo): Promise<readonly CondaPackage[]> {
  const { solve } = recipe;
  if (!solve) return recipe.packages;
  if (io.restored && !io.restored.missing.includes(solveId(solve))) return packagesIn(prefix);
  return solvePackages(recipe, solve, io);
}

async function installPackages(recipe: CondaRecipe, prefix: string, io: BuildIo): Promise<void> {
  const left = recipe.packages.filter((wanted) => !existsSync(path.join(prefix, 'conda-meta', recordName(wanted))));
  if (left.length === 0) return;
  const work = path.join(io.directory, 'packages');
  await mkdir(work, { recursive: true });
  io.log(`conda: ${left.length} of ${recipe.packages.length} packages to fetch`);
  const unpacked = await mapBounded(left, CONCURRENCY, (wanted) => fetchAndUnpack(wanted, work, recipe, io), { signal: io.signal });
  await writeFile(path.join(prefix, HISTORY), '');
  const python = pythonOf(unpacked) ?? (await pythonThere(recipe, prefix));
  for (const { wanted, info, directory } of unpacked) {
    io.signal.throwIfAborted();
    await ofPackage(wanted, linkPackage(directory, wanted, info, { directory: prefix, ...(python ? { python } : {}) }));
  }
  await markPrefix(prefix);
  await rm(work, { recursive: true });
  if (recipe.postLink) await runPostLink(recipe.packages, prefix, io);
}

interface Unpacked {
  readonly wanted: CondaPackage;
  readonly info: PackageInfo;
  readonly directory: string;
}

async function fetchAndUnpack(wanted: CondaPackage, work: string, { credentials }: CondaRecipe, io: BuildIo): Promise<Unpacked> {
  const file = path.join(work, path.posix.basename(URL.canParse(wanted.url) ? new URL(wanted.url).pathname : wanted.url));
  const directory = file.replace(/\.(conda|tar\.bz2)$/, '');
  await fetchPackage(wanted, file, io, credentials);
  await ofPackage(wanted, unpackArchive(file, directory, io));
  await rm(file);
  io.log(`conda: ${wanted.name} ${wanted.version} ${wanted.build}`);
  return { wanted, directory, info: await ofPackage(wanted, readInfo(directory)) };
}

/** What goes wrong with an archive says which. */
async function ofPackage<T>({ name, url }: CondaPackage, work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    if (!isRawcloudError(cause)) throw cause;
    const { message, remedy = 'Install the package again here, so that its record names another archive, and run again.' } = cause;
    throw new RawcloudError('E_ENVIRONMENT', `the conda package ${name} (${path.posix.basename(url)}) cannot be installed: ${message}`, {
      remedy,
      data: { package: name },
      cause,
    });
  });
}

/** Of an environment that is there. */
async function pythonThere({ packages }: CondaRecipe, prefix: string): Promise<ReturnType<typeof pythonOf>> {
  const wanted = packages.find(({ name }) => name === 'python');
  if (!wanted) return undefined;
  const index = JSON.parse(await readFile(path.join(prefix, 'conda-meta', recordName(wanted)), 'utf8')) as PackageInfo['index'];
  return pythonOf([{ wanted, info: { index, paths: [] } }]);
}

/** Scripts name the environment by its place in the tree. */
async function linkPlace({ place }: CondaRecipe, prefix: string, io: BuildIo): Promise<void> {
  if (place === undefined) return;
  const linked = await linkInTree(path.join(io.root, place), prefix, (names) => !names.includes('conda-meta'));
  if (!linked) io.log(`${place} of the tree is left as it is`);
}
