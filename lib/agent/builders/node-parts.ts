import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fsPath, NodeRecipeSchema, RawcloudError, unlessMissing } from '../../contract';
import type { BuiltPart, EnvironmentParts } from '../../contract';
import { isKept } from './node-copy';
import { chooseNode } from './node-program';
import { readRecipe } from './recipe';

/**
 * How Node packages are kept: one part for each directory of a `node_modules`. Managers build all of it or nothing, so none is
 * taken over by name; but what is the same as before is not sent again.
 */
export const nodeParts: EnvironmentParts = {
  async facts(layer, io) {
    const recipe = readRecipe(NodeRecipeSchema, layer);
    if (!recipe.project || !isKept(recipe.project)) return undefined;
    // Add-ons are built for a version of Node.
    return { node: (await chooseNode(recipe, io)).version };
  },
  wanted: () => [],
  isKept: (at) => /^(project|npm|pnpm|yarn|yarn-global)(\/|$)|^home($|\/\.cache(\/|$))/.test(at),
  split: (_layer, directory, paths) => splitModules(directory, paths),
  async check(_layer, io) {
    if (existsSync(path.join(io.directory, 'project'))) return;
    throw new RawcloudError('E_ENVIRONMENT', 'it has no packages');
  },
};

/** A package of npm, yarn and bun, with those that lie in it; one of pnpm's store. */
const PACKAGE = /^project\/(?:.*?\/)??node_modules\/(?:\.pnpm\/[^/]+|@[^/]+\/[^/]+|[^/.@][^/]*)/;

async function splitModules(directory: string, paths: readonly string[]): Promise<BuiltPart[]> {
  const packages = new Map<string, string[]>();
  for (const at of paths) {
    const [home] = PACKAGE.exec(at) ?? [];
    if (home === undefined) continue;
    const of = packages.get(home);
    if (of) of.push(at);
    else packages.set(home, [at]);
  }
  const parts: BuiltPart[] = [];
  for (const [home, of] of packages) {
    const version = await versionOf(directory, home);
    parts.push({ name: home.replace(/^.*?node_modules\//, ''), ...(version === undefined ? {} : { version }), ids: [], paths: of });
  }
  return parts;
}

async function versionOf(directory: string, home: string): Promise<string | undefined> {
  const text = await unlessMissing(readFile(fsPath(directory, `${home}/package.json`), 'utf8'), '{}');
  try {
    const manifest: unknown = JSON.parse(text);
    const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
    return typeof version === 'string' ? version : undefined;
  } catch {
    // A package whose manifest cannot be read is kept all the same.
    return undefined;
  }
}
