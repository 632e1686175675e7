import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { canonicalName, CondaRecipeSchema, mapBounded, NodeRecipeSchema, PythonRecipeSchema, unlessMissing } from '../contract';
import type { Layer, LocalPackage, NodeProject, Place, PythonRecipe, SourceContent } from '../contract';

/** One package that a layer carries. */
export interface CarriedPackage {
  readonly kind: string;
  readonly name: string;
  /** '' where only its place is known. */
  readonly version: string;
  /** Where a VM gets it: an index, a URL, a path. */
  readonly from: string;
  /** What travels of it besides the tree; absent where nothing does. */
  readonly bytes?: number;
  /** What it takes on a disk here; absent where nothing says so. */
  readonly installedBytes?: number;
}

/** Each reads a file at most. */
const LAYERS_AT_ONCE = 4;

/** Where what layers name is: in the tree, or among what travels besides. */
export interface LayerSources {
  readonly root: string;
  readonly contents: readonly SourceContent[];
}

/**
 * The packages of all layers, each layer's in order of their names. Of Node those that a lockfile of npm lists: others are known to their
 * managers alone.
 */
export async function packagesOf(layers: readonly Layer[], sources: LayerSources): Promise<CarriedPackage[]> {
  const lists = await mapBounded(layers, LAYERS_AT_ONCE, (layer) => listOf(layer, sources));
  return lists.flatMap((packages) =>
    packages.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1)),
  );
}

async function listOf(layer: Layer, { root, contents }: LayerSources): Promise<CarriedPackage[]> {
  if (layer.kind === 'python') return pythonPackages(layer, contents);
  if (layer.kind === 'conda') return condaPackages(layer, contents);
  return layer.kind === 'node' ? nodePackages(layer, root) : [];
}

function condaPackages(layer: Layer, contents: readonly SourceContent[]): CarriedPackage[] {
  const { success, output: recipe } = v.safeParse(CondaRecipeSchema, layer.recipe);
  if (!success) return [];
  const own = recipe.packages.map(({ name, version, url }) => ({ kind: 'conda', name, version, from: hostOf(url) }));
  const solved = (recipe.solve?.wanted ?? []).map(({ name, version, channel }) => ({
    kind: 'conda',
    name,
    version,
    from: hostOf(channel),
  }));
  return [...own, ...solved, ...(recipe.pip ? distributionsOf(recipe.pip, contents) : [])];
}

function pythonPackages(layer: Layer, contents: readonly SourceContent[]): CarriedPackage[] {
  const { success, output: recipe } = v.safeParse(PythonRecipeSchema, layer.recipe);
  return success ? distributionsOf(recipe, contents) : [];
}

function distributionsOf(recipe: PythonRecipe, contents: readonly SourceContent[]): CarriedPackage[] {
  return [
    ...recipe.requirements.map((line) => fromRequirement(line, recipe)),
    ...(recipe.local ?? []).map((one) => fromLocal(one, contents)),
  ];
}

/** `name[extra]==version --hash=…`, or `name @ url`. */
function fromRequirement(line: string, { index, indexes = {} }: PythonRecipe): CarriedPackage {
  const [, name = line, pinned, url] = /^([\w.-]+)\S*?\s*(?:==\s*([^\s;]+)|@\s*(\S+))/.exec(line) ?? [];
  const own = indexes[canonicalName(name)];
  return { kind: 'python', name, version: pinned ?? '', from: url ?? (own === undefined ? indexName(index) : hostOf(own)) };
}

function indexName(index: PythonRecipe['index']): string {
  if (index?.noIndex) return index.findLinks.join(', ');
  const first = index?.url === undefined ? 'PyPI' : hostOf(index.url);
  return [first, ...(index?.extra ?? []).map(hostOf)].join(' or ');
}

function fromLocal(one: LocalPackage, contents: readonly SourceContent[]): CarriedPackage {
  const version = one.kind === 'path' ? '' : one.version;
  const { from, hash } = placeOf(one);
  const bytes = contents.find(({ sha256 }) => sha256 === hash)?.bytes.byteLength;
  return { kind: 'python', name: one.name, version, from, ...(bytes === undefined ? {} : { bytes }) };
}

function placeOf(one: LocalPackage): { from: string; hash?: string } {
  switch (one.kind) {
    case 'files':
      return { from: one.places[0] ? `${nameOf(one.places[0])}, in place` : 'its files as they are installed here', hash: one.archive };
    case 'file':
      return { from: one.file, hash: one.content };
    case 'source':
      return { from: `${nameOf(one.place)}, built on the VM${one.editable ? ' in place' : ''}`, ...hashOf(one.place) };
    case 'path':
      return { from: `${nameOf(one.place)}, on Python's path`, ...hashOf(one.place) };
  }
}

function nameOf(place: Place): string {
  if ('tree' in place) return place.tree === '' ? 'the tree' : place.tree;
  return 'source outside of the tree';
}

function hashOf(place: Place): { hash?: string } {
  return 'archive' in place ? { hash: place.archive } : {};
}

const LockSchema = v.object({
  packages: v.record(
    v.string(),
    v.object({
      name: v.optional(v.string()),
      version: v.optional(v.string()),
      resolved: v.optional(v.string()),
      dev: v.optional(v.boolean()),
    }),
  ),
});

async function nodePackages(layer: Layer, root: string): Promise<CarriedPackage[]> {
  const { success, output: recipe } = v.safeParse(NodeRecipeSchema, layer.recipe);
  if (!success || recipe.project?.manager !== 'npm') return [];
  const { project } = recipe;
  const lock = await npmLockOf(project, root);
  const listed = Object.entries(lock?.packages ?? {}).filter(([at, { dev }]) => at !== '' && (project.dev || dev !== true));
  // The same version may lie at many places of node_modules.
  const byName = new Map(
    listed.map(([at, entry]) => {
      const name = entry.name ?? at.slice(at.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const version = entry.version ?? '';
      const from = entry.resolved === undefined ? "npm's registry" : hostOf(entry.resolved);
      return [`${name}@${version}`, { kind: 'node', name, version, from }] as const;
    }),
  );
  return [...byName.values()];
}

/** As npm itself looks for it. */
async function npmLockOf({ directory }: NodeProject, root: string): Promise<v.InferOutput<typeof LockSchema> | undefined> {
  for (const name of ['npm-shrinkwrap.json', 'package-lock.json']) {
    const text = await unlessMissing(readFile(path.join(root, directory, name), 'utf8'), undefined);
    if (text === undefined) continue;
    const parsed = v.safeParse(LockSchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  }
  return undefined;
}

/** Without credentials, path and query. */
function hostOf(url: string): string {
  return URL.canParse(url) && new URL(url).host !== '' ? new URL(url).host : url;
}
