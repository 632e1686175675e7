import { findRawcloudError, instanceOfVm } from '../../contract';
import type { JobView, RawcloudEvent } from '../../contract';
import { event } from '../drive/deps';
import type { DriverDeps } from '../drive/deps';
import type { Driver } from '../drive/driver';
import { Changes } from './changes';
import { LogFollower } from './log-follower';
import { outputEvent } from './output';
import { beatEveryMs, describeEveryMs, nextLookMs } from './pace';
import type { Pace } from './pace';
import { Patience } from './patience';

export interface WatchOptions {
  readonly pace: Pace;
  readonly signal?: AbortSignal;
  /** Called on every pass while the job lives: renews credentials and the word that someone watches. */
  readonly whileWatching?: (view: JobView) => Promise<void>;
  /** Who may not do what is to be done goes on looking: others do it, the reaper at the latest. @default false: it is an error */
  readonly guest?: boolean;
}

/**
 * Drives a job and yields what happens, from the first byte of output to the bill.
 *
 * One pass: look at beats and logs (cheap); take a full step when a beat changed or it is time; yield what changed; wait,
 * the longer the quieter the job is. The outcome is yielded only after the last byte of output. Ends when the job is
 * ended; aborting leaves the job as it is.
 */
export async function* watch(driver: Driver, deps: DriverDeps, options: WatchOptions): AsyncGenerator<RawcloudEvent> {
  const watcher = new Watcher(driver, deps, options);
  while (!watcher.over) {
    options.signal?.throwIfAborted();
    yield* watcher.pass();
    if (!watcher.over) await deps.clock.sleep(watcher.pauseMs, options.signal);
  }
}

class Watcher {
  over = false;
  readonly #changes: Changes;
  readonly #patience: Patience;
  readonly #followers = new Map<string, LogFollower>();
  #view: JobView | undefined;
  #changedAt: number;
  #stepAt = 0;
  #beatAt = 0;
  #askAt = 0;
  #outcomeSaid = false;
  #onlyLooks = false;

  constructor(
    private readonly driver: Driver,
    private readonly deps: DriverDeps,
    private readonly options: WatchOptions,
  ) {
    this.#changes = new Changes(deps.clock, driver.job);
    this.#patience = new Patience(deps.clock, driver.job);
    this.#changedAt = deps.clock.now();
  }

  get pauseMs(): number {
    return nextLookMs(this.options.pace, this.deps.clock.now() - this.#changedAt);
  }

  async *pass(): AsyncGenerator<RawcloudEvent> {
    try {
      const view = await this.#look();
      yield* this.#changesOf(view);
      yield* this.#output(view);
      yield* this.#ending(view);
      if (!view.objects.end) await this.options.whileWatching?.(view);
      this.#patience.reset();
    } catch (error) {
      this.options.signal?.throwIfAborted();
      const notice = this.#patience.endure(error);
      if (notice) yield notice;
    }
  }

  async #newBeat(signal: AbortSignal | undefined): Promise<boolean> {
    const { clock } = this.deps;
    if (clock.now() < this.#beatAt) return false;
    this.#beatAt = clock.now() + beatEveryMs(this.options.pace, this.#view);
    return this.driver.reader.refreshBeats(signal);
  }

  async #look(): Promise<JobView> {
    const { clock } = this.deps;
    const { signal, pace } = this.options;
    const beaten = this.#view === undefined || (await this.#newBeat(signal));
    const ask = clock.now() >= this.#askAt;
    if (this.#view && !beaten && !ask && clock.now() < this.#stepAt) return this.#view;
    const view = await this.#step(ask, signal);
    const moved = view.state !== this.#view?.state;
    this.#stepAt = clock.now() + pace.fullMs;
    if (ask || moved) this.#askAt = clock.now() + describeEveryMs(pace, view);
    if (beaten || moved) this.#changedAt = clock.now();
    this.#view = view;
    return view;
  }

  async #step(ask: boolean, signal: AbortSignal | undefined): Promise<JobView> {
    if (this.#onlyLooks) return this.driver.look(ask, signal);
    try {
      return await this.driver.step(ask, signal);
    } catch (error) {
      if (!this.options.guest || findRawcloudError(error)?.code !== 'E_PERMISSION') throw error;
      this.#onlyLooks = true;
      return this.driver.look(ask, signal);
    }
  }

  *#changesOf(view: JobView): Iterable<RawcloudEvent> {
    for (const change of this.#changes.since(view)) {
      this.#changedAt = this.deps.clock.now();
      yield change;
    }
  }

  async *#output(view: JobView): AsyncGenerator<RawcloudEvent> {
    for (const { vm } of view.vms) {
      const follower = this.#followers.get(vm) ?? new LogFollower(this.deps.store, view.prefix, vm);
      this.#followers.set(vm, follower);
      for await (const run of follower.pump(this.options.signal)) {
        this.#changedAt = this.deps.clock.now();
        yield outputEvent(this.deps.clock, view.job, instanceOfVm(vm), run);
      }
    }
  }

  *#ending(view: JobView): Iterable<RawcloudEvent> {
    const { outcome, end } = view.objects;
    const { clock } = this.deps;
    if (outcome && !this.#outcomeSaid && this.#drained(view)) {
      this.#outcomeSaid = true;
      yield event(clock, view.job, 'job.outcome', outcome.value);
    }
    if (!end || !this.#outcomeSaid) return;
    yield event(clock, view.job, 'job.ended', { vms: view.vms.length, endedAt: end.value.at });
    yield event(clock, view.job, 'bill', end.value.bill);
    this.over = true;
  }

  /** True when every byte that the VMs shipped has been read: their last chunk is known and read, or nothing more can come. */
  #drained(view: JobView): boolean {
    return view.vms.every(({ vm, beat, silent, state }) => {
      const follower = this.#followers.get(vm);
      if (!follower?.caughtUp || (beat && follower.last < beat.lastLog)) return false;
      return beat === undefined || beat.final || silent || state === 'gone';
    });
  }
}
