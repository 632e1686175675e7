import type { Clock, Compute, EventBus, EventData, EventType, MarketSource, RawcloudEvent, Scaffold, Store } from '../../contract';

/** Where events go. Must not throw. */
export type Emit = (event: RawcloudEvent) => void;

/** All that a driver needs; nothing is taken from the process. */
export interface DriverDeps {
  readonly store: Store;
  readonly compute: Compute;
  readonly scaffold: Scaffold;
  readonly clock: Clock;
  /** Who drives, for the records: `client host:pid`, `reaper`. */
  readonly by: string;
  readonly emit?: Emit;
  /** Asked why a quota refused, and what spot VMs cost in the end. @default - not asked */
  readonly prices?: Pick<MarketSource, 'quotaState' | 'spotHistory'>;
  /** Told of the ends of deployed jobs. @default - a driver that may not; the jobs stay among the open ones for one that may */
  readonly bus?: EventBus;
}

/** An event of the one schema. */
export function event<T extends EventType>(
  clock: Clock,
  job: string,
  type: T,
  data: EventData[T],
  about: { vm?: string; task?: number } = {},
): RawcloudEvent {
  // The one place where type and data meet: the signature ties them, the union cannot be built from a generic.
  return { v: 1, at: new Date(clock.now()).toISOString(), job, ...about, type, data } as RawcloudEvent;
}
