import { randomBytes } from 'node:crypto';
import { BeatSchema, decodeJson, decodeLogChunk, jobKeys } from '../../lib/contract';
import type { Clock, LogRun, Store } from '../../lib/contract';
import { Shipper } from '../../lib/agent/shipper';
import { createMemoryStore } from '../../lib/store/memory';
import { INTERVALS, PREFIX, START, VM_USER } from '../fakes/records';

/** A clock whose sleeps end when told, or when woken. */
class ManualClock implements Clock {
  time = START;
  readonly #sleepers = new Set<{ until: number; wake: () => void }>();
  now = (): number => this.time;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { until: this.time + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(new Error('woken'));
      });
    });
  }

  async pass(ms: number): Promise<void> {
    this.time += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.until > this.time) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Shipping {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly shipper: Shipper;
  readonly running: Promise<void>;
}

function ship(): Shipping {
  const clock = new ManualClock();
  const store = createMemoryStore({ now: clock.now });
  const describe = () => ({ bootId: 'b', phase: 'busy' as const, final: false, blocks: [0], timings: {}, notices: [] });
  const shipper = new Shipper({ store, clock, prefix: PREFIX, vm: VM_USER, intervals: INTERVALS, describe });
  return { clock, store, shipper, running: shipper.run() };
}

async function chunks(store: Store): Promise<LogRun[][]> {
  const found: LogRun[][] = [];
  for (let seq = 0; ; seq++) {
    const object = await store.get(jobKeys.log(PREFIX, VM_USER, seq));
    if (typeof object === 'string') return found;
    found.push(decodeLogChunk(object.body));
  }
}

describe('the shipper', () => {
  test('keeps every byte of each stream, in order, with its offset', async () => {
    const { shipper, running, store, clock } = ship();
    const content = randomBytes(3_000_000);
    for (let at = 0; at < content.length; at += 60_001) await shipper.push(at % 2 ? 'stdout' : 'stderr', content.subarray(at, at + 60_001));
    await clock.pass(1000);
    await shipper.close(running);
    const runs = (await chunks(store)).flat();
    for (const stream of ['stdout', 'stderr'] as const) {
      let offset = 0;
      for (const run of runs.filter((r) => r.stream === stream)) {
        expect(run.offset).toBe(offset);
        offset += run.bytes.byteLength;
      }
    }
    expect(runs.reduce((sum, r) => sum + r.bytes.byteLength, 0)).toBe(content.length);
  });

  test('ships a line after a silence at once', async () => {
    const { shipper, running, store, clock } = ship();
    await clock.pass(60_000);
    await shipper.push('stdout', Buffer.from('hello\n'));
    await clock.pass(0);
    expect((await chunks(store)).flat().map((r) => Buffer.from(r.bytes).toString())).toEqual(['hello\n']);
    await shipper.close(running);
  });

  test('in the long run makes no more than one PUT a flush interval, beats included', async () => {
    const { shipper, running, store, clock } = ship();
    const seconds = 300;
    for (let i = 0; i < seconds * 5; i++) {
      await shipper.push('stdout', Buffer.from(`line ${i}\n`));
      await clock.pass(200);
    }
    expect(store.requests.put).toBeLessThanOrEqual(seconds + 8);
    expect(store.requests.put).toBeGreaterThan(seconds * 0.7);
    await shipper.close(running);
  });

  test('beats while the job is silent, and under steady output', async () => {
    const { shipper, running, store, clock } = ship();
    for (let i = 0; i < 60; i++) await clock.pass(1000);
    const found = await store.get(jobKeys.beat(PREFIX, VM_USER));
    if (typeof found === 'string') throw new Error('no beat');
    expect(clock.time - found.modified).toBeLessThanOrEqual(INTERVALS.beatMs + 1000);
    await shipper.close(running);
  });

  test('ends with a beat that names the last chunk', async () => {
    const { shipper, running, store } = ship();
    await shipper.push('stdout', Buffer.from('last words'));
    await shipper.close(running);
    const found = await store.get(jobKeys.beat(PREFIX, VM_USER));
    if (typeof found === 'string') throw new Error('no beat');
    expect(decodeJson(BeatSchema, found.body, 'beat').lastLog).toBe((await chunks(store)).length - 1);
  });

  test('makes output wait when too much is held', async () => {
    const clock = new ManualClock();
    const stuck = createMemoryStore({ now: clock.now });
    const shipper = new Shipper({
      store: { ...stuck, put: () => new Promise(() => undefined) },
      clock,
      prefix: PREFIX,
      vm: VM_USER,
      intervals: INTERVALS,
      describe: () => ({ bootId: 'b', phase: 'busy', final: false, blocks: [], timings: {}, notices: [] }),
    });
    void shipper.run();
    let pushed = 0;
    const pushing = (async (): Promise<void> => {
      for (; pushed < 64; pushed++) await shipper.push('stdout', Buffer.alloc(2 ** 20));
    })();
    await clock.pass(0);
    expect(pushed).toBeLessThan(20);
    expect(await Promise.race([pushing.then(() => 'done'), Promise.resolve('waiting')])).toBe('waiting');
  });
});
