import { decodeJson } from './json';
import { bucketKeys, instanceOfVm, jobOfPrefix, parseJobKey } from './keys';
import type { Offer } from './offers';
import type { Instance } from './ports';
import { ActiveSchema, BeatSchema, ClaimSchema, ControlSchema, DoneSchema, EndSchema, LaunchSchema, OutcomeSchema } from './records';
import type { Active, Beat, Claim, Control, Done, End, Launch, Outcome } from './records';
import { JobSpecSchema } from './spec';
import type { JobSpec } from './spec';
import type { JobState, VmState } from './states';

/** A record as read: its value, and what conditional writes and ages need. `modified` is the store's clock. */
export interface Stored<T> {
  readonly value: T;
  readonly etag: string;
  readonly modified: number;
}

/** Everything known of one job's objects. */
export interface JobObjects {
  readonly prefix: string;
  /** Lies outside the prefix, and tells a driver since when there is a job at all. */
  readonly active?: Stored<Active>;
  readonly spec?: Stored<JobSpec>;
  readonly control?: Stored<Control>;
  readonly outcome?: Stored<Outcome>;
  readonly end?: Stored<End>;
  readonly launches: ReadonlyMap<number, Stored<Launch>>;
  readonly claims: ReadonlyMap<number, Stored<Claim>>;
  readonly dones: ReadonlyMap<number, Stored<Done>>;
  readonly beats: ReadonlyMap<string, Stored<Beat>>;
}

/** An object as it came from the store. */
export interface ObservedObject {
  readonly key: string;
  readonly body: Uint8Array;
  readonly etag: string;
  readonly modified: number;
}

export function noObjects(prefix: string): JobObjects {
  return { prefix, launches: new Map(), claims: new Map(), dones: new Map(), beats: new Map() };
}

/**
 * Adds what was read to what is known. Objects may come in any order, twice, or late: of two copies of a
 * rewritten record the one with the higher `rev` (claims: `epoch`) stays, so the result is always the same.
 * Keys that mean nothing here (logs, files, keys of newer versions) change nothing.
 * @throws E_NEWER, E_RECORD
 */
export function addObject(known: JobObjects, object: ObservedObject): JobObjects {
  const key = parseJobKey(known.prefix, object.key);
  const read = <S extends Parameters<typeof decodeJson>[0]>(schema: S) => ({
    value: decodeJson(schema, object.body, object.key.slice(known.prefix.length)),
    etag: object.etag,
    modified: object.modified,
  });
  if (object.key === bucketKeys.active(jobOfPrefix(known.prefix))) return { ...known, active: known.active ?? read(ActiveSchema) };
  switch (key?.kind) {
    case 'spec':
      return { ...known, spec: known.spec ?? read(JobSpecSchema) };
    case 'outcome':
      return { ...known, outcome: known.outcome ?? read(OutcomeSchema) };
    case 'end':
      return { ...known, end: known.end ?? read(EndSchema) };
    case 'control':
      return { ...known, control: newer(known.control, read(ControlSchema), (c) => c.rev) };
    case 'launch':
      return { ...known, launches: keep(known.launches, key.n, read(LaunchSchema), (l) => l.rev) };
    case 'claim':
      return { ...known, claims: keep(known.claims, key.block, read(ClaimSchema), (c) => c.epoch) };
    case 'done':
      return { ...known, dones: keep(known.dones, key.block, read(DoneSchema), () => 0) };
    case 'beat':
      return { ...known, beats: keep(known.beats, key.vm, read(BeatSchema), (b) => b.rev) };
    case 'bootLog':
    case 'log':
    case undefined:
      return known;
  }
}

function newer<T>(known: Stored<T> | undefined, read: Stored<T>, rank: (value: T) => number): Stored<T> {
  return known && rank(known.value) >= rank(read.value) ? known : read;
}

function keep<K extends string | number, T>(
  known: ReadonlyMap<K, Stored<T>>,
  key: K,
  read: Stored<T>,
  rank: (value: T) => number,
): ReadonlyMap<K, Stored<T>> {
  // Kept in key order, so that the order of arrival leaves no trace.
  return new Map([...known, [key, newer(known.get(key), read, rank)] as const].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

export interface VmView {
  /** Instance id. */
  readonly id: string;
  /** Name in keys, `<role id>:<instance id>`. */
  readonly vm: string;
  /** Number of the launch record. */
  readonly launch: number;
  readonly offer: Offer;
  readonly granted: boolean;
  readonly state: VmState;
  /** No beat for three intervals though it should: a flag, not a state. */
  readonly silent: boolean;
  readonly beat?: Beat;
  readonly beatAgeMs?: number;
  /** The store's time of the last beat. */
  readonly beatAt?: number;
  /** As EC2 shows it; absent when EC2 shows nothing or was not asked. */
  readonly instance?: Instance;
}

/** What `ps`, `status`, the client, the Lambdas and the reaper show and act on. Times in milliseconds since 1970, the store's clock. */
export interface JobView {
  readonly job: string;
  readonly prefix: string;
  readonly now: number;
  readonly state: JobState;
  readonly objects: JobObjects;
  readonly vms: readonly VmView[];
  /** Instances that a launch of the job made, by their token, and that stand in no record. A tag alone says nothing: anybody may set it. */
  readonly strays: readonly Instance[];
  /** Whether EC2 was asked just now: only then may anything be concluded from an instance's absence. */
  readonly instancesKnown: boolean;
  readonly tasksDone: number;
  readonly stopRequestedAt?: number;
  /** When the VMs end themselves at the latest; undefined without a spec. */
  readonly lifetimeUntil?: number;
}

/** A launch may take this long until EC2's answers to Describe show it. EC2 developer guide, "Eventual consistency": seconds; we allow a minute. */
export const SETTLE_MS = 60_000;

/** Beats missed before a VM counts as silent; of the slow ones, which a VM that nobody watches gives, half of one. */
const SILENT_AFTER_BEATS = 3;
const SILENT_AFTER_IDLE_BEATS = 1.5;

/** The job's instances as EC2 showed them last; `current` when it was asked just now. */
export interface SeenInstances {
  readonly instances: readonly Instance[];
  readonly current: boolean;
}

/**
 * The state of a job: a pure function of what the bucket holds, what EC2 shows and the store's time.
 * Read EC2 before the bucket: what a VM wrote before it died must then be among the objects.
 */
export function view(objects: JobObjects, { instances, current }: SeenInstances, now: number): JobView {
  const shown = new Map(instances.map((i) => [i.id, i]));
  const vms = [...objects.launches.values()].flatMap((launch) =>
    launch.value.instances.map((vm) => viewVm(objects, launch, vm, shown.get(vm.id), current, now)),
  );
  const ours = new Set(vms.map((vm) => vm.id));
  const tokens = new Set([...objects.launches.values()].map((launch) => launch.value.token));
  const control = objects.control?.value;
  return {
    job: jobOfPrefix(objects.prefix),
    prefix: objects.prefix,
    now,
    state: jobState(objects),
    objects,
    vms,
    strays: [...shown.values()].filter((i) => !ours.has(i.id) && tokens.has(i.clientToken ?? '')).sort((a, b) => (a.id < b.id ? -1 : 1)),
    instancesKnown: current,
    tasksDone: [...objects.dones.values()].reduce((sum, d) => sum + d.value.results.length, 0),
    ...(control?.stop ? { stopRequestedAt: control.stop.at } : {}),
    ...(objects.spec ? { lifetimeUntil: control?.lifetimeUntil ?? endOfLifetime(objects.spec.value) } : {}),
  };
}

/** The lifetime's end as asked for in the spec, milliseconds since 1970. */
export function endOfLifetime(spec: JobSpec): number {
  return Date.parse(spec.createdAt) + spec.limits.lifetimeS * 1000;
}

function jobState(objects: JobObjects): JobState {
  if (objects.end) return 'ended';
  if (objects.outcome) return 'ending';
  if (objects.beats.size > 0) return 'running';
  return objects.launches.size > 0 ? 'launching' : 'recorded';
}

function viewVm(
  objects: JobObjects,
  launch: Stored<Launch>,
  vm: Launch['instances'][number],
  instance: Instance | undefined,
  instancesKnown: boolean,
  now: number,
): VmView {
  const beat = objects.beats.get(vm.vm);
  const beatAgeMs = beat && Math.max(0, now - beat.modified);
  const { beatMs, idleBeatMs } = launch.value.intervals;
  const silentAfterMs = Math.max(SILENT_AFTER_BEATS * beatMs, SILENT_AFTER_IDLE_BEATS * idleBeatMs);
  const state = vmState({
    instance,
    instancesKnown,
    beat: beat?.value,
    fresh: beatAgeMs !== undefined && beatAgeMs < silentAfterMs,
    launchAgeMs: now - launch.modified,
  });
  return {
    id: instanceOfVm(vm.vm),
    vm: vm.vm,
    launch: launch.value.n,
    offer: launch.value.offer,
    granted: vm.granted,
    state,
    silent: state !== 'gone' && beatAgeMs !== undefined && beatAgeMs >= silentAfterMs,
    ...(beat ? { beat: beat.value, beatAgeMs: beatAgeMs!, beatAt: beat.modified } : {}),
    ...(instance ? { instance } : {}),
  };
}

function vmState(seen: {
  instance: Instance | undefined;
  instancesKnown: boolean;
  beat: Beat | undefined;
  fresh: boolean;
  launchAgeMs: number;
}): VmState {
  const byBeat: VmState = seen.beat?.phase ?? 'requested';
  switch (seen.instance?.state) {
    case 'terminated':
      return 'gone';
    case 'shutting-down':
    case 'stopping':
    case 'stopped':
      return 'ending';
    case 'pending':
      return 'pending';
    case 'running':
      return seen.beat?.phase ?? 'booting';
    case undefined:
      // EC2 forgets a terminated instance after about an hour and may not show a new one for some seconds:
      // it is gone only when it is neither new nor talking.
      return !seen.instancesKnown || seen.fresh || seen.launchAgeMs < SETTLE_MS ? byBeat : 'gone';
  }
}
