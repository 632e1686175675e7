import { mapBounded } from '../contract';
import type { Clock } from '../contract';
import type { Ending } from './ending';
import type { Beside } from './environments/beside';
import type { Report } from './report';

/** So long after the command's end the VM stays on for it: less than drivers give an ending VM. */
const PATIENCE_MS = 10 * 60_000;

interface Deps {
  readonly clock: Clock;
  readonly report: Report;
  readonly ending: Ending;
}

/**
 * What goes on beside the command for the sake of later VMs. Life: `begin` with the command, `finish` when all that is the
 * job's own has been saved, `end` in any case. A job that is to end ends: this is given up then.
 */
export class BesideWork {
  readonly #over = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #isWaitedFor = false;

  constructor(
    private readonly work: readonly Beside[],
    private readonly deps: Deps,
  ) {}

  begin(): void {
    const signal = AbortSignal.any([this.#over.signal, this.deps.ending.signal]);
    this.#running = mapBounded(this.work, this.work.length, (one) => this.#run(one, signal));
  }

  /** Waits for it, but not for ever. */
  async finish(): Promise<void> {
    this.#isWaitedFor = true;
    const waiting = new AbortController();
    const late = this.deps.clock.sleep(PATIENCE_MS, waiting.signal).then(
      () => this.#over.abort(new Error(`it took more than ${PATIENCE_MS / 60_000} minutes after the command's end`)),
      () => undefined,
    );
    await this.#running;
    waiting.abort();
    await late;
  }

  async end(): Promise<void> {
    this.#over.abort(new Error('the VM ends'));
    await this.#running;
    for (const one of this.work) await one.end();
  }

  async #run(one: Beside, signal: AbortSignal): Promise<void> {
    const { report } = this.deps;
    const onProgress = (detail: string): void => {
      if (this.#isWaitedFor) report.progress(detail);
    };
    // Nothing of the job depends on it.
    await one.run({ signal, onProgress }).catch((error: unknown) => report.trouble('the environment is not kept for later VMs', error));
  }
}
