import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError } from '../../contract';
import type { CaptureContext, Notice } from '../../contract';
import { isFile, upwards } from '../executables';
import type { Need } from '../needs';
import { callsUv, findPython, refuseForeignRunners } from './environment';
import { askedIn, checkAsked, readRequirements, REQUIREMENTS, requirementsOf, WRITE_IT } from './requirements-file';

/** What a job gets whose packages come from a lockfile, whatever is installed on the machine that deploys it. */
export interface LockedPython {
  readonly minor: string;
  readonly requirements: readonly string[];
  /** Directory of the lockfile; absent when the job has none. */
  readonly directory?: string;
  readonly uv: boolean;
  readonly notices: readonly Notice[];
}

/** Lockfiles that this version does not read, and what declares packages without fixing them. */
const OTHERS = ['uv.lock', 'pylock.toml', 'poetry.lock', 'pdm.lock', 'Pipfile.lock', 'Pipfile', 'requirements.in', 'environment.yml'];

/**
 * The nearest requirements.txt from the working directory up to the root.
 * @returns undefined when the command may not need Python, and nothing there says that it does
 * @throws E_PACKAGE when packages are declared and not locked, or locked otherwise than declared
 */
export async function findLocked(need: Need, context: CaptureContext): Promise<LockedPython | undefined> {
  refuseForeignRunners(need);
  const directory = await lockedDirectory(context);
  if (directory === undefined && need.kind === 'possible') return undefined;
  const requirements = directory === undefined ? [] : await lockedIn(directory);
  const { minor, notices } = await minorOf(need, context);
  const found = directory === undefined ? { notices: [...notices, NO_PACKAGES] } : { directory, notices };
  return { minor, requirements, uv: callsUv(need), ...found };
}

const NO_PACKAGES: Notice = { level: 'info', text: `no ${REQUIREMENTS}: Python starts with its standard library only` };

async function lockedDirectory({ cwd, root }: CaptureContext): Promise<string | undefined> {
  for (const directory of upwards(cwd, root)) {
    if (await isFile(requirementsOf(directory))) return directory;
    const declared = await declaredIn(directory);
    if (declared !== undefined) throw notLocked(directory, declared);
  }
  return undefined;
}

async function declaredIn(directory: string): Promise<string | undefined> {
  for (const name of OTHERS) if (await isFile(path.join(directory, name))) return name;
  const pyproject = await pyprojectIn(directory);
  const asks = pyproject !== undefined && (askedIn(pyproject).length > 0 || /^\[tool\.poetry\.dependencies\]/m.test(pyproject));
  return asks ? 'pyproject.toml' : undefined;
}

function notLocked(directory: string, declared: string): RawcloudError {
  const what = `${path.join(directory, declared)} names packages, but there is no ${REQUIREMENTS} beside it`;
  return new RawcloudError('E_PACKAGE', `${what}, which is the lockfile that this version takes a deployed job's packages from`, {
    remedy: WRITE_IT,
  });
}

async function lockedIn(directory: string): Promise<string[]> {
  const file = requirementsOf(directory);
  const locked = await readRequirements(file);
  const pyproject = await pyprojectIn(directory);
  if (pyproject !== undefined) checkAsked(file, pyproject, locked);
  return locked.lines;
}

async function pyprojectIn(directory: string): Promise<string | undefined> {
  const file = path.join(directory, 'pyproject.toml');
  return (await isFile(file)) ? readFile(file, 'utf8') : undefined;
}

/** `.python-version`, as uv and pyenv write it, else the Python of this machine, and that is said. */
async function minorOf(need: Need, context: CaptureContext): Promise<{ minor: string; notices: Notice[] }> {
  for (const directory of upwards(context.cwd, context.root)) {
    const file = path.join(directory, '.python-version');
    if (!(await isFile(file))) continue;
    const minor = /^\s*(?:cpython-)?(3\.\d+)/.exec(await readFile(file, 'utf8'))?.[1];
    if (minor !== undefined) return { minor, notices: [] };
    throw new RawcloudError('E_PACKAGE', `${file} names no Python 3 that could be carried`, {
      remedy: 'Write a version into it, as 3.12.',
    });
  }
  const here = await findPython({ ...need, kind: 'named' }, context);
  if (!here) {
    throw new RawcloudError(
      'E_PACKAGE',
      'which Python the job shall have is not known: it has no .python-version, and there is no Python here',
      {
        remedy: 'Write the version into a file .python-version beside the command, as 3.12.',
      },
    );
  }
  const text = `Python ${here.minor}, as on this machine; a file .python-version with '${here.minor}' pins it`;
  return { minor: here.minor, notices: [{ level: 'info', text }] };
}
