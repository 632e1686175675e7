import type { RawcloudEvent } from '../../lib/contract';
import type { Presenter } from '../render/presenter';

/** Shows events one after the other that come from a callback, which cannot wait. */
export class EventQueue {
  #shown: Promise<void> = Promise.resolve();
  #failed = false;
  #failure: unknown;

  constructor(private readonly presenter: Presenter) {}

  push(event: RawcloudEvent): void {
    this.#shown = this.#shown.then(() => this.#show(event));
  }

  /** Resolves when all are shown. @throws the first failure to show one */
  async drained(): Promise<void> {
    await this.#shown;
    if (this.#failed) throw this.#failure;
  }

  async #show(event: RawcloudEvent): Promise<void> {
    if (this.#failed) return;
    try {
      await this.presenter.event(event);
    } catch (error) {
      this.#failed = true;
      this.#failure = error;
    }
  }
}
