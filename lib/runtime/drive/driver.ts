import { jobOfPrefix, view } from '../../contract';
import type { Instance, JobView, SeenInstances } from '../../contract';
import { advance } from '../advance/advance';
import type { DriverDeps } from './deps';
import { cleanUp, perform } from './perform';
import { JobReader } from './reader';

/** Rounds of look and act in one step; a job needs about six from record to VM. */
const MOST_ROUNDS = 40;

/**
 * Brings one job as far as it will go now: look, `advance`, act, until there is nothing left to do but wait.
 * Any number of drivers may do this at once.
 */
export class Driver {
  readonly reader: JobReader;
  readonly #deps: DriverDeps;
  #seen: SeenInstances = { instances: [], current: false };
  #cleaned = false;

  constructor(deps: DriverDeps, prefix: string) {
    this.#deps = deps;
    this.reader = new JobReader(deps.store, prefix);
  }

  /** @param ask whether EC2 is asked for the job's VMs; without, only what the bucket tells is acted upon */
  async step(ask: boolean, signal?: AbortSignal): Promise<JobView> {
    let isEc2Asked = false;
    for (let round = 0; ; round++) {
      // What EC2 showed stands until we have changed something there: the bucket is always read after it.
      const now = await (isEc2Asked ? this.#lookAgain(signal) : this.look(ask, signal));
      isEc2Asked = ask;
      const actions = round < MOST_ROUNDS ? advance(now) : [];
      if (now.state === 'ended' && !this.#cleaned) {
        await cleanUp(this.#deps, now);
        this.#cleaned = true;
      }
      if (actions.length === 0) return now;
      for (const action of actions) await perform(this.#deps, now, action);
      if (actions.some(({ type }) => type === 'launch' || type === 'terminate')) isEc2Asked = false;
      if (actions.every((a) => a.type === 'terminate')) return this.look(ask, signal);
    }
  }

  /**
   * As {@link step}, by one that has asked EC2 for the VMs of many jobs: it is asked again only when there is something
   * to do. What it showed must have been asked for before this call.
   */
  async stepWith(instances: readonly Instance[], signal?: AbortSignal): Promise<JobView> {
    this.#seen = { instances, current: true };
    const now = await this.#lookAgain(signal);
    return advance(now).length === 0 && now.state !== 'ended' ? now : this.step(true, signal);
  }

  /** The job as it is, without doing anything about it. EC2 first: what a dying VM wrote is then among the objects. */
  async look(ask: boolean, signal?: AbortSignal): Promise<JobView> {
    const { compute, scaffold } = this.#deps;
    const options = signal ? { signal } : {};
    this.#seen = ask
      ? { instances: await compute.describe({ scaffold: scaffold.name, job: this.job }, options), current: true }
      : { ...this.#seen, current: false };
    return this.#lookAgain(signal);
  }

  async #lookAgain(signal: AbortSignal | undefined): Promise<JobView> {
    await this.reader.refresh(signal);
    return this.lastView;
  }

  get job(): string {
    return jobOfPrefix(this.reader.prefix);
  }

  /** The job as of the last look. */
  get lastView(): JobView {
    return view(this.reader.objects, this.#seen, this.reader.now);
  }
}
