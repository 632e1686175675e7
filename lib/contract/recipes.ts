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

const Sha256 = v.string();

/** Where a directory of the developer's machine lies on the VM. */
export const PlaceSchema = v.union([
  /** In the synchronized tree, relative to its root, '' for the root itself. */
  v.object({ tree: v.string() }),
  /** It travels as a gzipped tar of its own, a source of the layer; `path`: below that. */
  v.object({ archive: Sha256, path: v.string() }),
]);
export type Place = v.InferOutput<typeof PlaceSchema>;

const Named = { name: v.string(), version: v.string() };

/** A Python package that no index gives. */
export const LocalPackageSchema = v.variant('kind', [
  /**
   * Its files as they are installed here: pure Python, or the few files of an editable install that point at its source.
   * A gzipped tar of `site/…` (relative to site-packages), `data/…` (to the environment) and `scripts/…`. In the files
   * listed in `rewritten` stands `{{rawcloud:N}}` for the Nth of `places`.
   */
  v.object({
    kind: v.literal('files'),
    ...Named,
    archive: Sha256,
    places: v.array(PlaceSchema),
    rewritten: v.array(v.string()),
  }),
  /** A wheel, or an archive of source to be built on the VM. */
  v.object({ kind: v.literal('file'), ...Named, file: v.string(), content: Sha256, needs: v.optional(v.picklist(['c', 'rust'])) }),
  /** A directory to be built on the VM. `content`: a hash of its files. */
  v.object({
    kind: v.literal('source'),
    ...Named,
    place: PlaceSchema,
    editable: v.boolean(),
    needs: v.picklist(['c', 'rust']),
    content: Sha256,
  }),
  /** A directory that was put on Python's path by hand. */
  v.object({ kind: v.literal('path'), name: v.string(), place: PlaceSchema }),
]);
export type LocalPackage = v.InferOutput<typeof LocalPackageSchema>;

/** What a VM may decide about Python packages by itself. Absent: nothing, `requirements` are installed as they stand. */
export const PythonLeewaySchema = v.object({
  /** Canonical names in `requirements` for which another version of the same minor release will do where theirs cannot be had. */
  yielding: v.array(v.string()),
  /** Requirement lines to be solved, with what they need; `requirements` bind them. */
  solve: v.array(v.string()),
  /** What the packages need on this platform besides is solved too. */
  completes: v.boolean(),
  /** Canonical names of those that are not to come by that. */
  without: v.array(v.string()),
});
export type PythonLeeway = v.InferOutput<typeof PythonLeewaySchema>;

/** Recipe of the layer kind `python`. */
export const PythonRecipeSchema = v.object({
  /** Minor version: `3.11`. */
  python: v.string(),
  /**
   * Requirement lines, each exact (`name==version` or `name @ url`), sorted; with `--hash=…` where a lockfile has them.
   * Neither these nor local ones: nothing but an interpreter.
   */
  requirements: v.array(v.string()),
  /** Index of a package that comes from one of its own, by canonical name. URLs without credentials. @default - those of `index` */
  indexes: v.optional(v.record(v.string(), v.string())),
  /** Where the credentials of an index were found, by its URL: `netrc`. The builder has them as secrets of that URL. @default - none */
  credentials: v.optional(v.record(v.string(), v.string())),
  leeway: v.optional(PythonLeewaySchema),
  /** What comes from no index, in order of names. @default - nothing */
  local: v.optional(v.array(LocalPackageSchema)),
  index: v.optional(PythonIndexSchema),
  /** Where the virtual environment lies in the tree, relative to its root; absent when it lies elsewhere or there is none. */
  venv: v.optional(v.string()),
  /** The command calls uv itself. */
  uv: v.boolean(),
  /** Tools of which the command calls `run`, which stands in for on the VM: `poetry`. @default - none */
  runners: v.optional(v.array(v.string())),
});
export type PythonRecipe = v.InferOutput<typeof PythonRecipeSchema>;

/** One package of a conda environment: exactly this archive. */
export const CondaPackageSchema = v.object({
  ...Named,
  build: v.string(),
  /** Without credentials: those are secrets of the layer: {@link CONDA_SECRETS}. */
  url: v.string(),
  sha256: v.optional(Sha256),
  /** Where the channel gives no SHA-256. */
  md5: v.optional(v.string()),
  /** The archive is a source of the layer: it lies on the developer's machine only. */
  content: v.optional(Sha256),
});
export type CondaPackage = v.InferOutput<typeof CondaPackageSchema>;

/** A package that a VM looks for: as it is here, or as near as `level` lets it. */
const CondaWantedSchema = v.object({
  ...Named,
  build: v.string(),
  /** That it comes from, without credentials. */
  channel: v.string(),
  /** 'exact': this build; 'compatible': this version; 'loose': its major release. */
  level: v.picklist(['exact', 'compatible', 'loose']),
  /** 'asked': somebody named it; 'alone': nobody needs it, so it comes where there is one; 'needed': it comes where others need it. */
  role: v.picklist(['asked', 'alone', 'needed']),
});
export type CondaWanted = v.InferOutput<typeof CondaWantedSchema>;

/** What of a conda environment a VM solves. */
export const CondaSolveSchema = v.object({
  /** What it was made for: `osx-arm64`. */
  made: v.string(),
  /** Without credentials; the first that has a package gives it. */
  channels: v.array(v.string()),
  wanted: v.array(CondaWantedSchema),
  /** Besides, by channel. */
  add: v.array(v.object({ channel: v.string(), name: v.string(), versions: v.string() })),
  /** What `packages` need, which no channel has: `zlib >=1.2`. */
  needs: v.array(v.string()),
  /** Names that are not to be there, whoever needs them. */
  without: v.array(v.string()),
  /** What the solver itself is fetched from. */
  index: v.optional(PythonIndexSchema),
});
export type CondaSolve = v.InferOutput<typeof CondaSolveSchema>;

/** Programs that run another in a conda environment: `conda run …`. */
export const CONDA_RUNNERS = ['conda', 'mamba', 'micromamba', 'pixi'] as const;

/** Recipe of the layer kind `conda`. */
export const CondaRecipeSchema = v.object({
  /** As activation tells it. */
  name: v.string(),
  /** conda's name of the VM's platform: `linux-64`. */
  subdir: v.string(),
  /** What each needs comes before it; beside `solve` those alone that no channel has. */
  packages: v.array(CondaPackageSchema),
  /** @default - `packages` are all */
  solve: v.optional(CondaSolveSchema),
  /** Where the credentials of a channel were found that its packages' URLs do not tell, by its origin. @default - none */
  credentials: v.optional(v.record(v.string(), v.string())),
  /** What pip or uv has put into the environment; installed after `packages`, in their Python. @default - nothing */
  pip: v.optional(PythonRecipeSchema),
  /** Post-link scripts are run, as conda and mamba do; pixi does not. */
  postLink: v.boolean(),
  /** Where it lies in the tree, relative to its root; absent when it lies elsewhere. */
  place: v.optional(v.string()),
  /** The command says `<runner> run …`. */
  runners: v.array(v.picklist(CONDA_RUNNERS)),
  /** Tasks of pixi that the command names: what they run, and where in the tree. */
  tasks: v.record(v.string(), v.object({ command: v.string(), directory: v.string() })),
});
export type CondaRecipe = v.InferOutput<typeof CondaRecipeSchema>;

/** Names of a conda layer's secrets. What follows is the URL under which it counts, or nothing. */
export const CONDA_SECRETS = {
  /** Stands in URLs as `/t/<token>/`. */
  token: 'token ',
  /** `https://<user>:<password>@<host>`. */
  login: 'login ',
  /** Stands in a header, as prefix.dev takes it. */
  bearer: 'bearer ',
  /** JSON: variables that activation sets and people have chosen. */
  variables: 'variables',
} as const;

/** Package managers of Node. `yarn` is both of them: classic is version 1. */
export const NODE_MANAGERS = ['npm', 'pnpm', 'yarn', 'bun'] as const;
export type NodeManager = (typeof NODE_MANAGERS)[number];

/** A package manager that travels: it is unpacked on VMs that lack this version of it. */
const NodeToolSchema = v.object({
  name: v.picklist(NODE_MANAGERS),
  version: v.string(),
  /** Gzipped tars with one directory at their top, unpacked over one another. None: it is the VM's own, or the script. */
  archives: v.array(Sha256),
  /** Script of the tree that is the manager, relative to the root: what yarnPath names. */
  script: v.optional(v.string()),
});
export type NodeTool = v.InferOutput<typeof NodeToolSchema>;

/** What one manager installs. Directories are relative to the tree's root, '' is the root itself, `../x` lies beside it. */
const NodeProjectSchema = v.object({
  /** Of package.json and lockfile. */
  directory: v.string(),
  manager: v.picklist(NODE_MANAGERS),
  /** Version of the manager. */
  version: v.string(),
  /** Of the package that the command starts in; as `directory` where there are no workspaces. */
  start: v.string(),
  /** Directories of the packages that are the developer's own: the project, its workspaces, what they link to. */
  packages: v.array(v.string()),
  /** Hashes of what an install reads in the tree, by path: they make the layer's key. */
  inputs: v.record(v.string(), Sha256),
  /** Whether development dependencies are installed too. */
  dev: v.boolean(),
  /** Own packages have install scripts: what comes out depends on the files of the tree too. */
  ownScripts: v.boolean(),
  /** Settings of the developer's own configuration, for one of npm's kind: registry, scopes, ignore-scripts … */
  settings: v.record(v.string(), v.string()),
});
export type NodeProject = v.InferOutput<typeof NodeProjectSchema>;

/** Recipe of the layer kind `node`. Hashes of archives name the layer's sources. */
export const NodeRecipeSchema = v.object({
  /** The Node that the job shall have; absent when any will do. `archive`: a gzipped tar with `bin/node`, for VMs with another one. */
  node: v.optional(v.object({ version: v.string(), archive: v.optional(Sha256) })),
  /** Managers for PATH, the project's first. */
  tools: v.array(NodeToolSchema),
  /** Absent: nothing to install. */
  project: v.optional(NodeProjectSchema),
  /** Packages outside the tree, by their place relative to its root (`../lib`): gzipped tars. */
  outside: v.record(v.string(), Sha256),
});
export type NodeRecipe = v.InferOutput<typeof NodeRecipeSchema>;
