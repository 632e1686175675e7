import fc from 'fast-check';
import { ACTIVE, describeQuiet, lookAgain } from '../../../lib/agent/idle/judge';
import type { Look, Quiet, Usage } from '../../../lib/agent/idle/judge';

const EVERY_MS = 30_000;
const IDLE_MS = 10 * EVERY_MS;

/** What is done in one interval, as shares of the bounds. */
interface Step {
  readonly ms: number;
  readonly cpu: number;
  readonly disk: number;
  readonly network: number;
  readonly gpu: number;
  readonly written: number;
}

const NOTHING: Step = { ms: EVERY_MS, cpu: 0, disk: 0, network: 0, gpu: 0, written: 0 };

function isBusy(s: Step): boolean {
  return Math.max(s.cpu, s.disk, s.network, s.gpu) >= 1 || s.written > 0;
}

/** Looks after each step. */
function looksOf(steps: readonly Step[]): Look[] {
  const looks: Look[] = [{ at: 0, usage: { cpuMs: 0, diskBytes: 0, networkBytes: 0, gpuPercent: 0 }, written: 0 }];
  for (const { ms, cpu, disk, network, gpu, written } of steps) {
    const { at, usage, written: before } = looks.at(-1)!;
    const bytes = (ACTIVE.bytesPerS * ms) / 1000;
    const next = {
      cpuMs: usage.cpuMs + cpu * ACTIVE.cores * ms,
      diskBytes: usage.diskBytes! + disk * bytes,
      networkBytes: usage.networkBytes! + network * bytes,
      gpuPercent: gpu * ACTIVE.gpuPercent,
    };
    looks.push({ at: at + ms, usage: next, written: before + written });
  }
  return looks;
}

function judge(looks: readonly Look[]): Quiet[] {
  const found: Quiet[] = [];
  for (const look of looks) found.push(lookAgain(found.at(-1), look, EVERY_MS));
  return found;
}

// Away from the bound itself, where the arithmetic of the test's own counters decides.
const below = fc.double({ min: 0, max: 0.99, noNaN: true });
const quietStep = fc.record({ ms: fc.constant(EVERY_MS), cpu: below, disk: below, network: below, gpu: below, written: fc.constant(0) });
const above = fc.double({ min: 1.01, max: 50, noNaN: true });
const busyStep = fc
  .tuple(quietStep, above, fc.constantFrom('cpu', 'disk', 'network', 'gpu', 'written'))
  .map(([step, amount, what]): Step => ({ ...step, [what]: what === 'written' ? Math.ceil(amount) : amount }));
const anyStep = fc.oneof(quietStep, busyStep);

describe('a job', () => {
  test('is quiet for as long as no look saw it do something, to the millisecond', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const quiet = judge(looksOf(steps));
        let expected = 0;
        steps.forEach((step, i) => {
          expected = isBusy(step) ? 0 : expected + step.ms;
          expect(quiet[i + 1]!.ms).toBe(expected);
        });
      }),
    );
  });

  test('is never idle before its time has passed since it last did something', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ step: anyStep, ms: fc.integer({ min: 1, max: 20 * EVERY_MS }) }), { maxLength: 60 }), (timed) => {
        const steps = timed.map(({ step, ms }) => ({ ...step, ms }));
        const looks = looksOf(steps);
        let lastBusyAt = 0;
        judge(looks).forEach((quiet, i) => {
          if (i > 0 && isBusy(steps[i - 1]!)) lastBusyAt = looks[i]!.at;
          expect(quiet.ms).toBeLessThanOrEqual(looks[i]!.at - lastBusyAt);
        });
      }),
    );
  });

  test('that does less is not idle later', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), fc.double({ min: 0, max: 1, noNaN: true }), (steps, factor) => {
        const less = steps.map((s) => ({
          ...s,
          cpu: s.cpu * factor,
          disk: s.disk * factor,
          network: s.network * factor,
          gpu: s.gpu * factor,
        }));
        const [more, fewer] = [judge(looksOf(steps)), judge(looksOf(less))];
        more.forEach((quiet, i) => expect(fewer[i]!.ms).toBeGreaterThanOrEqual(quiet.ms));
      }),
    );
  });

  test('that writes a byte in each interval is never idle', () => {
    const quiet = judge(looksOf(Array.from({ length: 30 }, () => ({ ...NOTHING, written: 1 }))));
    expect(Math.max(...quiet.map(({ ms }) => ms))).toBe(0);
  });

  test('whose counters fall, because its processes have ended, is quiet and nothing is negative', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 2 }), (counters) => {
        const sorted = [...counters].sort((a, b) => b - a);
        const usage = (n: number): Usage => ({ cpuMs: n, diskBytes: n, networkBytes: n });
        const last = judge(sorted.map((n, i) => ({ at: i * EVERY_MS, usage: usage(n), written: 0 }))).at(-1)!;
        expect(last).toMatchObject({ ms: (sorted.length - 1) * EVERY_MS, done: { cpuMs: 0, diskBytes: 0, networkBytes: 0 } });
      }),
    );
  });

  test('is not called idle for a clock that jumps', () => {
    const jumps = [24 * 3_600_000, -24 * 3_600_000];
    const quiet = judge(looksOf(jumps.map((ms) => ({ ...NOTHING, ms }))));
    expect(quiet.map(({ ms }) => ms)).toEqual([0, 2 * EVERY_MS, 2 * EVERY_MS]);
  });

  test('of which disk, network and GPU cannot be told is judged by the rest', () => {
    const look = (at: number, cpuMs: number): Look => ({ at, usage: { cpuMs }, written: 0 });
    const quiet = lookAgain(lookAgain(undefined, look(0, 0), EVERY_MS), look(EVERY_MS, 60), EVERY_MS);
    expect(describeQuiet(quiet)).toBe('for 30 s: CPU 0.2 % of a core, no output');
    expect(lookAgain(quiet, look(2 * EVERY_MS, 60 + ACTIVE.cores * EVERY_MS), EVERY_MS).ms).toBe(0);
  });
});

test('the numbers are averages over the whole quiet time, and the busiest moment of the GPU', () => {
  const steps = [0.1, 0.3, 0.2].map((share) => ({ ...NOTHING, cpu: share, disk: share, network: share / 2, gpu: share }));
  expect(describeQuiet(judge(looksOf(steps)).at(-1)!)).toBe(
    'for 1 min 30 s: CPU 1.0 % of a core, disk 3.2 KiB/s, network 1.6 KiB/s, GPU 1.5 %, no output',
  );
});

test('looks are ten in the time that is allowed', () => {
  const quiet = judge(looksOf(Array.from({ length: 10 }, () => NOTHING)));
  expect(quiet.map(({ ms }) => ms >= IDLE_MS)).toEqual([...Array.from({ length: 10 }, () => false), true]);
});
