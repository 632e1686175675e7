import { link, mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { unlessMissing } from '../../contract';
import type { BuildIo, NodeProject } from '../../contract';
import { isThere } from './programs';

/** Beside each package.json, and for yarn's Plug'n'Play beside the lockfile. */
const PLUG_N_PLAY = ['.pnp.cjs', '.pnp.loader.mjs', '.yarn/unplugged', '.yarn/cache', '.yarn/install-state.gz'];

/** What comes out of scripts in the developer's own packages depends on all their files, so that it is made again each time. */
export function isKept({ ownScripts }: NodeProject): boolean {
  return !ownScripts;
}

/** Where an install puts things, relative to the tree's root. */
function placesOf({ directory, packages }: NodeProject): string[] {
  return [...packages.map((at) => path.join(at, 'node_modules')), ...PLUG_N_PLAY.map((name) => path.join(directory, name))];
}

/** Its place in the layer's directory; what lies beside the tree lies deeper there. */
function copyOf(place: string, io: BuildIo): string {
  return path.join(io.directory, 'project', place.replaceAll('../', '.beside/'));
}

/** What was installed, once more in the layer's directory, as links to the same files: so it is kept for other VMs at no cost. */
export async function keepCopy(project: NodeProject, io: BuildIo): Promise<void> {
  for (const place of placesOf(project)) {
    const made = path.join(io.root, place);
    if (await isThere(made)) await copyLinked(made, copyOf(place, io));
  }
  await mkdir(copyOf('', io), { recursive: true });
}

/** What was restored, to where it belongs. */
export async function putInPlace(project: NodeProject, io: BuildIo): Promise<void> {
  for (const place of placesOf(project)) {
    const copy = copyOf(place, io);
    if (!(await isThere(copy))) continue;
    const target = path.join(io.root, place);
    await mkdir(path.dirname(target), { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(copy, target);
  }
}

async function copyLinked(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  const entries = await unlessMissing(readdir(from, { withFileTypes: true }), undefined);
  if (!entries) return link(from, to);
  await mkdir(to, { recursive: true });
  for (const entry of entries) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await copyLinked(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await link(source, target);
  }
}
