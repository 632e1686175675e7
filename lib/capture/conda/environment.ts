import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { condaRunIn, RawcloudError, unlessMissing } from '../../contract';
import type { CaptureContext, CondaRun } from '../../contract';
import { simpleCommands } from '../command-words';
import { findExecutable, interpreterOfScript, isDirectory, isFile, upwards } from '../executables';
import { findNeeds } from '../needs';
import type { Need } from '../needs';
import { askInterpreter } from '../python/interpreter';
import { readText } from '../python/read-text';

/** The conda environment that a command runs in. */
export interface CondaEnvironment {
  readonly prefix: string;
  /** It is the one that holds conda itself. */
  readonly isBase: boolean;
  /** How the command names it. @default - it is active, or its programs are on PATH */
  readonly run?: CondaRun;
}

/**
 * In this order: the one that `conda run` and its like name; the one in which a program of the command lies; that of the first
 * Python on PATH, if the command needs Python and no virtual environment is active; and for a command that nobody can see into,
 * the active one, unless it is conda's own.
 * @throws E_PACKAGE when the command names one that is not there
 */
export async function findConda(context: CaptureContext): Promise<CondaEnvironment | undefined> {
  const commands = simpleCommands(context.argv);
  for (const { words } of commands) {
    const run = condaRunIn(words);
    if (run && context.locked) throw notLocked(run);
    if (run) return { ...(await describe(await prefixOfRun(run, context))), run };
  }
  if (context.locked) return undefined;
  for (const { program } of commands) {
    const prefix = await prefixOfProgram(program, context);
    if (prefix !== undefined) return describe(prefix);
  }
  const { python } = await findNeeds(context);
  const prefix = python && (await prefixForPython(python, context));
  return prefix === undefined ? undefined : describe(prefix);
}

function notLocked({ runner }: CondaRun): RawcloudError {
  return new RawcloudError('E_PACKAGE', `'${runner} run' takes a conda environment, and jobs that are deployed cannot carry one`, {
    remedy: "Name the command itself, and give its packages in requirements.txt or package.json; or run the job by 'rawcloud run'.",
  });
}

async function describe(prefix: string): Promise<CondaEnvironment> {
  return { prefix, isBase: await isDirectory(path.join(prefix, 'condabin')) };
}

/** Where the packages of an environment are on record. */
export function condaMeta(prefix: string): string {
  return path.join(prefix, 'conda-meta');
}

function isPrefix(directory: string): Promise<boolean> {
  return isDirectory(condaMeta(directory));
}

/** A program in `bin` of an environment, or a script whose first line leads there. */
async function prefixOfProgram(program: string, context: CaptureContext): Promise<string | undefined> {
  const file = await findExecutable(program, context);
  if (file === undefined) return undefined;
  const prefix = await prefixAround(file);
  if (prefix !== undefined) return prefix;
  const interpreter = await interpreterOfScript(file);
  const found = interpreter === undefined ? undefined : await findExecutable(interpreter, context);
  return found === undefined || isSystem(found) ? undefined : prefixAround(found);
}

function isSystem(file: string): boolean {
  return /^(\/usr)?\/s?bin\//.test(file);
}

async function prefixAround(file: string): Promise<string | undefined> {
  const real = await unlessMissing(realpath(file), file);
  for (const place of new Set([file, real])) {
    const prefix = path.dirname(path.dirname(place));
    if (path.basename(path.dirname(place)) === 'bin' && (await isPrefix(prefix))) return prefix;
  }
  return undefined;
}

async function prefixForPython(need: Need, context: CaptureContext): Promise<string | undefined> {
  const { env, cwd, root } = context;
  if (env['VIRTUAL_ENV']) return undefined;
  if (need.kind === 'possible') return activePrefix(context);
  if (need.executable?.includes('/')) return prefixAround(path.resolve(cwd, need.executable));
  if (need.commands.some(({ program }) => ['uv', 'uvx'].includes(path.basename(program)))) return undefined;
  for (const name of new Set([need.executable, 'python3', 'python'])) {
    const file = name === undefined ? undefined : await findExecutable(name, context);
    if (file) return prefixOfPython(file, context);
  }
  const project = await pixiProject(cwd, root);
  const prefix = project && path.join(project, '.pixi', 'envs', 'default');
  return prefix && (await isPrefix(prefix)) ? prefix : undefined;
}

/** Shims of version managers hide where the interpreter lies. */
export async function prefixOfPython(file: string, context: CaptureContext): Promise<string | undefined> {
  const around = await prefixAround(file);
  if (around !== undefined || !file.includes('/shims/')) return around;
  const { prefix } = await askInterpreter(file, context);
  return (await isPrefix(prefix)) ? prefix : undefined;
}

/** conda's base environment is active in every terminal of many people, and means nothing there. */
async function activePrefix({ env, cwd }: CaptureContext): Promise<string | undefined> {
  const prefix = env['CONDA_PREFIX'];
  if (!prefix || env['CONDA_DEFAULT_ENV'] === 'base') return undefined;
  return path.resolve(cwd, prefix);
}

async function prefixOfRun(run: CondaRun, context: CaptureContext): Promise<string> {
  const looked = run.runner === 'pixi' ? await placesOfPixi(run, context) : await placesOfConda(run, context);
  for (const place of looked) if (await isPrefix(place)) return place;
  const name = optionOf(run, '-n', '--name', '-e', '--environment') ?? optionOf(run, '-p', '--prefix');
  const what = name === undefined ? 'an environment that is active' : `the environment '${name}'`;
  throw new RawcloudError(
    'E_PACKAGE',
    `'${run.runner} run' needs ${what}, and there is none: looked at ${looked.join(', ') || 'CONDA_PREFIX'}`,
    {
      remedy:
        run.runner === 'pixi'
          ? "Run 'pixi install' first, so that its packages can be read."
          : "Make it, or name it as 'conda env list' does: conda run -n NAME …, conda run -p DIRECTORY …",
    },
  );
}

function optionOf({ options }: CondaRun, ...names: readonly string[]): string | undefined {
  return names.map((name) => options.get(name)).find((value) => value !== undefined);
}

async function placesOfConda(run: CondaRun, context: CaptureContext): Promise<string[]> {
  const { env, cwd } = context;
  const prefix = optionOf(run, '-p', '--prefix');
  if (prefix !== undefined) return [path.resolve(cwd, prefix)];
  const roots = rootPrefixes(run, context);
  const name = optionOf(run, '-n', '--name');
  if (name === undefined) return [env['CONDA_PREFIX'], ...roots].flatMap((place) => place || []);
  if (name === 'base' || name === 'root') return roots;
  const home = env['HOME'];
  const listed = home === undefined ? undefined : await readText(path.join(home, '.conda', 'environments.txt'));
  const own = (env['CONDA_ENVS_PATH'] ?? env['CONDA_ENVS_DIRS'] ?? '').split(path.delimiter).filter((place) => place !== '');
  const directories = [...own, ...roots.map((root) => path.join(root, 'envs')), ...(home ? [path.join(home, '.conda', 'envs')] : [])];
  const known = (listed ?? '').split('\n').filter((line) => path.basename(line.trim()) === name);
  return [...new Set([...directories.map((directory) => path.join(directory, name)), ...known.map((line) => line.trim())])];
}

/** Where conda, mamba or micromamba themselves keep their environments. */
function rootPrefixes(run: CondaRun, { env }: CaptureContext): string[] {
  const active = env['CONDA_PREFIX'];
  const above = active && path.basename(path.dirname(active)) === 'envs' ? path.dirname(path.dirname(active)) : undefined;
  const executable = env['CONDA_EXE'];
  const home = env['HOME'];
  const places = [
    optionOf(run, '-r', '--root-prefix'),
    env['MAMBA_ROOT_PREFIX'],
    env['CONDA_ROOT'],
    executable && path.dirname(path.dirname(executable)),
    above,
    home && path.join(home, 'micromamba'),
  ];
  return [...new Set(places.flatMap((place) => place || []))];
}

async function placesOfPixi(run: CondaRun, { cwd, root }: CaptureContext): Promise<string[]> {
  const manifest = optionOf(run, '-m', '--manifest-path', '-w', '--workspace');
  const named = manifest === undefined ? undefined : path.resolve(cwd, manifest);
  const project = named === undefined ? await pixiProject(cwd, root) : (await isDirectory(named)) ? named : path.dirname(named);
  const name = optionOf(run, '-e', '--environment') ?? 'default';
  return project === undefined ? [] : [path.join(project, '.pixi', 'envs', name)];
}

/** The nearest directory that pixi has made environments in. */
export async function pixiProject(cwd: string, root: string): Promise<string | undefined> {
  for (const directory of upwards(cwd, root)) {
    if (await isFile(path.join(directory, 'pixi.toml'))) return directory;
    if (await isDirectory(path.join(directory, '.pixi', 'envs'))) return directory;
  }
  return undefined;
}
