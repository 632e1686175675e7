import { execFile } from 'node:child_process';
import { mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { House } from '../e2e/house';
import type { Ended } from '../e2e/house';

/** A developer with real package tools, and VMs without them. */
export interface Workshop {
  readonly house: House;
  /** For commands of the developer: the tools are on PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a tool in the project. @returns what it printed */
  readonly tool: (program: string, args: readonly string[], where?: Where) => Promise<string>;
  /** `rawcloud run …`, as the developer. @returns stdout @throws with all that it said, when it ends otherwise than with 0 */
  readonly run: (words: readonly string[], where?: Where) => Promise<string>;
  /** The same; how it ended is the caller's to judge. */
  readonly tryRun: (words: readonly string[], where?: Where) => Promise<Ended>;
  readonly close: () => Promise<void>;
}

interface Where {
  /** @default - the project */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** For a Python: names and versions of all that is installed, as `pip list` has them: what is editable has records in two places, and counts once. No braces: hatch has a use of its own for them. */
export const LIST = ['-c', 'import importlib.metadata as m; print(sorted(set((d.name, d.version) for d in m.distributions())))'];

/** Programs that a VM may have of the machine it runs on. */
const VM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface WorkshopOptions {
  /** On the developer's PATH. @default - those of Python */
  readonly tools?: string;
  /** Programs that the VMs have besides those of the machine, by name. @default - a Python */
  readonly vm?: Readonly<Record<string, string>>;
}

export async function openWorkshop({ tools = toolsOfPython(), vm = pythonOfVms() }: WorkshopOptions = {}): Promise<Workshop> {
  const before = process.env['PATH'];
  const own = path.join(process.env['TMPDIR']!, 'vm-bin');
  mkdirSync(own);
  for (const [name, target] of Object.entries(vm)) symlinkSync(target, path.join(own, name));
  // Machines of the local cloud have the PATH of this process.
  process.env['PATH'] = [own, VM_PATH].join(':');
  const house = await House.open();
  // Tools leave locks and the like there.
  const TMPDIR = path.join(house.directory, 'tmp');
  mkdirSync(TMPDIR);
  const env = { TMPDIR, PATH: `${tools}:${before ?? ''}`, XDG_CONFIG_HOME: path.join(house.directory, 'config'), ...SHARED_CACHES };
  const tryRun: Workshop['tryRun'] = (words, options = {}) =>
    house.rawcloud(['run', ...words], { ...options, env: { ...env, ...options.env } });
  return {
    house,
    env,
    tryRun,
    tool: async (program, args, options = {}) => {
      const all = { ...house.env, ...env, ...options.env };
      const { stdout } = await promisify(execFile)(program, args, { cwd: options.cwd ?? house.project, env: all });
      return stdout;
    },
    run: async (words, options) => {
      const { code, stdout, stderr } = await tryRun(words, options);
      if (code !== 0) throw new Error(`rawcloud run ${words.join(' ')} ended with ${code}:\n${stdout.toString()}${stderr}`);
      return stdout.toString();
    },
    close: async () => {
      await house.allGone();
      await house.close();
      rmSync(own, { recursive: true });
      process.env['PATH'] = before;
    },
  };
}

/** What the cases share, so that the registry is asked once for each file. */
const SHARED_CACHES = {
  UV_CACHE_DIR: path.join(cacheHome(), 'uv'),
  PIP_CACHE_DIR: path.join(cacheHome(), 'pip'),
  POETRY_CACHE_DIR: path.join(cacheHome(), 'poetry'),
  PDM_CACHE_DIR: path.join(cacheHome(), 'pdm'),
  PIPENV_CACHE_DIR: path.join(cacheHome(), 'pipenv'),
};

function cacheHome(): string {
  return path.join(path.dirname(path.dirname(path.dirname(pythonOfTools()))), 'caches');
}

function pythonOfTools(): string {
  const python = process.env['RAWCLOUD_PACKAGES_PYTHON'];
  if (python === undefined) throw new Error('these tests are started by npm run test:packages, which installs the tools');
  return python;
}

/** Directory of uv, poetry, pdm, pipenv, hatch and keyring. */
export function toolsOfPython(): string {
  return path.dirname(pythonOfTools());
}

/** A whole Python, with venv and pip. */
export function pythonOfVms(): Readonly<Record<string, string>> {
  return { python3: realpathSync(pythonOfTools()) };
}
