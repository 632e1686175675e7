import type { Leftover, Notice, RawcloudEvent, Swept, Unproved } from '../../contract';
import type { JobHandle, JobSummary } from './job';
import type { RunRequest, RunPlan } from './run';

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
