import type { Clock, Timings } from '../contract';

/** Phases so far, start and end in milliseconds since 1970; a phase that is not over ends now. */
export class Phases {
  readonly #done: Timings = {};
  #open: { readonly name: string; readonly from: number } | undefined;

  /** @param before `name from to …` as the bootstrap hands it over; a last pair without end is open */
  constructor(
    private readonly clock: Clock,
    before = '',
  ) {
    const words = before.split(' ').filter(Boolean);
    while (words.length > 0) {
      const [name, from] = words.splice(0, 2) as [string, string];
      if (words.length > 0 && /^\d+$/.test(words[0]!)) this.#done[name] = [Number(from), Number(words.shift())];
      else this.#open = { name, from: Number(from) };
    }
  }

  /** Ends the open phase and begins the next, now or at a moment that has passed. */
  begin(name: string, at = this.clock.now()): void {
    if (this.#open) this.#done[this.#open.name] = [this.#open.from, at];
    this.#open = { name, from: at };
  }

  get timings(): Timings {
    return { ...this.#done, ...(this.#open ? { [this.#open.name]: [this.#open.from, this.clock.now()] as [number, number] } : {}) };
  }
}
