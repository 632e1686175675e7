import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { canonicalName, RawcloudError } from '../../../contract';
import { isFile } from '../../executables';
import { parseToml } from '../../toml';
import { readText } from '../read-text';
import { hasHashes, readRequirements, REQUIREMENTS } from '../requirements-file';
import { readPipfile, readPyproject } from './asked';
import type { Project } from './asked';
import { markerEnvironment } from './marker';
import type { MarkerEnvironment } from './marker';
import { readPdmLock } from './pdm-lock';
import { readPipfileLock } from './pipfile-lock';
import { readPoetryLock } from './poetry-lock';
import { readPylock } from './pylock';
import { readRequirementsLock } from './requirements-lock';
import { selectPackages } from './select';
import { readUvLock } from './uv-lock';
import type { Lock, LockedPackage } from './model';
import type { Target } from './hashes';

/** Lockfiles that are read, in the order in which they are asked, and how their tools write them anew. */
export const LOCKFILES: Readonly<Record<string, string>> = {
  'uv.lock': 'uv lock',
  'poetry.lock': 'poetry lock',
  'pdm.lock': 'pdm lock',
  'Pipfile.lock': 'pipenv lock',
  'pylock.toml': 'uv export --format pylock.toml -o pylock.toml',
  [REQUIREMENTS]: `uv pip compile --generate-hashes -o ${REQUIREMENTS}`,
};

/** A lockfile, for one machine. */
export interface Lockfile {
  readonly file: string;
  /** All that it knows. */
  readonly lock: Lock;
  /** What it asks for on the machine. */
  readonly selected: readonly LockedPackage[];
  /** The project whose lockfile it is, as far as it says what it asks for. */
  readonly project: Project;
}

/** Lockfiles of a directory by name, in the order in which they count. */
export async function lockfilesIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of Object.keys(LOCKFILES)) {
    const file = path.join(directory, name);
    if ((await isFile(file)) && (name !== REQUIREMENTS || (await hasHashes(file)))) found.push(file);
  }
  return found;
}

/**
 * Reads a lockfile, and chooses what it asks for on a machine.
 * @param from where the job starts: which member of a workspace it is about
 * @throws E_PACKAGE when it cannot be read
 */
export async function readLockfile(file: string, target: Target, from = path.dirname(file)): Promise<Lockfile> {
  try {
    const project = await projectOf(file, from);
    const { lock, environment } = await readLock(file, project, markerEnvironment(target.platform, target.minor));
    return { file, lock, project, selected: selectPackages(lock, environment) };
  } catch (cause) {
    if (!(cause instanceof SyntaxError || v.isValiError(cause))) throw cause;
    const [why] = cause.message.split('\n');
    throw new RawcloudError('E_PACKAGE', `${file} cannot be read: ${why}`, {
      remedy: `Write it anew: ${LOCKFILES[path.basename(file)]}. Where it is of a newer version than rawcloud knows, update rawcloud.`,
      cause,
    });
  }
}

async function readLock(
  file: string,
  project: Project,
  environment: MarkerEnvironment,
): Promise<{ lock: Lock; environment: MarkerEnvironment }> {
  const name = path.basename(file);
  if (name === REQUIREMENTS) return { lock: readRequirementsLock(await readRequirements(file)), environment };
  const text = await readFile(file, 'utf8');
  const content: unknown = name === 'Pipfile.lock' ? JSON.parse(text) : await parseToml(text);
  switch (name) {
    case 'uv.lock':
      return { lock: readUvLock(content, project.name), environment };
    case 'poetry.lock':
      return { lock: readPoetryLock(content, project.asked), environment };
    case 'pdm.lock':
      return { lock: readPdmLock(content, project.asked), environment };
    case 'Pipfile.lock':
      return { lock: readPipfileLock(content), environment };
    default: {
      const lock = readPylock(content);
      return { lock, environment: { ...environment, groups: new Set(lock.groups) } };
    }
  }
}

/** Of a workspace the member in which the job starts. */
async function projectOf(file: string, from: string): Promise<Project> {
  const directory = path.dirname(file);
  if (path.basename(file) === 'Pipfile.lock') {
    const pipfile = await readText(path.join(directory, 'Pipfile'));
    return pipfile === undefined ? { asked: [] } : readPipfile(await parseToml(pipfile));
  }
  for (let at = from; ; at = path.dirname(at)) {
    const pyproject = await readText(path.join(at, 'pyproject.toml'));
    if (pyproject !== undefined) return readPyproject(await parseToml(pyproject));
    if (at === directory || at === path.dirname(at)) return { asked: [] };
  }
}

/** Whether two packages bear one name. */
export function isNamed(found: { readonly name: string }, name: string): boolean {
  return canonicalName(found.name) === canonicalName(name);
}
