import type { Clock, Intervals } from '../contract';

/** Beats about a change that may go out of turn; one comes back per interval. */
const CHANGES = 4;
/** Logs leave a share of the interval's PUT to beats, claim, result and boot log. */
const SHARE = 1.45;

/**
 * How often a VM speaks and listens: all in all about one PUT an interval, whose length depends on whether anybody watches.
 * Regular beats are seldom; the few beats that tell of a change (a phase, an exit) go at once.
 */
export class Pace {
  #lastAt = -Infinity;
  #changes = CHANGES;
  #changesAt: number;
  /** Someone is taken to watch until the control object says otherwise. */
  #watchUntil = Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly intervals: Pick<Intervals, 'flushMs' | 'idleFlushMs' | 'beatMs' | 'idleBeatMs' | 'controlMs' | 'idleControlMs'>,
  ) {
    this.#changesAt = clock.now();
  }

  /** Someone watches until then, on our clock. */
  watchedUntil(ms: number): void {
    this.#watchUntil = ms;
  }

  /** Time until the next log may go, or a beat about a change that is one too many to go at once; 0 for now. */
  get waitMs(): number {
    return Math.max(0, this.#lastAt + this.#everyMs - this.clock.now());
  }

  /** One of them goes. */
  spend(): void {
    this.#lastAt = this.clock.now();
  }

  /** @returns whether a beat about a change may go out of turn; if so, it is counted */
  spendChange(): boolean {
    const everyMs = Math.max(1, this.#everyMs);
    const earned = Math.floor((this.clock.now() - this.#changesAt) / everyMs);
    this.#changesAt += earned * everyMs;
    this.#changes = Math.min(CHANGES, this.#changes + earned);
    if (this.#changes === 0) return false;
    this.#changes -= 1;
    return true;
  }

  /** Between regular beats. */
  get beatMs(): number {
    return this.#watched ? this.intervals.beatMs : this.intervals.idleBeatMs;
  }

  /** Between looks at control.json. */
  get controlMs(): number {
    return this.#watched ? this.intervals.controlMs : this.intervals.idleControlMs;
  }

  get #everyMs(): number {
    return SHARE * (this.#watched ? this.intervals.flushMs : this.intervals.idleFlushMs);
  }

  get #watched(): boolean {
    return this.clock.now() < this.#watchUntil;
  }
}
