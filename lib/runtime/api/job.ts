import type {
  Bill,
  Exit,
  JobState,
  LogStream,
  Offer,
  Outcome,
  OutcomeName,
  OutputFile,
  RawcloudEvent,
  Timings,
  VmState,
} from '../../contract';

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
