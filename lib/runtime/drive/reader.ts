import { addObject, bucketKeys, jobKeys, jobOfPrefix, mapBounded, noObjects, RawcloudError } from '../../contract';
import type { Beat, JobObjects, Store } from '../../contract';

/**
 * Reads one job's objects, again and again, asking only for what may have changed: records that are written once
 * are asked for until they are there, rewritten ones with If-None-Match. No LIST: a GET costs a twelfth of it.
 */
export class JobReader {
  objects: JobObjects;
  /** The store's time as of the last refresh, milliseconds since 1970. */
  now = 0;
  readonly #store: Store;
  readonly #etags = new Map<string, string>();
  /** Nothing changes after the end: one more full read, then none. */
  #complete = false;

  constructor(
    store: Store,
    readonly prefix: string,
  ) {
    this.#store = store;
    this.objects = noObjects(prefix);
  }

  /** @throws E_NO_JOB when the bucket holds neither the job's spec nor its active marker */
  async refresh(signal?: AbortSignal): Promise<void> {
    if (this.#complete) return;
    const ended = this.objects.end !== undefined;
    const asked = new Set<string>();
    const unasked = (): string[] => {
      const keys = this.#wanted().filter((key) => !asked.has(key));
      keys.forEach((key) => asked.add(key));
      return keys;
    };
    const read = (keys: readonly string[]): (() => Promise<void>)[] => keys.map((key) => () => this.#read(key, signal));
    await atOnce([() => this.#readAnchor(signal), ...read(unasked())]);
    // Each round may name more: a launch names VMs, a failed launch a next one.
    for (let keys = unasked(); keys.length > 0; keys = unasked()) await atOnce(read(keys));
    this.#complete = ended;
  }

  /** Only the VMs' beats. @returns whether one tells of more than that its VM lives */
  async refreshBeats(signal?: AbortSignal): Promise<boolean> {
    const before = this.objects.beats;
    await mapBounded(this.#beatKeys(), MOST_AT_ONCE, (key) => this.#read(key, signal));
    if (this.objects.beats === before) return false;
    return [...this.objects.beats].some(([vm, { value }]) => newsOf(value) !== newsOf(before.get(vm)?.value));
  }

  /** An unconditional GET of a small record: its answer carries the store's time, which ages are counted from. */
  async #readAnchor(signal?: AbortSignal): Promise<void> {
    const keys = [jobKeys.spec(this.prefix), bucketKeys.active(jobOfPrefix(this.prefix))];
    for (const key of keys) {
      const found = await this.#store.get(key, signal ? { signal } : {});
      if (found === 'absent' || found === 'unchanged') continue;
      this.now = Math.max(this.now, found.now);
      this.objects = addObject(this.objects, { key, ...found });
      return;
    }
    throw new RawcloudError('E_NO_JOB', `the bucket holds no job ${jobOfPrefix(this.prefix)}`, {
      remedy: 'rawcloud ps --all lists what there is.',
    });
  }

  async #read(key: string, signal?: AbortSignal): Promise<void> {
    const etag = this.#etags.get(key);
    const found = await this.#store.get(key, { ...(etag ? { ifNoneMatch: etag } : {}), ...(signal ? { signal } : {}) });
    if (found === 'absent' || found === 'unchanged') return;
    this.now = Math.max(this.now, found.now);
    this.#etags.set(key, found.etag);
    this.objects = addObject(this.objects, { key, ...found });
  }

  #wanted(): string[] {
    const { objects, prefix } = this;
    return [
      // No end without an outcome.
      ...(objects.outcome && !objects.end ? [jobKeys.end(prefix)] : []),
      ...(objects.outcome ? [] : [jobKeys.outcome(prefix)]),
      jobKeys.control(prefix),
      ...this.#launchKeys(),
      ...this.#doneKeys(),
      ...this.#beatKeys(),
    ];
  }

  #launchKeys(): string[] {
    const launches = [...this.objects.launches.values()];
    const open = launches.filter((l) => l.value.state === 'intent' || l.value.instances.some((i) => !i.granted)).map((l) => l.value.n);
    const last = launches.at(-1)?.value;
    const mayHaveNext = last === undefined || last.state === 'failed' || (this.objects.spec?.value.limits.retries.length ?? 0) > 0;
    const next = mayHaveNext ? [(last?.n ?? -1) + 1] : [];
    return [...open, ...next].map((n) => jobKeys.launch(this.prefix, n));
  }

  #doneKeys(): string[] {
    const blocks = this.objects.spec?.value.tasks.blocks.reduce((sum, [, count]) => sum + count, 0) ?? 0;
    return Array.from({ length: blocks }, (_, block) => block)
      .filter((block) => !this.objects.dones.has(block))
      .map((block) => jobKeys.done(this.prefix, block));
  }

  #beatKeys(): string[] {
    return [...this.objects.launches.values()].flatMap((l) => l.value.instances.map((i) => jobKeys.beat(this.prefix, i.vm)));
  }
}

/** A beat without what counts up by itself. */
function newsOf(beat: Beat | undefined): string {
  if (!beat) return '';
  const { rev: _rev, lastLog: _lastLog, requests: _requests, timings: _timings, ...news } = beat;
  return JSON.stringify(news);
}

/** Requests in flight at once. */
const MOST_AT_ONCE = 16;

async function atOnce(calls: readonly (() => Promise<void>)[]): Promise<void> {
  await mapBounded(calls, MOST_AT_ONCE, (call) => call());
}
