import path from 'node:path';
import { isValiError } from 'valibot';
import { RawcloudError } from '../../../contract';
import type { CaptureContext } from '../../../contract';
import { upwards } from '../../executables';
import { parseYaml } from '../../node/yaml';
import { readText } from '../../python/read-text';
import { readCondaLock } from './conda-lock';
import type { CondaLock } from './model';
import { readPixiLock } from './pixi-lock';

const CONDA_LOCK = 'conda-lock.yml';

/**
 * The lockfile of an environment: that of its project for one of pixi's, for others the nearest conda-lock.yml from the working
 * directory up to the root; undefined when there is none.
 * @throws E_PACKAGE when it cannot be read
 */
export async function findLock(prefix: string, { cwd, root }: CaptureContext): Promise<CondaLock | undefined> {
  const [, project, environment] = /^(.*)\/\.pixi\/envs\/([^/]+)$/.exec(prefix) ?? [];
  if (project !== undefined) return read(path.join(project, 'pixi.lock'), (content, file) => readPixiLock(content, file, environment!));
  for (const directory of upwards(cwd, root)) {
    const found = await read(path.join(directory, CONDA_LOCK), readCondaLock);
    if (found) return found;
  }
  return undefined;
}

async function read(file: string, readLock: (content: unknown, file: string) => CondaLock | undefined): Promise<CondaLock | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  try {
    return readLock(parseYaml(text), file);
  } catch (cause) {
    const why = isValiError(cause)
      ? `${cause.issues[0].path?.map(({ key }) => String(key)).join('.') ?? ''}: ${cause.message}`
      : String((cause as Error).message);
    throw new RawcloudError('E_PACKAGE', `${file} cannot be read: ${why.split('\n')[0]}`, {
      remedy: `Write it anew (${path.basename(file) === CONDA_LOCK ? 'conda-lock lock' : 'pixi lock'}); where it is of a newer version than rawcloud knows, update rawcloud. --packages installed looks at none.`,
      cause,
    });
  }
}
