import { IdleWatch } from '../../../lib/agent/idle/watch';
import type { Usage } from '../../../lib/agent/idle/judge';
import { FakeClock } from '../fake-clock';

const IDLE_MS = 600_000;
let clock: FakeClock;
let watch: IdleWatch;
let usage: () => Promise<Usage | undefined>;
let said: string[];
let idle: string[];
let troubles: unknown[];

beforeEach(() => {
  clock = new FakeClock();
  [said, idle, troubles] = [[], [], []];
  usage = async () => ({ cpuMs: 0, diskBytes: 0, networkBytes: 0 });
  watch = new IdleWatch({
    clock,
    idleMs: IDLE_MS,
    measure: () => usage(),
    say: (line) => said.push(line),
    onIdle: (numbers) => idle.push(numbers),
    onTrouble: (error) => troubles.push(error),
  });
});

afterEach(() => watch.stop());

/** In steps no longer than an interval: a fake clock that leaps is a clock that jumps. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) await clock.advance(Math.min(1_000, left));
}

test('a command that does nothing is told half-way, and ended with the numbers when its time is over', async () => {
  watch.start(1);
  await pass(IDLE_MS / 2 - 1_000);
  expect(said).toEqual([]);
  await pass(2_000);
  expect(said).toEqual([
    'info: the command did next to nothing for 5 min: CPU 0.0 % of a core, disk 0 B/s, network 0 B/s, no output; after 10 min of that it is ended',
  ]);
  await pass(IDLE_MS / 2 - 2_000);
  expect(idle).toEqual([]);
  await pass(2_000);
  expect(idle).toEqual(['for 10 min: CPU 0.0 % of a core, disk 0 B/s, network 0 B/s, no output']);
  await pass(IDLE_MS);
  expect(idle).toHaveLength(1);
});

test('output starts the time anew', async () => {
  watch.start(1);
  await pass(IDLE_MS - 60_000);
  watch.wrote(1);
  await pass(IDLE_MS - 60_000);
  expect(idle).toEqual([]);
  await pass(120_000);
  expect(idle).toHaveLength(1);
});

test('CPU time starts it anew, too', async () => {
  let cpuMs = 0;
  usage = async () => ({ cpuMs: (cpuMs += 2_000) });
  watch.start(1);
  await pass(3 * IDLE_MS);
  expect([said, idle]).toEqual([[], []]);
});

test('nothing is looked at once it is stopped', async () => {
  watch.start(1);
  await pass(60_000);
  await watch.stop();
  usage = () => Promise.reject(new Error('looked'));
  await pass(2 * IDLE_MS);
  expect([idle, troubles]).toEqual([[], []]);
});

test('a machine that cannot tell says so once, and ends nothing', async () => {
  usage = async () => undefined;
  watch.start(1);
  await pass(2 * IDLE_MS);
  expect(said).toEqual(['warning: what the command does cannot be measured here: --idle-timeout does nothing']);
  expect(idle).toEqual([]);
});

test('looks that fail end nothing, and are told once', async () => {
  usage = () => Promise.reject(new Error('no driver'));
  watch.start(1);
  await pass(2 * IDLE_MS);
  expect(idle).toEqual([]);
  expect(troubles).toEqual([new Error('no driver')]);
});
