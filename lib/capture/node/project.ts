import path from 'node:path';
import * as v from 'valibot';
import { RawcloudError } from '../../contract';
import type { NodeManager } from '../../contract';
import { isFile, upwards } from '../executables';
import { chooseLockfile, lockfileIn } from './choice';
import type { Choice } from './choice';
import { findLocalPackages } from './local-packages';
import type { LocalPackages, OwnPackage } from './local-packages';
import { RELOCK } from './lock';
import type { Lock } from './lock';
import { dependenciesOf, readManifest } from './manifest';
import type { Manifest } from './manifest';
import { checkMatches } from './matching';
import { expandWorkspaces } from './workspaces';
import { readSettings } from './yaml';

/** A directory with package.json and the lockfile that a manager made of it, with its workspaces. */
export interface Project extends LocalPackages {
  /** Absolute. */
  readonly directory: string;
  readonly manifest: Manifest;
  readonly lock: Lock;
  /** Directory of the nearest package.json above the working directory: the project's or a workspace's. Absolute. */
  readonly start: string;
  /** Directories of its workspaces, absolute. */
  readonly workspaces: ReadonlySet<string>;
  /** Of pnpm; pnpm-workspace.yaml where there is one. */
  readonly workspaceFile?: PnpmWorkspace;
  /** Why this lockfile, where there are several. */
  readonly remark?: string;
}

const Names = v.nullish(v.record(v.string(), v.string()), {});

const PnpmWorkspaceSchema = v.looseObject({
  packages: v.nullish(v.array(v.string()), []),
  overrides: Names,
  patchedDependencies: Names,
});
export type PnpmWorkspace = v.InferOutput<typeof PnpmWorkspaceSchema>;

export interface Where {
  readonly cwd: string;
  readonly root: string;
  /** Whether packages for development alone would count as something to install. */
  readonly dev: boolean;
  /** Manager that the command calls. */
  readonly called?: NodeManager;
  /** What is installed here counts for nothing. */
  readonly locked: boolean;
}

/**
 * The nearest project from `cwd` up to `root`; undefined when nothing there has dependencies.
 * @throws E_PACKAGE when the nearest one with dependencies has no lockfile, or one that was made of another package.json
 */
export async function findProject(where: Where): Promise<Project | undefined> {
  const below: { nearest?: string; asking?: string } = {};
  for (const directory of upwards(where.cwd, where.root)) {
    const manifest = await readManifest(directory);
    if (!manifest) continue;
    const choice = await chooseLockfile(directory, manifest, where);
    const project = choice && (await readProject(directory, manifest, choice, below));
    if (project) return project;
    below.nearest ??= directory;
    if (dependenciesOf(manifest, where.dev).size > 0) below.asking ??= directory;
  }
  if (below.asking !== undefined) throw await noLockfile(below.asking, where.root);
  return undefined;
}

/** Between the working directory and the project: the nearest package, and the nearest one with dependencies. */
interface Below {
  readonly nearest?: string;
  readonly asking?: string;
}

/** @returns undefined when a package below, with dependencies of its own, is no workspace of it */
async function readProject(directory: string, manifest: Manifest, choice: Choice, below: Below): Promise<Project | undefined> {
  const lock = await choice.read();
  const workspaceFile = lock.manager === 'pnpm' ? await readPnpmWorkspace(directory) : undefined;
  const globs = workspaceFile ? workspaceFile.packages : lock.manager === 'pnpm' ? [] : manifest.workspaces;
  const places = await expandWorkspaces(directory, globs);
  const isWorkspace = (at: string | undefined): boolean => at !== undefined && places.some((place) => path.join(directory, place) === at);
  if (below.asking !== undefined && !isWorkspace(below.asking)) return undefined;
  const workspaces: OwnPackage[] = [];
  for (const place of places)
    workspaces.push({ directory: path.join(directory, place), manifest: (await readManifest(path.join(directory, place)))! });
  const replaced = withOverrides(manifest, workspaceFile);
  const packages = [{ directory, manifest: replaced }, ...workspaces];
  await checkMatches(
    packages.map((found) => [path.relative(directory, found.directory), found.manifest!]),
    lock,
  );
  return {
    directory,
    manifest: replaced,
    lock,
    start: isWorkspace(below.nearest) ? below.nearest! : directory,
    workspaces: new Set(workspaces.map((found) => found.directory)),
    ...(await findLocalPackages(packages, directory)),
    ...(workspaceFile ? { workspaceFile } : {}),
    ...(choice.remark === undefined ? {} : { remark: choice.remark }),
  };
}

/** From version 10 on, pnpm keeps in pnpm-workspace.yaml what it read in package.json before. */
function withOverrides(manifest: Manifest, workspaceFile: PnpmWorkspace | undefined): Manifest {
  if (!workspaceFile) return manifest;
  return { ...manifest, pnpm: { ...manifest.pnpm, overrides: { ...manifest.pnpm.overrides, ...workspaceFile.overrides } } };
}

async function readPnpmWorkspace(directory: string): Promise<PnpmWorkspace | undefined> {
  const file = path.join(directory, 'pnpm-workspace.yaml');
  if (!(await isFile(file))) return undefined;
  return readSettings(file, PnpmWorkspaceSchema, { remedy: "Mend it; 'pnpm install' says what is wrong." });
}

async function noLockfile(directory: string, root: string): Promise<RawcloudError> {
  const managers = Object.entries(RELOCK).map(([manager, command]) => `${manager}: '${command}'`);
  const write = `Write one in ${directory} with the manager you use (${managers.join(', ')}).`;
  const above = await lockfileAbove(root);
  const start =
    above && `${above} lies above the synchronized tree: start the job in ${path.dirname(above)}, or make that a git repository.`;
  return new RawcloudError(
    'E_PACKAGE',
    `${directory}/package.json has dependencies, but no lockfile beside it or above says which versions`,
    {
      remedy: start ?? write,
    },
  );
}

async function lockfileAbove(root: string): Promise<string | undefined> {
  for (const directory of upwards(root, path.parse(root).root).slice(1)) {
    const found = await lockfileIn(directory);
    if (found !== undefined) return found;
  }
  return undefined;
}
