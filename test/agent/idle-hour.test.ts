import { followControl } from '../../lib/agent/control';
import { Pace } from '../../lib/agent/pace';
import { Shipper } from '../../lib/agent/shipper';
import { encodeJson, jobKeys } from '../../lib/contract';
import { DEFAULT_INTERVALS } from '../../lib/runtime';
import { Driver } from '../../lib/runtime/drive/driver';
import { DEFAULT_PACE } from '../../lib/runtime/observe/pace';
import { watch } from '../../lib/runtime/observe/watch';
import { createMemoryStore } from '../../lib/store/memory';
import { beat, control, instance, launched, PREFIX, spec, VM_USER } from '../fakes/records';
import { World } from '../fakes/world';
import { FakeClock } from './fake-clock';

const HOUR_MS = 3_600_000;
/** S3 Standard in us-east-1, dollars a request. Source: aws.amazon.com/s3/pricing, read in November 2026. */
const USD = { put: 0.005 / 1000, get: 0.0004 / 1000 };

/** One hour of a job that says nothing, and of its watcher if it has one. @returns the store requests of both */
async function silentHour({ watched }: { watched: boolean }): Promise<{ put: number; get: number }> {
  const clock = new FakeClock();
  const store = createMemoryStore({ now: () => clock.now() });
  const over = new AbortController();
  await store.put(jobKeys.spec(PREFIX), encodeJson(spec({ createdAt: new Date(clock.now()).toISOString() })));
  await store.put(jobKeys.launch(PREFIX, 0), encodeJson(launched({ intervals: DEFAULT_INTERVALS })));
  await store.put(jobKeys.control(PREFIX), encodeJson(control({ ...(watched ? { watchUntil: clock.now() + 2 * HOUR_MS } : {}) })));
  await store.put(jobKeys.beat(PREFIX, VM_USER), encodeJson(beat()));
  const pace = new Pace(clock, DEFAULT_INTERVALS);
  const { rev: _rev, v: _v, lastLog: _lastLog, requests: _requests, ...described } = beat();
  const shipper = new Shipper({ store, clock, pace, prefix: PREFIX, vm: VM_USER, describe: () => described });
  const shipping = shipper.run();
  const following = followControl({
    store,
    clock,
    prefix: PREFIX,
    task: 0,
    everyMs: () => pace.controlMs,
    signal: over.signal,
    onChange: ({ watchUntil }) => shipper.watchedUntil(watchUntil ?? 0),
    onTrouble: (error) => expect(error).toBeUndefined(),
  });
  const world = new World();
  const deps = { ...world.deps('me', { store, compute: { ...world.compute, describe: async () => [instance()] } }), clock };
  const watching = watched ? drain(watch(new Driver(deps, PREFIX), deps, { pace: DEFAULT_PACE, signal: over.signal })) : undefined;
  const before = { ...store.requests };
  await clock.advance(HOUR_MS);
  const spent = { put: store.requests.put - before.put, get: store.requests.get - before.get };
  over.abort(new Error('the hour is over'));
  await Promise.all([shipper.close(shipping), following, watching?.catch(() => undefined)]);
  return spent;
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of events);
}

const usd = ({ put, get }: { put: number; get: number }): number => put * USD.put + get * USD.get;

test('an hour of a job that nobody watches is at most 300 requests', async () => {
  const spent = await silentHour({ watched: false });
  expect(spent.put + spent.get).toBeLessThanOrEqual(300);
  expect(spent.put + spent.get).toBeGreaterThan(100);
  expect(usd(spent)).toBeLessThan(0.0005);
});

test('an hour of one that is watched is at most 4,000 requests, below a third of a cent', async () => {
  const spent = await silentHour({ watched: true });
  expect(spent.put + spent.get).toBeLessThanOrEqual(4_000);
  expect(spent.put + spent.get).toBeGreaterThan(1_000);
  expect(usd(spent)).toBeLessThan(0.0034);
});
