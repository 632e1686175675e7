import { RawcloudError } from '../../lib/contract';
import type { Clock } from '../../lib/contract';
import { recordFailed } from '../../lib/runtime/run/launch';
import { persist } from '../../lib/runtime/run/persist';

/** A clock that jumps when somebody sleeps. */
function jumpingClock(): Clock & { slept: number } {
  let now = 0;
  return {
    slept: 0,
    now: () => now,
    sleep(ms) {
      now += ms;
      this.slept += ms;
      return Promise.resolve();
    },
  };
}

const busy = new RawcloudError('E_AWS', 'SlowDown', { retryable: true });

test('what may pass is tried again for a minute, at growing distances', async () => {
  const clock = jumpingClock();
  let calls = 0;
  const answer = await persist(clock, async () => {
    calls += 1;
    if (clock.slept < 50_000) throw busy;
    return 'done';
  });
  expect(answer).toBe('done');
  expect(calls).toBeLessThan(25);
});

test('fails with the last error after a minute', async () => {
  const clock = jumpingClock();
  await expect(persist(clock, () => Promise.reject(busy))).rejects.toBe(busy);
  expect(clock.slept).toBeGreaterThanOrEqual(60_000);
  expect(clock.slept).toBeLessThan(70_000);
});

test('fails at once with what no repetition will change', async () => {
  const clock = jumpingClock();
  const denied = new RawcloudError('E_PERMISSION', 'AccessDenied');
  await expect(persist(clock, () => Promise.reject(denied))).rejects.toBe(denied);
  expect(clock.slept).toBe(0);
});

test('a job that could not be recorded says that no VM was launched, and how to make sure that none will be', () => {
  const error = recordFailed('jabc', busy);
  expect(error).toMatchObject({ code: 'E_AWS', message: 'job jabc could not be recorded: SlowDown', cause: busy });
  expect(error.remedy).toMatch(/No VM was launched\. rawcloud stop jabc/);
});
