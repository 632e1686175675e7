import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { RawcloudError, unlessMissing } from '../../contract';
import { isDirectory, isFile } from '../executables';

/** A Python and the directories in which it looks for packages, first one first. */
export interface Interpreter {
  readonly kind: 'venv' | 'interpreter';
  /** `3.11` */
  readonly minor: string;
  /** sys.prefix: of a virtual environment its own directory. */
  readonly prefix: string;
  /** Directories with packages that belong to this environment. */
  readonly sites: readonly string[];
  /** The same of the interpreter that a virtual environment was allowed to see through to. */
  readonly baseSites: readonly string[];
  /** Of a virtual environment: the interpreter that it was made of, where that is not there any more. */
  readonly gone?: string;
}

const run = promisify(execFile);

/** Says where it looks, without `site`: no .pth file is run, nothing of the user's is imported. */
const QUESTION = `
import json, sys, site
print(json.dumps({
  "version": list(sys.version_info[:2]),
  "prefix": sys.prefix,
  "executable": sys.executable,
  "sites": site.getsitepackages([sys.prefix]),
  "user": site.getusersitepackages(),
}))
`;

const AnswerSchema = v.object({
  version: v.tuple([v.number(), v.number()]),
  prefix: v.string(),
  /** Of a virtual environment its own, which `site` would look around. */
  executable: v.optional(v.nullable(v.string())),
  sites: v.array(v.string()),
  user: v.string(),
});

type Env = Readonly<Record<string, string | undefined>>;

/** Long enough for a shim on a slow disk, short enough not to look like a hang. */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * Asks an interpreter outside any virtual environment; follows shims (pyenv, asdf), as they run it too, also where one leads into a
 * virtual environment, as those of pyenv-virtualenv do.
 * @throws E_PACKAGE when it does not answer or is no Python 3
 */
export async function askInterpreter(executable: string, options: AskOptions): Promise<Interpreter> {
  const answer = await ask(executable, options);
  const [major, minor] = answer.version;
  if (major !== 3) {
    throw new RawcloudError('E_PACKAGE', `${executable} is Python ${major}.${minor}; rawcloud carries the packages of Python 3`, {
      remedy: 'Put a Python 3 first on PATH, or activate a virtual environment of one.',
    });
  }
  const around = path.dirname(path.dirname(answer.executable ?? executable));
  if (await isFile(path.join(around, 'pyvenv.cfg'))) return readVenv(around, options);
  const user = options.env['PYTHONNOUSERSITE'] ? [] : [answer.user];
  const sites = [...user, ...answer.sites];
  return { kind: 'interpreter', minor: `${major}.${minor}`, prefix: answer.prefix, sites: await distinct(sites), baseSites: [] };
}

interface AskOptions {
  readonly env: Env;
  readonly cwd: string;
  readonly signal?: AbortSignal;
}

async function ask(executable: string, { env, cwd, signal }: AskOptions): Promise<v.InferOutput<typeof AnswerSchema>> {
  try {
    const { stdout } = await run(executable, ['-I', '-S', '-c', QUESTION], {
      env,
      cwd,
      timeout: ANSWER_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
    });
    return v.parse(AnswerSchema, JSON.parse(stdout));
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RawcloudError('E_PACKAGE', `${executable} did not say which Python it is and where its packages lie`, {
      remedy: `Run '${executable} --version' to see what is wrong with it.`,
      cause,
    });
  }
}

/**
 * Reads a virtual environment by its files alone.
 * @throws E_PACKAGE when there is none, or it says no version
 */
export async function readVenv(prefix: string, options: AskOptions): Promise<Interpreter> {
  const settings = await venvSettings(prefix);
  const minor = /^\d+\.\d+/.exec(settings.get('version') ?? settings.get('version_info') ?? '')?.[0] ?? (await minorOfLibrary(prefix));
  if (minor === undefined) throw notAVenv(prefix, 'its pyvenv.cfg names no version and its lib directory no python3.x');
  const through = settings.get('include-system-site-packages')?.toLowerCase() === 'true';
  const gone = await goneInterpreter(prefix);
  if (gone !== undefined && through) throw cannotSeeThrough(prefix, gone);
  return {
    kind: 'venv',
    minor,
    prefix,
    // An environment of Windows, as WSL sees it, has no directory of the version.
    sites: await distinct(
      [`lib/python${minor}`, `lib64/python${minor}`, 'Lib'].map((lib) => path.join(prefix, ...lib.split('/'), 'site-packages')),
    ),
    baseSites: through ? await sitesOfBase(settings.get('home'), minor, options) : [],
    ...(gone === undefined ? {} : { gone }),
  };
}

/** Where the environment's own `python` leads, if to nothing. Its records say all that a VM needs, which has a Python of its own. */
async function goneInterpreter(prefix: string): Promise<string | undefined> {
  const python = path.join(prefix, 'bin', 'python');
  if (await unlessMissing(stat(python), undefined)) return undefined;
  let at = python;
  for (let next = await linkedTo(at); next !== undefined; next = await linkedTo(at)) at = next;
  return at === python ? undefined : at;
}

/** undefined for what is no link, as it is not there. */
async function linkedTo(place: string): Promise<string | undefined> {
  const target = await unlessMissing(readlink(place), undefined);
  return target === undefined ? undefined : path.resolve(path.dirname(place), target);
}

function cannotSeeThrough(prefix: string, gone: string): RawcloudError {
  return new RawcloudError('E_PACKAGE', `${prefix} sees packages of ${gone}, which is not there any more`, {
    remedy: `Install that Python again, or set 'include-system-site-packages = false' in ${path.join(prefix, 'pyvenv.cfg')}: then its own packages travel.`,
  });
}

async function venvSettings(prefix: string): Promise<Map<string, string>> {
  const text = await readFile(path.join(prefix, 'pyvenv.cfg'), 'utf8').catch((cause: unknown) => {
    throw notAVenv(prefix, 'it has no pyvenv.cfg', cause);
  });
  return new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      return at === -1 ? [] : [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]];
    }),
  );
}

function notAVenv(prefix: string, why: string, cause?: unknown): RawcloudError {
  return new RawcloudError('E_PACKAGE', `${prefix} is not a virtual environment that can be read: ${why}`, {
    remedy: 'Make it again, or deactivate it (VIRTUAL_ENV names it).',
    cause,
  });
}

async function minorOfLibrary(prefix: string): Promise<string | undefined> {
  const names = await readdir(path.join(prefix, 'lib')).catch((): string[] => []);
  return names.map((name) => /^python(3\.\d+)$/.exec(name)?.[1]).find((minor) => minor !== undefined);
}

async function sitesOfBase(home: string | undefined, minor: string, options: AskOptions): Promise<readonly string[]> {
  if (home === undefined) return [];
  return (await askInterpreter(path.join(home, `python${minor}`), options)).sites;
}

/** Existing directories, each once: lib64 is often a link to lib. */
async function distinct(directories: readonly string[]): Promise<string[]> {
  const seen = new Map<string, string>();
  for (const directory of directories) {
    if (!(await isDirectory(directory))) continue;
    const real = await realpath(directory);
    if (!seen.has(real)) seen.set(real, directory);
  }
  return [...seen.values()];
}
