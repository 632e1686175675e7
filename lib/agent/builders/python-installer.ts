import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isRawcloudError, RawcloudError } from '../../contract';
import type { BuildIo, PythonIndex } from '../../contract';
import { answerOf, findProgram } from './programs';
import { findAnyPython, uvEnvironment } from './python-interpreter';

/** Makes virtual environments and fills them; output goes to the environment log. */
export interface Installer {
  createVenv(interpreter: string, directory: string): Promise<void>;
  /** Installs exactly what the file lists: dependencies of what it lists are on the list too. */
  install(venv: string, requirementsFile: string, options: InstallOptions): Promise<void>;
  /** Installs what the file asks for and what that needs, in versions that the constraints allow. */
  solve(venv: string, requirementsFile: string, options: SolveOptions): Promise<void>;
  /** Installs a wheel, an archive or a directory, without its dependencies; builds it where it has to be. */
  installPath(venv: string, place: string, options: { editable: boolean; onLine: (line: string) => void }): Promise<void>;
}

export interface InstallOptions {
  /** Each line has hashes, and nothing else is accepted. */
  readonly isHashed: boolean;
  /** Where all of the lines come from. @default - the recipe's indexes */
  readonly index?: string;
  readonly onLine: (line: string) => void;
}

export interface SolveOptions {
  /** A file of pins. */
  readonly constraints: string;
  /** A file with what is not to be installed, whoever needs it. @default - nothing */
  readonly overrides?: string;
  readonly onLine: (line: string) => void;
}

/** Where a uv of our own lies in the layer's directory. */
export const UV_PLACE = 'uv';

/** Retries and seconds of pip's patience for fetching uv itself: without it things go on, so it must not take long. */
const FETCH_UV = ['--retries', '1', '--timeout', '15'];

/**
 * uv on PATH, else one installed from the package index into a directory of its own; undefined when neither works.
 * A Python without pip (bare images have ensurepip only) gets one in a virtual environment first, which takes seconds.
 */
export async function findUv(index: PythonIndex | undefined, io: BuildIo): Promise<string | undefined> {
  const there = findProgram('uv', io);
  if (there) return there;
  const restored = path.join(io.directory, UV_PLACE, 'bin', 'uv');
  if (io.restored && existsSync(restored)) return restored;
  const python = await findAnyPython(io);
  if (python === undefined) return undefined;
  const home = path.join(io.directory, UV_PLACE);
  const env = pipEnvironment(io);
  const hasPip = (await answerOf(python, ['-m', 'pip', '--version'], io)) !== undefined;
  try {
    if (!hasPip) await io.run(python, ['-m', 'venv', home], { env });
    const [pip, target] = hasPip ? [python, ['--target', home]] : [path.join(home, 'bin', 'python'), []];
    const from = pipIndexes(await usable(index, io), io);
    await io.run(pip, ['-m', 'pip', 'install', ...target, ...FETCH_UV, ...from.args, 'uv'], { env: { ...env, ...from.env } });
    return path.join(home, 'bin', 'uv');
  } catch (error) {
    io.signal.throwIfAborted();
    if (!isRawcloudError(error)) throw error;
    io.log(`uv cannot be had here (${error.message}): going on with venv and pip`);
    return undefined;
  }
}

/** By uv: quick, and makes environments of interpreters that lack ensurepip. */
export function uvInstaller(uv: string, index: PythonIndex | undefined, io: BuildIo): Installer {
  const env = uvEnvironment(io);
  const install = async (venv: string, what: readonly string[], { isHashed, index: own, onLine }: InstallOptions): Promise<void> => {
    const chosen = await usable(index, io);
    const strategy = chosen?.strategy === 'best' && own === undefined ? ['--index-strategy', 'unsafe-best-match'] : [];
    const target = ['--python', path.join(venv, 'bin', 'python')];
    const from = uvIndexes(own === undefined ? chosen : { ...(chosen ?? NO_INDEX), noIndex: false }, own, io);
    const options = [...target, '--no-deps', ...(isHashed ? ['--require-hashes'] : []), ...strategy, ...from.args];
    await io.run(uv, ['pip', 'install', ...options, ...what], { env: { ...env, ...from.env }, onLine });
  };
  return {
    createVenv: (interpreter, directory) => io.run(uv, ['venv', '--python', interpreter, directory], { env }),
    install: (venv, file, options) => install(venv, ['-r', file], options),
    async solve(venv, file, { constraints, overrides, onLine }) {
      const chosen = await usable(index, io);
      const strategy = chosen?.strategy === 'best' ? ['--index-strategy', 'unsafe-best-match'] : [];
      const within = ['--constraint', constraints, ...(overrides === undefined ? [] : ['--override', overrides])];
      const options = ['--python', path.join(venv, 'bin', 'python'), ...strategy, ...within];
      const from = uvIndexes(chosen, undefined, io);
      await io.run(uv, ['pip', 'install', ...options, ...from.args, '-r', file], { env: { ...env, ...from.env }, onLine });
    },
    installPath: (venv, place, { editable, onLine }) => install(venv, editable ? ['-e', place] : [place], { isHashed: false, onLine }),
  };
}

/** By what every complete Python brings along. */
export function pipInstaller(index: PythonIndex | undefined, io: BuildIo): Installer {
  const env = pipEnvironment(io);
  const install = async (venv: string, what: readonly string[], { isHashed, index: own, onLine }: InstallOptions): Promise<void> => {
    const python = path.join(venv, 'bin', 'python');
    const chosen = await usable(index, io);
    // pip takes a version from whichever index has it: what has no hash comes from its own index alone.
    const others = isHashed ? [chosen?.url ?? PYPI, ...(chosen?.extra ?? [])] : [];
    const from = pipIndexes(own === undefined ? chosen : { ...NO_INDEX, url: own, extra: others }, io);
    const options = ['--no-deps', ...(isHashed ? ['--require-hashes'] : []), ...from.args];
    await io.run(python, ['-m', 'pip', 'install', ...options, ...what], { env: { ...env, ...from.env }, onLine });
  };
  return {
    createVenv: (interpreter, directory) => io.run(interpreter, ['-m', 'venv', directory], { env }),
    install: (venv, file, options) => install(venv, ['-r', file], options),
    async solve(venv, file, { constraints, overrides, onLine }) {
      if (overrides !== undefined) throw new RawcloudError('E_ENVIRONMENT', 'pip cannot leave out what other packages need');
      const python = path.join(venv, 'bin', 'python');
      const from = pipIndexes(await usable(index, io), io);
      const options = [...from.args, '--constraint', constraints];
      await io.run(python, ['-m', 'pip', 'install', ...options, '-r', file], { env: { ...env, ...from.env }, onLine });
    },
    installPath: (venv, place, { editable, onLine }) => install(venv, editable ? ['-e', place] : [place], { isHashed: false, onLine }),
  };
}

const NO_INDEX: PythonIndex = { extra: [], findLinks: [], noIndex: false, strategy: 'first' };

/** pip's own default. */
const PYPI = 'https://pypi.org/simple';

function pipEnvironment(io: BuildIo): Record<string, string> {
  return {
    PIP_CACHE_DIR: path.join(io.directory, 'pip-cache'),
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_NO_INPUT: '1',
    PIP_PROGRESS_BAR: 'off',
    PIP_ROOT_USER_ACTION: 'ignore',
    PIP_NO_COLOR: '1',
    // An index that is down shall be a failure, not a hang.
    PIP_DEFAULT_TIMEOUT: '20',
    PIP_RETRIES: '2',
  };
}

/** Directories of the developer's machine that are not on this one are left out: uv would stop, pip would go on. */
async function usable(index: PythonIndex | undefined, io: BuildIo): Promise<PythonIndex | undefined> {
  if (index === undefined) return undefined;
  const findLinks: string[] = [];
  for (const link of index.findLinks) {
    const there = !path.isAbsolute(link) || (await stat(link).catch(() => undefined));
    if (there) findLinks.push(link);
    else io.log(`${link} (find-links) is not on this VM: left out`);
  }
  return { ...index, findLinks };
}

/** How an installer is told where to look. */
interface Told {
  readonly args: readonly string[];
  /** Holds credentials, which no process argument may. */
  readonly env: Readonly<Record<string, string>>;
}

function pipIndexes(index: PythonIndex | undefined, io: BuildIo): Told {
  if (index === undefined) return { args: [], env: {} };
  const links = index.findLinks.flatMap((link) => ['--find-links', link]);
  const none = index.noIndex ? ['--no-index'] : [];
  if (!hasSecrets(index, io)) {
    const extra = index.extra.flatMap((url) => ['--extra-index-url', url]);
    return { args: [...(index.url === undefined ? [] : ['--index-url', index.url]), ...extra, ...links, ...none], env: {} };
  }
  const env = {
    ...(index.url === undefined ? {} : { PIP_INDEX_URL: opened(index.url, io) }),
    ...(index.extra.length === 0 ? {} : { PIP_EXTRA_INDEX_URL: index.extra.map((url) => opened(url, io)).join(' ') }),
  };
  return { args: [...links, ...none], env };
}

/** uv takes a package from the first index that has its name: build back ends still come from the others. */
function uvIndexes(index: PythonIndex | undefined, own: string | undefined, io: BuildIo): Told {
  if (index === undefined) return { args: [], env: {} };
  const all = { ...index, extra: [...(own === undefined ? [] : [own]), ...index.extra.filter((url) => url !== own)] };
  const links = index.findLinks.flatMap((link) => ['--find-links', link]);
  const none = index.noIndex ? ['--no-index'] : [];
  if (!hasSecrets(all, io)) {
    const extra = all.extra.flatMap((url) => ['--index', url]);
    return { args: [...(all.url === undefined ? [] : ['--default-index', all.url]), ...extra, ...links, ...none], env: {} };
  }
  const env = {
    ...(all.url === undefined ? {} : { UV_DEFAULT_INDEX: opened(all.url, io) }),
    ...(all.extra.length === 0 ? {} : { UV_INDEX: all.extra.map((url) => opened(url, io)).join(' ') }),
  };
  return { args: [...links, ...none], env };
}

function hasSecrets({ url, extra }: PythonIndex, { secrets }: BuildIo): boolean {
  return [url, ...extra].some((one) => one !== undefined && secrets[one] !== undefined);
}

function opened(url: string, { secrets }: BuildIo): string {
  return secrets[url] ?? url;
}
