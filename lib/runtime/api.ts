import type {
  Arch,
  Bill,
  Bounds,
  Exit,
  JobState,
  Login,
  LogStream,
  Notice,
  Offer,
  OutcomeName,
  Outcome,
  OutputFile,
  PackageChoices,
  RawcloudEvent,
  SpotPolicy,
  Timings,
  VmState,
  Leftover,
  Swept,
  Unproved,
} from '../contract';
import type { UploadRequest } from '../capture/uploads';

export type { UploadRequest };

/** Facts of the synchronized tree, for the question whether more than a gigabyte shall travel. */
export interface TreeSize {
  readonly files: number;
  readonly bytes: number;
  /** The ten largest files or directories of the top levels, largest first. */
  readonly largest: readonly { readonly path: string; readonly bytes: number }[];
}

/** What to run, on what, and with which parts of the developer's machine. */
export interface RunRequest {
  /** Program and arguments, as typed. */
  readonly command: readonly string[];
  /** Directory the command is typed in. @default the client's working directory */
  readonly cwd?: string;
  /** 1 to 64 letters, digits, `.`, `_`, `-`. @default - none */
  readonly name?: string;
  /** VM types to use, best first. @default - chosen by cpu, memory and arch */
  readonly vmTypes?: readonly string[];
  /** Families or their first letters to choose from, best first, as `m7i` or `c`. @default - m, c and r of generation 6 and later */
  readonly families?: readonly string[];
  /** @default 'on-demand' */
  readonly spotPolicy?: SpotPolicy;
  /** @default { min: 2 } */
  readonly cpu?: Bounds;
  /** @default { min: 8 } */
  readonly memoryGiB?: Bounds;
  /** @default - the architecture of this machine */
  readonly arch?: Arch;
  /** @default 30 */
  readonly diskGiB?: number;
  /** AMI id. @default - the newest Amazon Linux 2023 */
  readonly image?: string;
  /** Variables of the job. Values are secret unless the name is on the list of harmless ones. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Variables whose values are secret whatever their names: in no spec and no record. @default - none */
  readonly secretVariables?: Readonly<Record<string, string>>;
  /** Logins of this machine that the job has as well, besides AWS. @default - none */
  readonly logins?: readonly Login[];
  /** Seconds from exec to the command's end. @default - none but the lifetime */
  readonly timeoutS?: number;
  /** A command that uses next to no CPU, GPU, disk and network and writes nothing for so many seconds is ended. @default - never */
  readonly idleTimeoutS?: number;
  /** Seconds from now to the end of the VM. @default 86400 */
  readonly lifetimeS?: number;
  /**
   * New VMs that may start the command again, from its first line, when one is lost or taken back by EC2. A command that
   * fails is not run again. 0 to 100. @default 0
   */
  readonly retries?: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** Whether the job holds the caller's AWS identity. @default 'forward' */
  readonly credentials?: 'forward' | 'none';
  /**
   * Name of a JobRole: what the job is for AWS instead of its caller, as long as it runs and whoever watches. @default - the caller's identity
   */
  readonly role?: string;
  /**
   * 'use': packages are restored from an earlier job's environment where there is one. 'rebuild': they are built anew, and take
   * its place. @default 'use'
   */
  readonly cache?: 'use' | 'rebuild';
  /**
   * 'lock': packages of the project's lockfile; 'installed': those that are installed here, whatever a lockfile says.
   * @default - what is installed, with the hashes of a lockfile that says the same
   */
  readonly packages?: 'lock' | 'installed';
  /** Development dependencies of Node travel too. @default - only when the command names one */
  readonly devPackages?: boolean;
  /**
   * Which of the Python packages that are installed here the job gets, and how exactly.
   * @default - all, in the same version and build; on VMs of another platform in the same version where it has one
   */
  readonly packageChoices?: PackageChoices;
  /**
   * Commands of bash that each VM runs as root, in order and in the working directory, before packages are installed. The first that
   * fails ends the job. @default - none
   */
  readonly setup?: readonly string[];
  /** File that is run so before them, relative to the working directory. @default - none */
  readonly setupScript?: string;
  /** Seconds that each of them may take. @default 1800 */
  readonly setupTimeoutS?: number;
  /**
   * The VM makes the command's environment and keeps it for later jobs; instead of the command it runs `true`. An empty command then stands
   * for whatever is active here. @default false
   */
  readonly environmentOnly?: boolean;
  /** Run as root, with the VM's own role in reach. @default false */
  readonly root?: boolean;
  /** Files and directories that travel whole, whatever the ignore rules and their size say, also from outside the tree. @default - none */
  readonly uploads?: readonly UploadRequest[];
  /**
   * What of the files that the job writes is kept whole, in any size and number, besides the up to 100 MB of others: files and directories
   * relative to the working directory, in the tree. @default - none
   */
  readonly keep?: readonly string[];
  /** What the job reads from standard input. @default - the null device */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Asked before more than 1 GB travels. @default - refused with E_TREE_TOO_LARGE */
  readonly confirmLargeTree?: (size: TreeSize) => Promise<boolean>;
}

/** Another way to run the same: nothing of it happens by itself. */
export interface PlanAlternative {
  readonly kind: 'cheaper' | 'faster';
  readonly offer: Offer;
  /** VM, disk and address together. */
  readonly usdPerHour: number;
  /** What is gained, and what to know about it. */
  readonly text: string;
  /** Options to add to the command line. */
  readonly options: string;
}

/** What `--dry-run` shows: nothing was launched, nothing uploaded. */
export interface RunPlan {
  readonly offers: readonly Offer[];
  readonly image: string;
  readonly diskGiB: number;
  readonly lifetimeS: number;
  /** New VMs that may follow one that is lost. */
  readonly retries: number;
  /** VM, disk and address together, of the first offer. */
  readonly usdPerHour: number;
  /** What that is made of, dollars an hour. */
  readonly parts: { readonly vm: number; readonly disk: number; readonly address: number };
  /** Up to three other ways, the cheaper ones first. */
  readonly alternatives: readonly PlanAlternative[];
  /** The least a launch costs: EC2 bills at least 60 s. */
  readonly minimumUsd: number;
  /** Who the job will be for AWS, in words, and until when. */
  readonly identity: { readonly kind: 'none' | 'forwarded' | 'role'; readonly arn?: string; readonly expiresAt?: string };
  /** Those that the job has besides AWS. */
  readonly logins: readonly Login[];
  readonly tree: TreeSize & { readonly root: string };
  readonly packages: readonly { readonly kind: string; readonly title: string }[];
  readonly notices: readonly Notice[];
}

/** How a job ended. */
export interface JobResult {
  readonly job: string;
  readonly name?: string;
  readonly outcome: OutcomeName;
  readonly reason: string;
  readonly message: string;
  readonly remedy?: string;
  /** The job's own exit code when it ran, else one of {@link EXIT_CODES}. */
  readonly exitCode: number;
  /** True when `exitCode` is the command's own. */
  readonly exitCodeIsJobs: boolean;
  readonly bill: Bill;
  readonly outputs: readonly OutputFile[];
  readonly timings: Timings;
}

/** One line of `ps`. Times in milliseconds since 1970. */
export interface JobSummary {
  readonly job: string;
  readonly name?: string;
  readonly owner: string;
  readonly command: string;
  readonly createdAt: number;
  readonly state: JobState;
  readonly outcome?: OutcomeName;
  readonly exitCode?: number;
  readonly vmType?: string;
  /** So far, or the final one. */
  readonly usd?: number;
}

/** What `status` shows. */
export interface JobStatus extends JobSummary {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly vms: readonly {
    readonly id: string;
    readonly state: VmState;
    /** No beat for three intervals. */
    readonly silent: boolean;
    readonly detail?: string;
    readonly vmType: string;
    readonly zone?: string;
    readonly launchedAt?: number;
    readonly endedAt?: number;
  }[];
  readonly launches: readonly {
    readonly n: number;
    readonly offer: Offer;
    readonly state: string;
    readonly reason?: string;
    readonly failure?: string;
  }[];
  readonly exit?: Exit;
  readonly outcomeRecord?: Outcome;
  readonly endedAt?: number;
  /** When the VM ends itself at the latest. */
  readonly lifetimeUntil: number;
  readonly stopRequestedAt?: number;
  readonly credentialsUntil?: number;
  readonly bill: Bill;
  /** Phases: plan, capture, upload, record, launch, requested, boot, node, agent, files, environment, command, finish, teardown. */
  readonly timings: Timings;
  readonly outputs: readonly OutputFile[];
  readonly outputsOmitted: number;
}

/** A piece of a job's output, in order within its stream. */
export interface OutputChunk {
  readonly stream: LogStream;
  readonly task: number;
  readonly bytes: Uint8Array;
}

/** A job that is on record; every method may be called from any process, any number of times. */
export interface JobHandle {
  readonly id: string;
  readonly name?: string;
  /**
   * Drives the job to its end and yields what happens: states, output, outcome, end, bill.
   * Starts with the first byte of output. Aborting the signal leaves the job running.
   */
  watch(options?: { signal?: AbortSignal }): AsyncIterable<RawcloudEvent>;
  /** Watches until the job is ended: every VM proved gone and the bill written. */
  wait(options?: { signal?: AbortSignal }): Promise<JobResult>;
  /** Output so far, or with `follow` until the job's end. 'system' and 'environment' only when asked for. */
  logs(options?: { follow?: boolean; streams?: readonly LogStream[]; signal?: AbortSignal }): AsyncIterable<OutputChunk>;
  /** The boot's own log: from the bucket, else from the console. '' when there is none (yet). */
  bootLog(options?: { signal?: AbortSignal }): Promise<string>;
  status(options?: { signal?: AbortSignal }): Promise<JobStatus>;
  cost(options?: { signal?: AbortSignal }): Promise<Bill>;
  /** Asks the job to stop; {@link wait} tells when the VM is gone. Stopping twice, or what has ended, is no error. */
  stop(options?: { signal?: AbortSignal }): Promise<void>;
  /** Moves the end of the lifetime to `seconds` from now. @returns the new end, milliseconds since 1970 */
  extend(seconds: number, options?: { signal?: AbortSignal }): Promise<number>;
  /** Writes the kept output files under `directory`. @returns those files */
  download(directory: string, options?: { signal?: AbortSignal; overwrite?: boolean; onProgress?: OnTransfer }): Promise<OutputFile[]>;
}

/** How far files are. */
export interface TransferProgress {
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Called often, and not waited for. */
export type OnTransfer = (progress: TransferProgress) => void;

/** What an event may say to a deployed job. */
export interface TickRequest {
  /** Id of the deployed job. */
  readonly id: string;
  /** The scheduled time, or the event's id: two deliveries of the same are one run. */
  readonly tick: string;
  /** Text that the job finds in the variable that its definition names. At most 64 KiB. */
  readonly input?: string;
}

/** What became of a tick. */
export interface StartedTick {
  /** `going`: an earlier delivery has launched it. */
  readonly state: 'launched' | 'going' | 'queued' | 'skipped';
  /** The tick's job; there is none on record when the tick was skipped or waits. */
  readonly job: string;
  readonly why?: string;
}

/** What one pass of the reaper found and did. */
export interface ReapReport {
  /** Open jobs that were looked at. */
  readonly jobs: number;
  /** Of these, those that came to their end. */
  readonly ended: readonly string[];
  /** Of these, runs of deployed jobs that did not do what they were for. */
  readonly failed: readonly string[];
  /** Jobs that became of ticks which waited for the run before them. */
  readonly started: readonly string[];
  /** Leftovers that no earlier pass knew: the next one removes them, when they are still what they are. */
  readonly marked: readonly Leftover[];
  /** VMs told to end, other things deleted. The pass after the next says when one is still there. */
  readonly removed: readonly Leftover[];
  /** Marked before, and no leftovers any more. */
  readonly cleared: readonly Leftover[];
  /** Marked and not due yet. */
  readonly waiting: number;
  /** Old content that was deleted. */
  readonly swept: Swept;
  /** What could not be looked at or ended, with the error's text. */
  readonly unproved: readonly Unproved[];
}

/** An environment that VMs have kept. Times in milliseconds since 1970. */
export interface KeptEnvironment {
  /** Not its key, which nobody needs to see. */
  readonly id: string;
  /** Absent, with what follows, where no VM has noted it: it was made by an earlier version. */
  readonly kind?: string;
  readonly platform?: string;
  readonly packages?: number;
  /** Of its files on a VM. */
  readonly bytes?: number;
  /** What lies in the bucket under its key; a part of it may lie with another one. */
  readonly storedBytes: number;
  readonly builtAt: number;
  /** To within a day. */
  readonly usedAt: number;
  /** Your jobs use it; jobs of others, and deployed ones, have environments of their own. */
  readonly isYours: boolean;
  /** Jobs of the project that the working directory lies in have used it. */
  readonly isHere: boolean;
}

/** What is gone. */
export interface DeletedEnvironments {
  readonly environments: readonly KeptEnvironment[];
  readonly objects: number;
  readonly bytes: number;
  /** Ids of those whose packs stay, since environments that are not deleted name them. */
  readonly keptForOthers: readonly string[];
}

/** The runtime. It never prints and never reads the process environment. */
export interface Client {
  readonly scaffold: { readonly name: string; readonly region: string; readonly account: string; readonly bucket: string };
  readonly local: boolean;
  plan(request: RunRequest, options?: { signal?: AbortSignal }): Promise<RunPlan>;
  /**
   * Captures, uploads, records, launches. Events up to the launch go to `onEvent`, the rest to {@link JobHandle.watch}.
   * `source` (default 'api') goes on record; `watched` (default true) is false when nobody will watch from the start.
   */
  run(
    request: RunRequest,
    options?: { signal?: AbortSignal; onEvent?: (event: RawcloudEvent) => void; source?: 'cli' | 'api'; watched?: boolean },
  ): Promise<JobHandle>;
  /** By id, unique prefix of an id, or name; without one, this user's last job on this machine. @throws E_NO_JOB, E_AMBIGUOUS_JOB */
  job(which?: string, options?: { signal?: AbortSignal }): Promise<JobHandle>;
  /** Open jobs; with `all` also ended ones, newest first. */
  jobs(options?: { all?: boolean; limit?: number; signal?: AbortSignal }): Promise<JobSummary[]>;
  /**
   * Runs a deployed job once for a tick, as the launch function does when EventBridge calls it. Two deliveries of one tick
   * are one run. @throws E_USAGE for a job that is not deployed
   */
  start(request: TickRequest): Promise<StartedTick>;
  /** Environments that VMs have kept, of everybody, the one that was used last first. */
  environments(options?: { signal?: AbortSignal }): Promise<KeptEnvironment[]>;
  /**
   * Deletes environments, by ids or unique beginnings of some. Jobs that restore one just now build it anew, as do those that come.
   * @throws E_USAGE for what is no environment: then nothing is deleted
   */
  deleteEnvironments(which: readonly string[], options?: { signal?: AbortSignal }): Promise<DeletedEnvironments>;
  /** One pass of the reaper: advances every open job, marks what is left behind, removes what an earlier pass marked. */
  reap(options?: { signal?: AbortSignal }): Promise<ReapReport>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** The process environment, or what stands for it: AWS_*, HOME, VIRTUAL_ENV … */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** @default - from the environment and the AWS profile */
  readonly region?: string;
  readonly profile?: string;
  /** @default 'default' */
  readonly scaffold?: string;
  /** The local cloud instead of AWS; started when it does not run. @default false */
  readonly local?: boolean;
  /** Told what the user should know about the connection, as that the local cloud was started. */
  readonly onNotice?: (notice: Notice) => void;
}
