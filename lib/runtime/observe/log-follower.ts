import { decodeLogChunk, jobKeys } from '../../contract';
import type { LogRun, Store } from '../../contract';

/** Chunks read per pump while the VM is ahead, so that one chatty VM does not starve the rest. */
const CHUNKS_PER_PUMP = 16;

/** Reads one VM's log chunks in order, from the first. */
export class LogFollower {
  /** Number of the last chunk read, −1 before the first. */
  last = -1;
  /** False when the last pump stopped before it had read all there was. */
  caughtUp = false;
  readonly #store: Store;

  constructor(
    store: Store,
    private readonly prefix: string,
    readonly vm: string,
  ) {
    this.#store = store;
  }

  #get(number: number, signal: AbortSignal | undefined): ReturnType<Store['get']> {
    const found = this.#store.get(jobKeys.log(this.prefix, this.vm, number), signal ? { signal } : {});
    // Its failure is met where it is awaited, which may be never.
    found.catch(() => undefined);
    return found;
  }

  /** What has come since the last pump; empty when nothing has. */
  async *pump(signal?: AbortSignal): AsyncIterable<LogRun> {
    this.caughtUp = false;
    let next = this.#get(this.last + 1, signal);
    for (let i = 0; i < CHUNKS_PER_PUMP; i++) {
      const found = await next;
      if (found === 'absent' || found === 'unchanged') {
        this.caughtUp = true;
        return;
      }
      this.last += 1;
      // Fetched while this one is shown.
      if (i + 1 < CHUNKS_PER_PUMP) next = this.#get(this.last + 1, signal);
      yield* decodeLogChunk(found.body);
    }
  }
}
