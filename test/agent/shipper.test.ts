import { BeatSchema, decodeJson, decodeLogChunk, jobKeys, RawcloudError } from '../../lib/contract';
import type { Store } from '../../lib/contract';
import { Pace } from '../../lib/agent/pace';
import { Shipper } from '../../lib/agent/shipper';
import { createMemoryStore } from '../../lib/store/memory';
import { INTERVALS, PREFIX, VM_USER } from '../fakes/records';
import { FakeClock } from './fake-clock';

const INTERVALS_OF_TEST = { ...INTERVALS, beatMs: 10_000, flushMs: 1_000, idleFlushMs: 15_000 };
const MIB = 2 ** 20;

let clock: FakeClock;
let store: Store;
let shipper: Shipper;
let running: Promise<void>;
/** Key and time of every PUT. */
let puts: { what: 'log' | 'beat'; at: number }[];
/** Awaited before each PUT. */
let gate: () => Promise<void>;

beforeEach(() => {
  clock = new FakeClock();
  puts = [];
  gate = async () => undefined;
  const memory = createMemoryStore({ now: () => clock.now() });
  store = {
    ...memory,
    put: async (key, body, options) => {
      await gate();
      puts.push({ what: key.includes('/log/') ? 'log' : 'beat', at: clock.now() });
      return memory.put(key, body, options);
    },
  };
  shipper = new Shipper({
    store,
    clock,
    prefix: PREFIX,
    vm: VM_USER,
    pace: new Pace(clock, INTERVALS_OF_TEST),
    describe: () => ({ bootId: 'b', phase: 'busy', final: false, blocks: [], timings: {}, notices: [] }),
  });
  running = shipper.run();
});

afterEach(async () => {
  gate = async () => undefined;
  const closed = shipper.close(running);
  await clock.advance(60_000);
  await closed;
});

const say = (text: string): Promise<void> => shipper.push('stdout', Buffer.from(text));
const logs = (): number[] => puts.filter(({ what }) => what === 'log').map(({ at }) => at);

async function shipped(): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const { key } of store.list(jobKeys.logDirectory(PREFIX, VM_USER))) {
    const found = await store.get(key);
    if (typeof found === 'object') parts.push(...decodeLogChunk(found.body).map((run) => run.bytes));
  }
  return Buffer.concat(parts).toString();
}

test('the first bytes after a silence go at once', async () => {
  await clock.advance(5_000);
  const at = clock.now();
  await say('first');
  await clock.advance(0);
  expect(logs()).toEqual([at]);
});

test('steady output and regular beats together are one PUT a second at most', async () => {
  await clock.advance(1_000);
  const from = puts.length;
  for (let i = 0; i < 600; i++) {
    await say(`line ${i}\n`);
    await clock.advance(100);
  }
  const sent = puts.slice(from);
  const sentLogs = sent.filter(({ what }) => what === 'log');
  // No log waits for a beat.
  sentLogs.slice(1).forEach(({ at }, i) => expect(at - sentLogs[i]!.at).toBeLessThanOrEqual(1_500));
  expect(sent.length).toBeLessThanOrEqual(60);
  expect(sent.filter(({ what }) => what === 'beat').length).toBeGreaterThanOrEqual(5);
});

test('while nobody watches the pace is the slow one, and a watcher changes that at once', async () => {
  await clock.advance(1_000);
  shipper.watchedUntil(0);
  await say('one');
  await clock.advance(0);
  await say('two');
  await clock.advance(14_000);
  expect(logs()).toHaveLength(1);
  shipper.watchedUntil(clock.now() + 60_000);
  await clock.advance(1_450);
  expect(logs()).toHaveLength(2);
});

test('a beat about a change goes at once, but not any number of them', async () => {
  await clock.advance(1_000);
  await say('output');
  await clock.advance(0);
  const before = puts.length;
  for (let i = 0; i < 50; i++) {
    shipper.beat();
    await clock.advance(1);
  }
  expect(puts[before]!.what).toBe('beat');
  expect(puts.length - before).toBeLessThanOrEqual(4);
});

test('output waits for room when eight megabytes are held, and none of it is lost', async () => {
  let open: () => void = () => undefined;
  gate = () => new Promise((resolve) => (open = resolve));
  let taken = 0;
  const pushing = (async () => {
    for (let i = 0; i < 40; i++) {
      await shipper.push('stdout', Buffer.alloc(MIB, i));
      taken += 1;
    }
  })();
  await clock.advance(0);
  // What is held, and the chunk on its way.
  expect(taken).toBeLessThanOrEqual(17);
  gate = async () => undefined;
  open();
  for (let i = 0; i < 50 && taken < 40; i++) await clock.advance(100);
  await pushing;
  await clock.advance(2_000);
  expect((await shipped()).length).toBe(40 * MIB);
});

test('what the bucket refuses for a while is tried again until it takes it', async () => {
  await clock.advance(1_000);
  let failures = 5;
  gate = async () => {
    if (failures-- > 0) throw new RawcloudError('E_AWS', 'away', { retryable: true });
  };
  await say('kept');
  await clock.advance(120_000);
  expect(await shipped()).toBe('kept');
});

test('fails when trying again cannot mend it', async () => {
  const bare = createMemoryStore({ now: () => 0 });
  const put = async (): Promise<never> => {
    throw new RawcloudError('E_PERMISSION', 'not allowed');
  };
  const refused = new Shipper({
    store: { ...bare, put },
    clock,
    prefix: PREFIX,
    vm: VM_USER,
    pace: new Pace(clock, INTERVALS_OF_TEST),
    describe: () => ({ bootId: 'b', phase: 'busy', final: false, blocks: [], timings: {}, notices: [] }),
  });
  await expect(refused.run()).rejects.toMatchObject({ code: 'E_PERMISSION' });
});

test('beats count up and name the last chunk', async () => {
  await say('a');
  await clock.advance(11_000);
  const found = await store.get(jobKeys.beat(PREFIX, VM_USER));
  const beat = decodeJson(BeatSchema, typeof found === 'object' ? found.body : Buffer.from(''), 'beat');
  expect(beat.lastLog).toBe(0);
  expect(beat.rev).toBeGreaterThan(0);
});
