/** Why the agent ends a job that would have gone on. */
export type EndReason = 'task-timeout' | 'idle' | 'lifetime' | 'stopped' | 'interrupted' | 'going-down';

/** The wish to end: the first reason stands. */
export class Ending {
  readonly #controller = new AbortController();
  #reason: EndReason | undefined;
  #graceMs: number | undefined;
  #numbers: string | undefined;

  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** What was measured of a command that is ended for being idle. */
  get numbers(): string | undefined {
    return this.#numbers;
  }

  /** From SIGTERM to SIGKILL, when it is another than the job's own. */
  get graceMs(): number | undefined {
    return this.#graceMs;
  }

  /** Aborted from then on. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  beginIdle(numbers: string): void {
    this.#numbers ??= numbers;
    this.begin('idle');
  }

  begin(reason: EndReason, graceMs?: number): void {
    if (this.#reason === undefined) this.#graceMs = graceMs;
    this.#reason ??= reason;
    this.#controller.abort();
  }
}
