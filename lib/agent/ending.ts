/** Why the agent ends a job that would have gone on. */
export type EndReason = 'task-timeout' | 'lifetime' | 'stopped' | 'interrupted' | 'going-down';

/** The wish to end: the first reason stands. */
export class Ending {
  readonly #controller = new AbortController();
  #reason: EndReason | undefined;
  #graceMs: number | undefined;

  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** From SIGTERM to SIGKILL, when it is another than the job's own. */
  get graceMs(): number | undefined {
    return this.#graceMs;
  }

  /** Aborted from then on. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  begin(reason: EndReason, graceMs?: number): void {
    if (this.#reason === undefined) this.#graceMs = graceMs;
    this.#reason ??= reason;
    this.#controller.abort();
  }
}
