import * as v from 'valibot';

/*
 * Recipes of layers: what a capturer saw and the builder of the same kind makes again. They hold no secret,
 * and their layer's key is a hash of them, so they name nothing that differs between two runs of the same environment.
 */

/** Where Python packages come from besides, or instead of, the tools' default index. URLs without credentials. */
export const PythonIndexSchema = v.object({
  /** Instead of the default index. */
  url: v.optional(v.string()),
  /** In the order in which they were configured. */
  extra: v.array(v.string()),
  /** URLs, or absolute directories of the developer's machine, which a VM uses where it has them too. */
  findLinks: v.array(v.string()),
  /** Nothing but `findLinks`. */
  noIndex: v.boolean(),
  /** 'best' takes a version from whichever index has it, as pip does; 'first' from the first that knows the name, as uv does. */
  strategy: v.picklist(['best', 'first']),
});
export type PythonIndex = v.InferOutput<typeof PythonIndexSchema>;

/** Recipe of the layer kind `python`. */
export const PythonRecipeSchema = v.object({
  /** Minor version: `3.11`. */
  python: v.string(),
  /** Requirement lines, each exact (`name==version` or `name @ url`), sorted. Empty: nothing but an interpreter. */
  requirements: v.array(v.string()),
  index: v.optional(PythonIndexSchema),
  /** Where the virtual environment lies in the tree, relative to its root; absent when it lies elsewhere or there is none. */
  venv: v.optional(v.string()),
  /** The command calls uv itself. */
  uv: v.boolean(),
});
export type PythonRecipe = v.InferOutput<typeof PythonRecipeSchema>;

const Sha256 = v.string();

/** Recipe of the layer kind `node`. Hashes name the layer's sources. */
export const NodeRecipeSchema = v.object({
  /** Version of the developer's Node: `22.3.0`; absent when there is none on PATH. */
  node: v.optional(v.string()),
  /** Directory of package.json and lockfile, relative to the tree's root, '' for the root itself. Absent: nothing to install. */
  directory: v.optional(v.string()),
  /** By file name: package.json, package-lock.json or npm-shrinkwrap.json, .npmrc. */
  files: v.record(v.string(), Sha256),
  /** Whether development dependencies are installed too. */
  dev: v.boolean(),
  /** npm itself as a gzipped tar, for VMs without one; present when something is to be installed or the command calls npm. */
  npm: v.optional(v.object({ version: v.string(), archive: Sha256 })),
});
export type NodeRecipe = v.InferOutput<typeof NodeRecipeSchema>;
