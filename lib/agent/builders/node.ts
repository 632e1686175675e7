import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { NodeRecipeSchema, RawcloudError, unlessMissing } from '../../contract';
import type { Builder, BuildIo, Built, NodeProject, NodeRecipe, Notice } from '../../contract';
import { isKept, keepCopy, putInPlace } from './node-copy';
import { watchFailure } from './node-failure';
import { installWith } from './node-managers';
import { withoutDevelopmentScripts } from './node-manifests';
import { chooseNode, prepareNode } from './node-program';
import { provideRegistries } from './node-registries';
import { prepareTools } from './node-tools';
import type { Tool } from './node-tools';
import { isThere, linkDirectory, unpack } from './programs';
import { readRecipe } from './recipe';

/**
 * Installs what the lockfile lists, with the manager that wrote it, in the tree itself: so packages lie where Node looks for them,
 * workspaces link to one another, and install scripts find the files they want. Puts `node` and the manager on PATH.
 */
export const nodeBuilder: Builder = {
  kind: 'node',
  async build(layer, io) {
    const recipe = readRecipe(NodeRecipeSchema, layer);
    await mkdir(io.directory, { recursive: true });
    const chosen = await chooseNode(recipe, io);
    const node = await prepareNode(chosen, io);
    const tools = await prepareTools(recipe.tools, node, io);
    const programs = Object.assign({}, ...tools.map((tool) => tool.programs)) as Record<string, string>;
    const bin = await linkDirectory(path.join(io.directory, 'bin'), { node, ...programs });
    await placeOutside(recipe.outside, io);
    if (recipe.project) await install(recipe.project, needTool(tools[0], recipe.project), node, bin, io);
    await showDownloads(io);
    const bins = recipe.project ? binsOf(recipe.project, io) : [];
    return { path: [bin, ...bins], env: {}, notices: versionNotices(recipe, chosen.version) } satisfies Built;
  },
};

function needTool(tool: Tool | undefined, { directory, manager }: NodeProject): Tool {
  if (tool?.name === manager) return tool;
  throw new RawcloudError(
    'E_ENVIRONMENT',
    `the VM has no ${manager} to install ${directory || '.'}/package.json with, and none was carried`,
    {
      remedy: `Install ${manager} from nodejs.org or a version manager here, so that it can be carried, or use an image that has it (--image).`,
    },
  );
}

/** Packages that the tree's packages link to, at the same place relative to it. */
async function placeOutside(outside: NodeRecipe['outside'], io: BuildIo): Promise<void> {
  for (const [place, sha256] of Object.entries(outside)) {
    const target = path.join(io.root, place);
    if (await isThere(target)) {
      throw new RawcloudError('E_ENVIRONMENT', `a package links to ${place}, and there is something else at ${target} on the VM`, {
        remedy: 'Rename its directory here, or move it into the synchronized tree.',
      });
    }
    await mkdir(path.dirname(target), { recursive: true });
    await unpack(sha256, path.dirname(target), io);
  }
}

/** In the tree; what is kept of it for other VMs lies in the layer's directory too. */
async function install(project: NodeProject, tool: Tool, node: string, bin: string, io: BuildIo): Promise<void> {
  const directory = path.join(io.root, project.directory);
  if (await bringsPackages(directory)) {
    io.log(`${path.join(project.directory, 'node_modules')} of the tree is left as it is, and used instead of what would be installed`);
    return;
  }
  await rm(path.join(directory, 'node_modules'), { recursive: true, force: true });
  if (io.restored) return putInPlace(project, io);
  const registries = await provideRegistries(project, io);
  const restore = project.dev ? undefined : await withoutDevelopmentScripts(project, io);
  const failure = watchFailure(project.manager);
  try {
    await installWith({ project, tool, node, bin, directory, env: registries.env, onLine: failure.onLine }, io);
  } catch (error) {
    io.signal.throwIfAborted();
    throw failure.explain(error);
  } finally {
    await restore?.();
    await registries.remove();
  }
  if (isKept(project)) await keepCopy(project, io);
}

/** A word of the command may have brought one file of node_modules along; a manager's record shows what was installed. */
async function bringsPackages(directory: string): Promise<boolean> {
  const names = await unlessMissing(readdir(path.join(directory, 'node_modules')), undefined);
  return (
    names !== undefined &&
    names.some((name) => ['.package-lock.json', '.modules.yaml', '.yarn-integrity', '.yarn-state.yml'].includes(name))
  );
}

/** Programs of workspaces come before those of the project, as package managers have it. */
function binsOf({ start, directory }: NodeProject, { root }: BuildIo): string[] {
  return [...new Set([start, directory])].map((at) => path.join(root, at, 'node_modules', '.bin'));
}

/** What install scripts fetched for later (browsers, engines) is where the job will look for it. */
async function showDownloads(io: BuildIo): Promise<void> {
  const kept = path.join(io.directory, 'home', '.cache');
  const home = io.env['HOME'];
  if (home === undefined) return;
  for (const name of await unlessMissing(readdir(kept), [])) {
    const place = path.join(home, '.cache', name);
    if (await isThere(place)) continue;
    await mkdir(path.dirname(place), { recursive: true });
    await symlink(path.join(kept, name), place);
  }
}

function versionNotices({ node }: NodeRecipe, version: string): Notice[] {
  if (node === undefined || major(node.version) === major(version)) return [];
  return [{ level: 'warning', text: `Node ${version} runs on the VM, ${node.version} on your machine` }];
}

function major(version: string): string {
  return version.split('.')[0]!;
}
