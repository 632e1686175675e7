import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fsPath, NodeRecipeSchema, RawcloudError, unlessMissing } from '../../contract';
import type { BuiltPart, EnvironmentParts } from '../../contract';
import { answerOf, findProgram } from './programs';
import { readRecipe } from './recipe';

const MODULES = 'project/node_modules/';

/**
 * How Node packages are kept: one part for each directory of `node_modules`. npm builds all of it or nothing, so none is taken
 * over by name; but what is the same as before is not sent again.
 */
export const nodeParts: EnvironmentParts = {
  async facts(layer, io) {
    if (readRecipe(NodeRecipeSchema, layer).directory === undefined) return undefined;
    const there = findProgram('node', io);
    // Add-ons are built for a version of Node.
    return { node: (there && (await answerOf(there, ['--version'], io))) ?? process.version };
  },
  wanted: () => [],
  isKept: (at) => /^(project|npm)(\/|$)/.test(at),
  split: (_layer, directory, paths) => splitModules(directory, paths),
  async check(_layer, io) {
    if (existsSync(path.join(io.directory, MODULES))) return;
    throw new RawcloudError('E_ENVIRONMENT', 'it has no node_modules');
  },
};

/** A package of npm and yarn, with those that lie in it; one of pnpm's store. */
const PACKAGE = /^project\/node_modules\/(?:\.pnpm\/[^/]+|@[^/]+\/[^/]+|[^/.@][^/]*)/;

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
    parts.push({ name: home.slice(MODULES.length), ...(version === undefined ? {} : { version }), ids: [], paths: of });
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
