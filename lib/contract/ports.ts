import type { BusEvent } from './bus-events';
import type { LeftoverKind, Thing } from './reaper';

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
