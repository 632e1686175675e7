import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PythonRecipeSchema, RawcloudError } from '../../contract';
import type { Builder, BuildIo, Built, PythonRecipe } from '../../contract';
import { findProgram, linkDirectory, linkInTree } from './programs';
import { findUv, pipInstaller, uvInstaller } from './python-installer';
import type { Installer } from './python-installer';
import { FailureWatch } from './python-failure';
import { fetchInterpreter, findInterpreter } from './python-interpreter';
import { installLocal, needsInstaller } from './python-local';
import type { Venv } from './python-local';
import { installYielding, leewayNotices, solveLeeway } from './python-leeway';
import { isBare, isSolvingLeft, localLeft, nameOf, requirementsLeft } from './python-parts';
import { writeRunners } from './python-runners';
import { readRecipe } from './recipe';

/**
 * Makes a virtual environment of the same minor version with exactly the packages of the recipe, by uv where it can be
 * had, else by venv and pip: first what an index gives, then what travelled. Without packages it is a directory of links to
 * an interpreter.
 */
export const pythonBuilder: Builder = {
  kind: 'python',
  async build(layer, io) {
    const recipe = readRecipe(PythonRecipeSchema, layer);
    await mkdir(io.directory, { recursive: true });
    return isBare(recipe) ? linkInterpreter(recipe, io) : buildVenv(recipe, layer.platform, io);
  },
};

async function linkInterpreter(recipe: PythonRecipe, io: BuildIo): Promise<Built> {
  const { python: minor } = recipe;
  const uv = (): Promise<string | undefined> => findUv(recipe.index, io);
  const interpreter = (await findInterpreter(minor, io)) ?? (await fetchInterpreter(minor, uv, io));
  const names = ['python', 'python3', `python${minor}`];
  const bin = await linkDirectory(
    path.join(io.directory, 'interpreter', 'bin'),
    Object.fromEntries(names.map((name) => [name, interpreter])),
  );
  await linkVenv(recipe, path.dirname(bin), io);
  const runners = await writeRunners(recipe.runners ?? [], path.join(io.directory, 'runners'));
  return { path: [bin, ...(runners ? [runners] : [])], env: {}, notices: [] };
}

async function buildVenv(recipe: PythonRecipe, platform: string, io: BuildIo): Promise<Built> {
  await checkGit(recipe, io);
  const venv = path.join(io.directory, 'venv');
  const isThere = io.restored !== undefined && existsSync(path.join(venv, 'pyvenv.cfg'));
  const uv = recipe.uv || !isThere || isInstallingLeft(recipe, io) ? await findUv(recipe.index, io) : undefined;
  if (recipe.uv && uv === undefined) throw noUv();
  const installer = uv ? uvInstaller(uv, recipe.index, io) : pipInstaller(recipe.index, io);
  if (!isThere) {
    const interpreter = (await findInterpreter(recipe.python, io)) ?? (await fetchInterpreter(recipe.python, async () => uv, io));
    await installer.createVenv(interpreter, venv);
  }
  const site = path.join(venv, 'lib', `python${recipe.python}`, 'site-packages');
  await fillEnvironment(recipe, { directory: venv, site }, installer, io);
  await linkVenv(recipe, venv, io);
  const tools =
    uv && recipe.uv ? [await linkDirectory(path.join(io.directory, 'tools'), { uv, uvx: path.join(path.dirname(uv), 'uvx') })] : [];
  const runners = await writeRunners(recipe.runners ?? [], path.join(io.directory, 'runners'));
  const paths = [path.join(venv, 'bin'), ...tools, ...(runners ? [runners] : [])];
  return { path: paths, env: { VIRTUAL_ENV: venv }, notices: await leewayNotices(recipe, site, platform) };
}

/**
 * Puts what is left of a recipe into an environment that is there, whoever made it.
 * @throws E_ENVIRONMENT that names the package at fault
 */
export async function fillEnvironment(recipe: PythonRecipe, venv: Venv, installer: Installer, io: BuildIo): Promise<void> {
  const failure = new FailureWatch();
  const { onLine } = failure;
  try {
    const install = (some: readonly string[]): Promise<void> =>
      installRequirements(some, { recipe, venv: venv.directory, installer, io, onLine });
    await installYielding(requirementsLeft(recipe, io), { recipe, io, failure, install });
    if (isSolvingLeft(recipe, io)) await solveLeeway({ recipe, io, venv, installer, failure });
    await installLocal(localLeft(recipe, io), { venv, installer, io, onLine });
  } catch (error) {
    io.signal.throwIfAborted();
    throw failure.explain(error, io, recipe);
  }
}

/** Whether something is left that only an installer can put in place. */
export function isInstallingLeft(recipe: PythonRecipe, io: BuildIo): boolean {
  return requirementsLeft(recipe, io).length > 0 || isSolvingLeft(recipe, io) || localLeft(recipe, io).some(needsInstaller);
}

interface Installing {
  readonly recipe: Pick<PythonRecipe, 'indexes'>;
  readonly venv: string;
  readonly installer: Installer;
  readonly io: BuildIo;
  readonly onLine: (line: string) => void;
}

/** Installs exactly these lines into an environment that is there, whatever else is in it. */
async function installRequirements(lines: readonly string[], { recipe, venv, installer, io, onLine }: Installing): Promise<void> {
  for (const { index, isHashed, lines: some } of groupsOf(lines, recipe)) {
    const file = path.join(io.directory, 'requirements.txt');
    await writeFile(file, some.map((line) => `${line}\n`).join(''));
    await installer.install(venv, file, { isHashed, onLine, ...(index === undefined ? {} : { index }) });
  }
}

interface Group {
  /** Of its own. @default - those of the recipe */
  readonly index?: string;
  readonly isHashed: boolean;
  readonly lines: string[];
}

/** Installers take hashes for all lines of a file or for none, and look for all lines in the same indexes. */
function groupsOf(lines: readonly string[], { indexes = {} }: Pick<PythonRecipe, 'indexes'>): Group[] {
  const groups = new Map<string, Group>();
  for (const line of lines) {
    // An option about a package stands where the package does.
    const index = indexes[nameOf(line.replace(/^--only-binary /, ''))];
    const isHashed = line.includes(' --hash=');
    const key = `${index ?? ''} ${isHashed}`;
    const group = groups.get(key) ?? { ...(index === undefined ? {} : { index }), isHashed, lines: [] };
    group.lines.push(line);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Makefiles and scripts name the environment by its place in the tree. */
async function linkVenv(recipe: PythonRecipe, venv: string, io: BuildIo): Promise<void> {
  if (recipe.venv === undefined) return;
  // The synchronized tree holds a piece of a virtual environment when the command names a file in it.
  const linked = await linkInTree(path.join(io.root, recipe.venv), venv, (names) => !names.includes('pyvenv.cfg'));
  if (!linked) io.log(`${recipe.venv} of the tree is left as it is`);
}

function noUv(): RawcloudError {
  return new RawcloudError(
    'E_ENVIRONMENT',
    'the command calls uv, which is not on the VM and could not be installed from the package index',
    {
      remedy: "Name the program itself ('rawcloud run python …'), or use an image that has uv (--image).",
    },
  );
}

export async function checkGit(recipe: PythonRecipe, io: BuildIo): Promise<void> {
  const line = recipe.requirements.find((requirement) => / @ git\+/.test(requirement));
  if (line === undefined || findProgram('git', io)) return;
  throw new RawcloudError('E_ENVIRONMENT', `${line.split(' ')[0]} is installed from a git repository, and the VM has no git`, {
    remedy:
      'Install it before (--setup "dnf install -y git"), use an image with git (--image), or install a released version of the package here.',
  });
}
