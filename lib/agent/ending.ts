/** Why the agent ends a job that would have gone on. */
export type EndReason = 'task-timeout' | 'lifetime' | 'stopped' | 'going-down';

/** The wish to end: the first reason stands. */
export class Ending {
  readonly #controller = new AbortController();
  #reason: EndReason | undefined;

  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** Aborted from then on. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  begin(reason: EndReason): void {
    this.#reason ??= reason;
    this.#controller.abort();
  }
}
