import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { canonicalName, RawcloudError, unlessMissing } from '../../contract';
import type { CaptureContext } from '../../contract';
import { isFile, upwards } from '../executables';
import { parseToml } from '../toml';
import { readPyproject } from './lock/asked';
import { readText } from './read-text';

/*
 * The environments that poetry, pdm, pipenv and hatch keep for a project, found by their rules for names; the tools themselves are
 * not asked. Each hashes the project's path into a name: SHA-256 as URL-safe base64, of which the first eight characters count.
 */

type Where = Pick<CaptureContext, 'env' | 'cwd' | 'root'>;

export const RUNNERS = ['poetry', 'pdm', 'pipenv', 'hatch'] as const;
export type Runner = (typeof RUNNERS)[number];

const PROJECT_FILES: Readonly<Record<Runner, string>> = {
  poetry: 'pyproject.toml',
  pdm: 'pyproject.toml',
  hatch: 'pyproject.toml',
  pipenv: 'Pipfile',
};

/**
 * The virtual environment in which `TOOL run` starts a program.
 * @throws E_PACKAGE when there is none: the tool would make one, and the VM cannot
 */
export async function environmentOf(runner: Runner, where: Where): Promise<string> {
  const project = await projectOf(runner, where);
  // An active environment counts for all of them but hatch.
  const active = where.env['VIRTUAL_ENV'];
  const places = [
    ...(active && runner !== 'hatch' ? [path.resolve(where.cwd, active)] : []),
    ...(project === undefined ? [] : await placesOf(runner, project, where)),
  ];
  for (const place of places) if (await isFile(path.join(place, 'pyvenv.cfg'))) return place;
  const install: Readonly<Record<Runner, string>> = {
    poetry: 'poetry install',
    pdm: 'pdm install',
    pipenv: 'pipenv sync',
    hatch: 'hatch env create',
  };
  const looked = places.length === 0 ? `no ${PROJECT_FILES[runner]} was found` : `looked at ${places.join(', ')}`;
  throw new RawcloudError('E_PACKAGE', `${runner} has no environment of this project here: ${looked}`, {
    remedy: `Make it with '${install[runner]}', or activate the environment that you mean.`,
  });
}

async function projectOf(runner: Runner, { cwd, root }: Where): Promise<string | undefined> {
  for (const directory of upwards(cwd, root)) if (await isFile(path.join(directory, PROJECT_FILES[runner]))) return directory;
  return undefined;
}

async function placesOf(runner: Runner, project: string, { env }: Where): Promise<string[]> {
  const home = env['HOME'] ?? '/';
  const own = path.join(project, '.venv');
  const data = env['XDG_DATA_HOME'] ?? path.join(home, '.local', 'share');
  switch (runner) {
    case 'poetry': {
      const cache = env['POETRY_CACHE_DIR'] ?? path.join(env['XDG_CACHE_HOME'] ?? path.join(home, '.cache'), 'pypoetry');
      const directories = [
        env['POETRY_VIRTUALENVS_PATH'] ?? path.join(cache, 'virtualenvs'),
        path.join(home, 'Library', 'Caches', 'pypoetry', 'virtualenvs'),
      ];
      const name = (await nameOf(project))
        ?.toLowerCase()
        .replace(/[ $`!*@"\\\r\n\t]/g, '_')
        .slice(0, 42);
      return [own, ...(await newest(directories, `${name}-${hashOf(project)}-py3`))];
    }
    case 'pdm': {
      const python = (await readText(path.join(project, '.pdm-python')))?.trim();
      return [...(python ? [path.dirname(path.dirname(python))] : []), own];
    }
    case 'pipenv': {
      const named = (await isFile(own)) ? (await readText(own))?.trim() : undefined;
      const directory = env['WORKON_HOME'] ?? path.join(data, 'virtualenvs');
      const name = path
        .basename(project)
        .replace(/[ &$`!*@"()[\]\\\r\n\t]/g, '_')
        .slice(0, 42);
      const hashed = path.join(directory, `${name}-${hashOf(path.join(project, 'Pipfile'))}`);
      return [...(named ? [path.resolve(named.includes('/') ? project : directory, named)] : []), own, hashed];
    }
    case 'hatch': {
      const directories = [env['HATCH_DATA_DIR'] ?? path.join(data, 'hatch'), path.join(home, 'Library', 'Application Support', 'hatch')];
      const name = canonicalName((await nameOf(project)) ?? '');
      return directories.map((directory) => path.join(directory, 'env', 'virtual', name, hashOf(project), name));
    }
  }
}

function hashOf(place: string): string {
  return createHash('sha256').update(place).digest('base64url').slice(0, 8);
}

async function nameOf(project: string): Promise<string | undefined> {
  const text = await readText(path.join(project, 'pyproject.toml'));
  return text === undefined ? undefined : readPyproject(await parseToml(text)).name;
}

/** Of one project for several versions of Python the one that was touched last. */
async function newest(directories: readonly string[], prefix: string): Promise<string[]> {
  const found: { place: string; at: number }[] = [];
  for (const directory of directories) {
    for (const name of await unlessMissing(readdir(directory), [])) {
      if (!name.startsWith(prefix)) continue;
      const place = path.join(directory, name);
      found.push({ place, at: (await stat(place)).mtimeMs });
    }
  }
  return found.sort((a, b) => b.at - a.at).map(({ place }) => place);
}
