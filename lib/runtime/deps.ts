import type { Arch, Credentials, EventBus, Intervals, OtherRegions, Ref, Remains, Scaffold } from '../contract';
import type { DeployedJobs } from './definition/deployed';
import type { DriverDeps } from './drive/deps';
import type { Image } from './launch/compile';
import type { MarketKeeper } from './market/keeper';
import type { Pace } from './observe/pace';

/** Something a VM fetches from v1/agent/ by its hash. */
export interface Artifact {
  readonly ref: Ref;
  /** VMs have it on their disks, and fetch nothing. */
  readonly shipped?: boolean;
  open(): AsyncIterable<Uint8Array>;
}

/** The caller's AWS identity as it can be handed to a job. */
export interface Forwarded {
  readonly arn: string;
  readonly credentials: Credentials;
}

/** All that the client is made of. `connect` fills it from the environment; tests fill it as they like. */
export interface ClientDeps extends Omit<DriverDeps, 'emit' | 'bus'> {
  readonly scaffold: Scaffold;
  /** ARN of the caller: the owner of its jobs. */
  readonly owner: string;
  readonly host: string;
  readonly local: boolean;
  /** Architecture of this machine. */
  readonly arch: Arch;
  /** This machine, as `darwin-arm64`. */
  readonly here: string;
  /** Operating system of the VMs, as `linux` (in the local cloud the host's, as `darwin`). */
  readonly vmSystem: string;
  readonly cwd: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the client may keep what it can make again. */
  readonly cacheDir: string;
  /** Program of a thread that reads files of a tree. @default - the client's own thread does */
  readonly readerProgram?: string;
  readonly intervals: Intervals;
  readonly market: MarketKeeper;
  readonly deployed: DeployedJobs;
  readonly remains: Remains;
  /** Used by passes of the reaper only, as the next. */
  readonly otherRegions: OtherRegions;
  readonly events: EventBus;
  readonly pace: Pace;
  resolveImage(arch: Arch, image: string | undefined, signal?: AbortSignal): Promise<Image>;
  /** @returns undefined when there is nothing to forward */
  forward(signal?: AbortSignal): Promise<Forwarded | undefined>;
  agentArtifact(signal?: AbortSignal): Promise<Artifact>;
  nodeArtifact(arch: Arch, signal?: AbortSignal): Promise<Artifact>;
  close?(): Promise<void>;
}

/** How long the parts wait on AWS. */
export const DEFAULT_INTERVALS: Intervals = {
  beatMs: 15_000,
  idleBeatMs: 60_000,
  flushMs: 1_000,
  idleFlushMs: 15_000,
  controlMs: 3_000,
  idleControlMs: 20_000,
  bootMs: 10 * 60_000,
  lostMs: 5 * 60_000,
};

/** The same in the local cloud, where a look costs nothing; what is written keeps AWS's pace, so that what is seen is what one gets. */
export const LOCAL_INTERVALS: Intervals = {
  ...DEFAULT_INTERVALS,
  idleBeatMs: 15_000,
  controlMs: 250,
  idleControlMs: 1_000,
  bootMs: 60_000,
  lostMs: 60_000,
};
