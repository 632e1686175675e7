import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { RawcloudError } from '../../contract';
import { isFile, upwards } from '../executables';
import { readLockfile } from './lockfile';
import type { Lockfile } from './lockfile';
import { checkMatches } from './matching';

const Names = v.optional(v.record(v.string(), v.string()), {});

/** package.json as far as it matters here; everything else in it travels as it is. */
const ManifestSchema = v.looseObject({
  dependencies: Names,
  optionalDependencies: Names,
  devDependencies: Names,
  scripts: Names,
});
export type Manifest = v.InferOutput<typeof ManifestSchema>;

/** A directory with package.json and the lockfile that npm made of it. */
export interface Project {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly lockfile: Lockfile;
}

/** Other package managers' lockfiles, by name. */
const FOREIGN_LOCKFILES: readonly (readonly [string, string])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
];

/** npm prefers the shrinkwrap. */
const LOCKFILES = ['npm-shrinkwrap.json', 'package-lock.json'];

/**
 * The nearest project from `cwd` up to `root`; undefined when nothing there has dependencies.
 * @throws E_PACKAGE when the nearest one with dependencies has no lockfile of npm, or one that was made of another package.json
 */
export async function findProject(where: { cwd: string; root: string; dev: boolean }): Promise<Project | undefined> {
  for (const directory of upwards(where.cwd, where.root)) {
    const lockfile = await nearestLockfile(directory);
    const manifest = await readManifest(directory);
    if (lockfile && manifest) {
      const project = { directory, manifest, lockfile: await readLockfile(lockfile) };
      checkMatches(manifest, project.lockfile);
      return project;
    }
    if (manifest && hasDependencies(manifest, where.dev)) throw await noLockfile(directory, where.root);
  }
  return undefined;
}

async function nearestLockfile(directory: string): Promise<string | undefined> {
  for (const name of LOCKFILES) if (await isFile(path.join(directory, name))) return path.join(directory, name);
  return undefined;
}

async function readManifest(directory: string): Promise<Manifest | undefined> {
  const file = path.join(directory, 'package.json');
  if (!(await isFile(file))) return undefined;
  try {
    return v.parse(ManifestSchema, JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new RawcloudError('E_PACKAGE', `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      remedy: "Mend it; 'npm ls' in its directory says what is wrong.",
      cause,
    });
  }
}

function hasDependencies(manifest: Manifest, dev: boolean): boolean {
  const groups = [manifest.dependencies, manifest.optionalDependencies, ...(dev ? [manifest.devDependencies] : [])];
  return groups.some((group) => Object.keys(group).length > 0);
}

async function noLockfile(directory: string, root: string): Promise<RawcloudError> {
  const foreign = await foreignLockfile(directory, root);
  const found = foreign ? `${foreign.name} of ${foreign.manager} was found, and ${foreign.manager} is coming` : 'none was found';
  return new RawcloudError(
    'E_PACKAGE',
    `${directory}/package.json has dependencies; package-lock.json is what this version carries, ${found}`,
    {
      remedy: `Run 'npm install --package-lock-only' in ${directory}, which writes one.`,
    },
  );
}

async function foreignLockfile(directory: string, root: string): Promise<{ name: string; manager: string } | undefined> {
  for (const at of upwards(directory, root)) {
    for (const [name, manager] of FOREIGN_LOCKFILES) if (await isFile(path.join(at, name))) return { name, manager };
  }
  return undefined;
}
