import type { Clock, Timings } from '../../contract';

/** Times named phases, start and end in milliseconds since 1970. */
export class Stopwatch {
  readonly #timings: Timings = {};

  constructor(private readonly clock: Clock) {}

  async time<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const start = this.clock.now();
    try {
      return await work();
    } finally {
      this.#timings[phase] = [start, this.clock.now()];
    }
  }

  get timings(): Timings {
    return { ...this.#timings };
  }
}
