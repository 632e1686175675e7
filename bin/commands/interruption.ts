import type { Signals } from '../io';

/** What one Ctrl-C means: stop the job (of `run`), or leave it running (`attach`). */
export type OnInterrupt = 'stop' | 'leave';

/**
 * What the user wants of a job that is started or watched, told by signals.
 *
 * SIGINT and SIGTERM: the first asks to stop (or to leave, where Ctrl-C does not stop), the second to leave at once.
 * SIGHUP, a terminal that was closed: leave; the job goes on.
 */
export class Interruption {
  readonly #stop = new AbortController();
  readonly #leave = new AbortController();
  readonly #undo: () => void;
  #hungUp = false;

  constructor(signals: Signals, onInterrupt: OnInterrupt) {
    this.#undo = signals.listen((signal) => {
      if (signal === 'SIGHUP') this.#hungUp = true;
      if (signal === 'SIGHUP' || onInterrupt === 'leave' || this.stop.aborted) this.#leave.abort();
      else this.#stop.abort();
    });
  }

  /** The job shall stop. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** We shall go, whatever the job does. */
  get leave(): AbortSignal {
    return this.#leave.signal;
  }

  /** What to leave with: 128 + number of the signal. */
  get exitCode(): number {
    return this.#hungUp ? 129 : 130;
  }

  /** Signals end the process again. */
  dispose(): void {
    this.#undo();
  }
}

/** What a wait ends with when the signal came first. */
export const LEFT = Symbol('left');

/** The promise's value, or {@link LEFT} as soon as the signal is aborted; the promise is then left to itself. */
export async function unlessLeft<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | typeof LEFT> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    return LEFT;
  }
  let settle: (() => void) | undefined;
  const left = new Promise<typeof LEFT>((resolve) => {
    settle = () => resolve(LEFT);
    signal.addEventListener('abort', settle, { once: true });
  });
  try {
    return await Promise.race([promise, left]);
  } finally {
    if (settle) signal.removeEventListener('abort', settle);
  }
}
