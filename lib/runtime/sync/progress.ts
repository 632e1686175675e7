import type { EventData } from '../../contract';

type SyncProgress = EventData['sync.progress'];

/** Least time between two reports of one phase. */
const EVERY_MS = 200;

/** Reports each phase when it begins, and from time to time how far it is. */
export class Progress {
  #state: SyncProgress = { phase: 'walk', files: 0, bytes: 0, newBytes: 0 };
  #reportedAt = -Infinity;

  constructor(private readonly options: { readonly now: () => number; readonly onProgress?: (progress: SyncProgress) => void }) {}

  begin(phase: SyncProgress['phase'], files?: number, totalNewBytes?: number): void {
    this.#state = {
      ...this.#state,
      phase,
      ...(files === undefined ? {} : { files }),
      ...(totalNewBytes === undefined ? {} : { totalNewBytes }),
    };
    this.#report();
  }

  hashed(bytes: number): void {
    this.#state = { ...this.#state, bytes: this.#state.bytes + bytes };
    this.#reportNowAndThen();
  }

  /** `bytes` of new content have arrived. */
  uploaded(bytes: number): void {
    this.#state = { ...this.#state, newBytes: this.#state.newBytes + bytes };
    this.#reportNowAndThen();
  }

  #reportNowAndThen(): void {
    if (Math.abs(this.options.now() - this.#reportedAt) >= EVERY_MS) this.#report();
  }

  #report(): void {
    this.#reportedAt = this.options.now();
    this.options.onProgress?.(this.#state);
  }
}
