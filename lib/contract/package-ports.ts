import type { PackageChoices } from './package-choices';
import type { Layer, Notice } from './spec';

/** What a capturer found and would carry. */
export interface Found {
  readonly kind: string;
  /** For people: `Python 3.11 (.venv)`. */
  readonly title: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface CaptureContext {
  /** Root of the synchronized tree, absolute. */
  readonly root: string;
  /** Working directory, absolute, inside root. */
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `linux-x86_64`, `linux-arm64`, `darwin-arm64`: where the job will run. */
  readonly platform: string;
  /** Packages come from lockfiles in the tree alone, whatever is installed here: for what is deployed. @default false */
  readonly locked?: boolean;
  /**
   * 'lock': the packages of the project's lockfile; 'installed': those that are installed, whatever a lockfile says.
   * @default - what is installed, with the hashes of a lockfile that says the same
   */
  readonly packages?: 'lock' | 'installed';
  /** Development dependencies travel too, whatever the command names. @default - when it names one */
  readonly dev?: boolean;
  /** Version of the Node that VMs have for certain: the agent's. */
  readonly vmNode: string;
  /** Where what can be made again is kept. */
  readonly cacheDir: string;
  /** This machine, as `darwin-arm64`: what an environment without compiled packages was made for. @default - as `platform` */
  readonly here?: string;
  /** What of the packages of Python and conda travels, and how exactly. @default - all */
  readonly packageChoices?: PackageChoices;
  /** Canonical names of packages that another layer of the command has: choices may be about those. @default - there is one layer to choose from */
  readonly otherNames?: ReadonlySet<string>;
  /** Ends what was begun, programs that were started included; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Content that a layer names in `sources`, to be stored under its hash. */
export interface SourceContent {
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** Reads one kind of package environment off the developer's machine: file system and local commands only, no SDK, no CDK. */
export interface Capturer {
  readonly kind: string;
  /** Empty when the command needs none of this kind. */
  detect(context: CaptureContext): Promise<Found[]>;
  /** @throws E_PACKAGE naming the package that cannot be carried and why */
  capture(found: Found, context: CaptureContext): Promise<CapturedLayer>;
}

export interface CapturedLayer {
  readonly layer: Layer;
  readonly contents: readonly SourceContent[];
  /** Paths relative to the root which travel with the tree though git may ignore them. @default - none */
  readonly include?: readonly string[];
  /** What the builder of the layer needs and nobody may see, by a name of its own: travels sealed. @default - nothing */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Looks how large its packages are here; reads many files, and is asked once. @default - that is not known */
  readonly measure?: () => Promise<MeasuredPackages>;
}

/** What installed packages take on a disk, as far as their records say. */
export interface MeasuredPackages {
  /** Bytes, by canonical name. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly notices: readonly Notice[];
}

/** What a builder may use on the VM. */
export interface BuildIo {
  /** Absolute path of the synchronized tree on the VM. */
  readonly root: string;
  /** Absolute path of a directory that outlives the build: the layer's own. */
  readonly directory: string;
  /** Environment for child processes; HOME and TMPDIR are on disk. */
  readonly env: Readonly<Record<string, string>>;
  /** The node executable that the agent itself runs on. */
  readonly node: string;
  readonly signal: AbortSignal;
  /**
   * Set when {@link directory} already holds what an earlier VM built of this layer, or of one much like it: `missing` are
   * those of {@link EnvironmentParts.wanted} that are not there. Only they are to be installed; links out of the directory are
   * to be made in any case. @default - the directory is empty
   */
  readonly restored?: { readonly missing: readonly string[] };
  /** What the layer's capturer gave it, sealed. None of it is shown in the environment log, or handed to `onLine`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Variables that the command will have: a setup has them too. Secret ones are among them, and hidden in the log. */
  readonly variables: Readonly<Record<string, string>>;
  /** `isOwn`: its files are those of no other machine; a VM of the local cloud may be a process on the developer's. */
  readonly machine: { readonly isRoot: boolean; readonly isOwn: boolean; readonly user: string };
  /** Content of one of the layer's sources, verified. */
  source(sha256: string): Promise<Uint8Array>;
  /** A line of the environment log. */
  log(line: string): void;
  /**
   * Runs a command, its output to the environment log; rejects with E_ENVIRONMENT when it fails.
   * `env` is added to {@link env}; `onLine` also gets each line of stdout and stderr, so that a builder can say what failed. It is over
   * when the command has exited, whatever it leaves running. Errors have the exit code as `data.exitCode`, or `data.timedOut`.
   */
  run(
    command: string,
    args: readonly string[],
    options?: { cwd?: string; env?: Readonly<Record<string, string>>; onLine?: (line: string) => void; timeoutMs?: number },
  ): Promise<void>;
}

/** How the job sees what was built: directories put before PATH, and variables. */
export interface Built {
  readonly path: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly notices: readonly Notice[];
}

/** Makes on the VM what the capturer of the same kind saw. */
export interface Builder {
  readonly kind: string;
  /** @throws E_ENVIRONMENT */
  build(layer: Layer, io: BuildIo): Promise<Built>;
  /** How what it builds is kept for other VMs. @default - it is built anew on each */
  readonly parts?: () => Promise<EnvironmentParts>;
}

/** One part of what was built: what other environments may take over. */
export interface BuiltPart {
  /** For people. */
  readonly name: string;
  /** Present for what counts as a package. */
  readonly version?: string;
  /** Those of {@link EnvironmentParts.wanted} that it answers; none: only the very same layer may take it over. */
  readonly ids: readonly string[];
  /** Those of the paths that were given that belong to it. */
  readonly paths: readonly string[];
}

/** What the cache asks of a builder; it knows nothing else of what is built. */
export interface EnvironmentParts {
  /**
   * What decides besides recipe and platform: the interpreter that this VM has. Goes into the key of the environment.
   * @returns undefined when there is nothing worth keeping
   */
  facts(layer: Layer, io: BuildIo): Promise<Readonly<Record<string, string>> | undefined>;
  /** What the recipe asks for, each by itself. */
  wanted(layer: Layer): readonly string[];
  /** Whether a part is needed to build only, and not by the job. @default - none is */
  isForBuilding?(layer: Layer, part: { readonly ids: readonly string[] }): boolean;
  /** Whether a path below the layer's directory is kept; those below one that is not are not asked for. */
  isKept(path: string): boolean;
  /** Whose path is whose. What is left over is one more part, for the very same layer. */
  split(layer: Layer, directory: string, paths: readonly string[]): Promise<readonly BuiltPart[]>;
  /** @throws when what was restored cannot be used on this VM */
  check(layer: Layer, io: BuildIo): Promise<void>;
}
