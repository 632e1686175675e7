import {
  bucketKeys,
  decodeJson,
  encodeJson,
  mapBounded,
  RawcloudError,
  SWEEP_EVERY_MS,
  SWEEP_LIMIT_MS,
  SWEEP_TAKEOVER_MS,
  SweepSchema,
  UNUSED_AFTER_MS,
} from '../../contract';
import type { Active, Clock, Store, StoreEntry, Sweep, Swept, Unproved } from '../../contract';
import { EMPTY_SHA256 } from '../../store/sha256';
import { activeJobs } from '../find';
import { namedContent } from './content-names';
import { unproved } from './unproved';

interface Options {
  readonly signal?: AbortSignal;
}

/** Objects deleted in one pass; what is more waits for the next. They stand in a record that clients read. */
const MOST_OBJECTS = 2_000;
/** Looks and deletions at once. */
const AT_ONCE = 16;

export interface SweepDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly by: string;
}

const NOTHING: Swept = { objects: 0, bytes: 0 };
const NOTHING_DUE: SweepPass = { swept: NOTHING, unproved: [] };

export interface SweepPass {
  readonly swept: Swept;
  readonly unproved: readonly Unproved[];
}

/**
 * Once a day: deletes content that is old and that no open job names; `lib/contract/sweep.ts` has the rules that make it safe
 * beside clients that know nothing of it. What fails is told, and tried again by the next pass.
 */
export async function sweep(deps: SweepDeps, options: Options = {}): Promise<SweepPass> {
  try {
    return await new Sweeping(deps, options).run();
  } catch (error) {
    options.signal?.throwIfAborted();
    return { swept: NOTHING, unproved: [unproved('content', error)] };
  }
}

class Sweeping {
  constructor(
    private readonly deps: SweepDeps,
    private readonly options: Options,
  ) {}

  async run(): Promise<SweepPass> {
    const { store } = this.deps;
    const found = await store.get(bucketKeys.sweep, this.options);
    if (typeof found === 'string') {
      // The first pass of all. A day on there is something to compare with.
      await store.put(bucketKeys.sweep, this.#record({ rev: 0, keys: [], more: false }), { if: 'absent', ...this.options });
      return NOTHING_DUE;
    }
    const last = decodeJson(SweepSchema, found.body, 'the record of the sweep');
    if (!isDue(last, found.now - found.modified)) return NOTHING_DUE;
    const old = await this.#unnamed(await this.#old(found.now));
    const batch = old.slice(0, MOST_OBJECTS);
    // That there was nothing to do is written, too: it says when the next sweep is due.
    const keys = batch.map(({ key }) => key);
    const rev = last.rev + (keys.length + last.keys.length > 0 ? 1 : 0);
    const until = this.deps.clock.now() + SWEEP_LIMIT_MS;
    const begun = await this.#write(found.etag, { rev, keys, more: false });
    // Another pass is at it.
    if (begun === 'lost' || keys.length === 0) return NOTHING_DUE;
    const { swept, failed } = await this.#delete(batch, found.now, until).catch(async (error: unknown) => {
      // Whoever waits for content shall not wait for the next pass.
      await this.#write(begun.etag, { rev: rev + 1, keys: [], more: true });
      throw error;
    });
    await this.#write(begun.etag, { rev: rev + 1, keys: [], more: old.length > batch.length });
    return { swept, unproved: failed };
  }

  /** All content that was made, or made new, long ago. */
  async #old(now: number): Promise<StoreEntry[]> {
    const old: StoreEntry[] = [];
    for (const directory of [bucketKeys.files, bucketKeys.agents, bucketKeys.environments]) {
      for await (const entry of this.deps.store.list(directory, this.options)) {
        if (now - entry.modified > UNUSED_AFTER_MS && !entry.key.endsWith(EMPTY_SHA256)) old.push(entry);
      }
    }
    return old;
  }

  async #unnamed(entries: readonly StoreEntry[]): Promise<readonly StoreEntry[]> {
    if (entries.length === 0) return entries;
    const actives: readonly Active[] = await activeJobs(this.deps.store, this.options.signal);
    const named = await namedContent(this.deps.store, actives, this.options);
    return entries.filter(({ key }) => !named.has(key));
  }

  /** After it stands in the record that these are deleted: each is looked at once more, as somebody may have made it new. */
  async #delete(batch: readonly StoreEntry[], now: number, until: number): Promise<{ swept: Swept; failed: Unproved[] }> {
    const { store, clock } = this.deps;
    const results = await mapBounded(batch, AT_ONCE, async ({ key, bytes }) => {
      try {
        const seen = await store.get(key, { range: { start: 0, end: 0 }, ...this.options });
        if (typeof seen === 'string' || now - seen.modified <= UNUSED_AFTER_MS) return { bytes: undefined };
        // A machine that slept meanwhile no longer knows what holds.
        if (clock.now() >= until) throw new RawcloudError('E_TIMEOUT', `the sweep took longer than ${SWEEP_LIMIT_MS / 60_000} minutes`);
        await store.delete(key, this.options);
        return { bytes };
      } catch (error) {
        this.options.signal?.throwIfAborted();
        return { failed: unproved(`content ${key.slice(key.lastIndexOf('/') + 1)}`, error) };
      }
    });
    const deleted = results.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes]));
    const failed = results.flatMap((result) => (result.failed ? [result.failed] : []));
    return { swept: { objects: deleted.length, bytes: deleted.reduce((sum, bytes) => sum + bytes, 0) }, failed };
  }

  #write(etag: string, record: Pick<Sweep, 'rev' | 'keys' | 'more'>): ReturnType<Store['put']> {
    return this.deps.store.put(bucketKeys.sweep, this.#record(record), { if: { etag }, ...this.options });
  }

  #record(record: Pick<Sweep, 'rev' | 'keys' | 'more'>): Uint8Array {
    const sweep: Sweep = { v: 1, by: this.deps.by, ...record };
    return encodeJson(sweep);
  }
}

/** `ageMs`: since the record was written. */
function isDue({ keys, more }: Sweep, ageMs: number): boolean {
  if (keys.length > 0) return ageMs >= SWEEP_TAKEOVER_MS;
  return more || ageMs >= SWEEP_EVERY_MS;
}
