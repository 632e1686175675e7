import type { Clock, Compute, Demolition, FoundStack, Remaining, Remains, Scaffold, Store } from '../../contract';
import type { JobHandle, JobSummary } from '../api';

/** What a removal works with. */
export interface DestroyDeps {
  readonly scaffold: Scaffold;
  /** There is no CloudFormation: what was laid down is deleted piece by piece. */
  readonly local: boolean;
  readonly store: Store;
  readonly compute: Pick<Compute, 'describe'>;
  readonly remains: Remains;
  readonly demolition: Demolition;
  readonly clock: Clock;
  /** Open jobs, and their handles. */
  jobs(signal?: AbortSignal): Promise<JobSummary[]>;
  job(id: string, signal?: AbortSignal): Promise<JobHandle>;
  /** What carries the scaffolding's tag in regions that have no scaffolding of that name. */
  elsewhere(signal?: AbortSignal): Promise<{ readonly remaining: readonly Remaining[]; readonly regions: number }>;
  /** Keeps what is known of the scaffolding where a removal that was broken off finds it. */
  readonly memory: Memory;
}

/** What a removal has begun, for its next start: with the stack goes the parameter that says where the bucket is. */
export interface Begun {
  readonly scaffold: Scaffold;
  readonly stack?: Pick<FoundStack, 'id' | 'name'>;
  /** Whether the bucket was the stack's own, and not one that somebody brought. */
  readonly ownBucket: boolean;
}

export interface Memory {
  read(): Promise<Begun | undefined>;
  write(begun: Begun): Promise<void>;
  forget(): Promise<void>;
}

export interface DestroyRequest {
  /** Stops open jobs and waits for the proof that their VMs are gone. @default - refused while jobs are open */
  readonly stopJobs?: boolean;
  /** Absolute path of the file that gets the ledger: one line of JSON for each job that has ended. It must not be there. */
  readonly exportTo: string;
  /** Shows what would go, and ends there. @default false */
  readonly dryRun?: boolean;
  /** Asked when all is known and before anything is done. False: nothing is. */
  confirm(survey: Survey): Promise<boolean>;
}

/** What there is, and what becomes of it. */
export interface Survey {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly bucket: string;
  /** False for a bucket that somebody brought: what rawcloud wrote goes, the bucket stays. */
  readonly ownBucket: boolean;
  readonly stack?: string;
  readonly jobs: readonly Pick<JobSummary, 'job' | 'name' | 'command' | 'state'>[];
  /** What else carries the tag, by kind. */
  readonly remaining: readonly Remaining[];
}

/** What happens, in this order. */
export type DestroyEvent =
  | { readonly type: 'survey'; readonly survey: Survey }
  | { readonly type: 'stopping' | 'stopped'; readonly job: string }
  | { readonly type: 'exported'; readonly file: string; readonly jobs: number }
  | { readonly type: 'emptying'; readonly bucket: string; readonly objects: number }
  | { readonly type: 'removing' | 'removed'; readonly what: string }
  /** The proof: what is left, and in how many regions was looked. */
  | { readonly type: 'proof'; readonly remaining: readonly Remaining[]; readonly regions: number };
