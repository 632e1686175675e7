import type { BusEvent } from './bus-events';
import type { PackageChoices } from './package-choices';
import type { LeftoverKind, Thing } from './reaper';
import type { Layer, Notice } from './spec';

/** Part of an object: from `start` (to `end`, inclusive), or its last bytes. */
export type ByteRange = { readonly start: number; readonly end?: number } | { readonly last: number };

/** Times are the store's own clock, milliseconds since 1970: `modified` of the object, `now` of the answer. */
export interface StoreObject {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly modified: number;
  readonly now: number;
}

export interface StoreEntry {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly modified: number;
}

/**
 * The bucket. Every method throws a RawcloudError on failure (after its own retries of what is retryable),
 * and takes an AbortSignal. Conditional writes are the only way shared facts are made.
 */
export interface Store {
  /** 'absent' also stands for S3's 403 AccessDenied to callers that may not list: to them the two look alike. */
  get(
    key: string,
    options?: { range?: ByteRange; ifNoneMatch?: string; signal?: AbortSignal },
  ): Promise<StoreObject | 'absent' | 'unchanged'>;
  /**
   * 'lost' when the condition did not hold: someone else wrote first. Retries of a lost reply are the caller's affair (compare a nonce).
   * `sha256`: of the body, by who knows it already; with another the store refuses the write.
   */
  put(
    key: string,
    body: Uint8Array,
    options?: { if?: 'absent' | { etag: string }; sha256?: string; signal?: AbortSignal },
  ): Promise<{ etag: string; now: number } | 'lost'>;
  /** Any length, in bounded memory. Nothing is stored when the source throws. */
  putStream(key: string, source: AsyncIterable<Uint8Array>, options?: { signal?: AbortSignal }): Promise<{ etag: string }>;
  /** @throws E_INTEGRITY when the object ends early; E_AWS_REQUEST with data.absent when it does not exist */
  getStream(key: string, options?: { range?: ByteRange; signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  /** In key order. `after` is exclusive. With a delimiter, common prefixes come as entries of 0 bytes whose key ends with it. */
  list(prefix: string, options?: { after?: string; delimiter?: string; signal?: AbortSignal }): AsyncIterable<StoreEntry>;
  /** Deleting what is not there is no error. */
  delete(key: string, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Makes an object new, its bytes as they are: `modified` becomes the store's now. False when it is not there, or cannot be
   * copied (over 5 GB in S3).
   */
  renew(key: string, options?: { signal?: AbortSignal }): Promise<boolean>;
  /** Requests sent so far, for the bill. */
  readonly requests: { readonly put: number; readonly get: number };
}

/** One EC2 instance as far as we care. Times in milliseconds since 1970. */
export interface Instance {
  readonly id: string;
  readonly state: 'pending' | 'running' | 'shutting-down' | 'stopping' | 'stopped' | 'terminated';
  readonly vmType: string;
  readonly zone: string;
  readonly launchedAt: number;
  /** From StateTransitionReason, when EC2 tells. */
  readonly endedAt?: number;
  /** `<code>: <message>` of StateReason. */
  readonly stateReason?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly clientToken?: string;
  readonly publicIp?: string;
}

/** EC2, as far as jobs need it. Failures are RawcloudErrors with `data.class` of {@link FailureClass}. */
export interface Compute {
  /** RunInstances with the stored input (JSON text), as it stands; no retries of its own. */
  launch(request: string, options?: { signal?: AbortSignal }): Promise<Instance[]>;
  /** All instances that carry the scaffold's tag (and the job's, the token, when given), in any state EC2 still shows. */
  describe(filter: { scaffold: string; job?: string; clientToken?: string }, options?: { signal?: AbortSignal }): Promise<Instance[]>;
  /** Terminating what is gone is no error. */
  terminate(ids: readonly string[], options?: { signal?: AbortSignal }): Promise<void>;
  /** Sets tags on instances, as `rawcloud:until` when a lifetime moves. */
  tag(ids: readonly string[], tags: Readonly<Record<string, string>>, options?: { signal?: AbortSignal }): Promise<void>;
  /** What the machine's console shows; '' when EC2 has nothing (yet). */
  consoleOutput(id: string, options?: { signal?: AbortSignal }): Promise<string>;
}

/** What launches leave in EC2 beside VMs, and what they are made from. Failures are as those of {@link Compute}. */
export interface Remains {
  /** Everything of a kind that carries the scaffolding's tag. */
  list(kind: RemainKind, scaffold: string, options?: { signal?: AbortSignal }): Promise<Thing[]>;
  /** Deleting what is gone is no error; what is in use stays, and is one. */
  remove(kind: RemainKind, id: string): Promise<void>;
}
export type RemainKind = Exclude<LeftoverKind, 'vm'>;

/** The account's other regions. A scaffolding launches in its own alone; what carries its name there is told, and that is all. */
export interface OtherRegions {
  /** Those that the account can use, without the caller's own. */
  list(options?: { signal?: AbortSignal }): Promise<string[]>;
  /**
   * What carries the scaffolding's tag in a region, of these kinds. Nothing where there is a scaffolding of that name: it has a
   * parameter and a reaper of its own.
   */
  tagged(region: string, scaffold: string, kinds: readonly LeftoverKind[], options?: { signal?: AbortSignal }): Promise<Thing[]>;
}

/** The account's event bus, for those outside who shall know. */
export interface EventBus {
  /** @throws when it is not certain that the bus has it: then it is put again */
  put(event: BusEvent): Promise<void>;
}

/** Injected everywhere instead of Date and timers. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

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

/** Starts machines for the local cloud. */
export interface InstanceDriver {
  readonly kind: string;
  start(instance: MachineSpec): Promise<Machine>;
  /** Finds a machine again that an earlier process of the local cloud started; undefined when it is gone. */
  adopt(instance: MachineSpec): Promise<Machine | undefined>;
  /** Lets go of what this process holds for machines that live on; they are adopted by the next. @default - it holds nothing */
  close?(): Promise<void>;
  /** How to start something on a machine that is on, as its root. @default - there is no way */
  entrance?(instance: MachineSpec): Promise<MachineEntrance | undefined>;
}

/** The way onto a machine. */
export interface MachineEntrance {
  /** Words before those of a program: it then runs on the machine. */
  readonly prefix: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Of the program that the prefix starts. */
  readonly cwd: string;
}

export interface MachineSpec {
  readonly id: string;
  /** The machine's own directory on the host. */
  readonly root: string;
  readonly userData: Uint8Array;
  /** Where this machine finds its IMDS. */
  readonly imdsUrl: string;
  /** Endpoint of the local cloud for AWS calls. */
  readonly endpointUrl: string;
  /** IPv4 address in its VPC. @default - none that it knows of */
  readonly privateIp?: string;
}

export interface Machine {
  /** As the power button: the machine shuts down, is killed after `graceMs`. */
  powerOff(graceMs: number): Promise<void>;
  /** As a host that dies. */
  kill(): Promise<void>;
  /** Boots again without running user data. */
  reboot(): Promise<void>;
  consoleOutput(): Promise<Uint8Array>;
  readonly exited: Promise<'poweroff' | 'killed' | 'crashed'>;
}
