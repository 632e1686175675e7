import { Rate } from '../../bin/render/rate';

const MIB = 2 ** 20;

function rate() {
  let now = 5_000;
  const made = new Rate({ now: () => now });
  return { text: (bytes: number) => made.text(bytes, 100 * MIB), pass: (ms: number) => (now += ms) };
}

test('nothing is said of the rate of less than a second, or of nothing', () => {
  const { text, pass } = rate();
  expect(text(0)).toBe('0 B of 100 MiB');
  pass(900);
  expect(text(50 * MIB)).toBe('50.0 MiB of 100 MiB');
  const still = rate();
  still.text(MIB);
  still.pass(5_000);
  expect(still.text(MIB)).toBe('1.0 MiB of 100 MiB');
});

test('the rate, and the time that is left at that rate', () => {
  const { text, pass } = rate();
  text(0);
  pass(2_000);
  expect(text(20 * MIB)).toBe('20.0 MiB of 100 MiB · 10.0 MiB/s · 8 s to go');
  pass(8_000);
  expect(text(100 * MIB)).toBe('100 MiB of 100 MiB · 10.0 MiB/s');
});

test('what came at once, as it was there already, is forgotten', () => {
  const { text, pass } = rate();
  text(0);
  pass(300);
  text(80 * MIB);
  for (const done of [81, 82, 83]) {
    pass(5_000);
    text(done * MIB);
  }
  expect(text(83 * MIB)).toBe('83.0 MiB of 100 MiB · 205 KiB/s · 1 min 25 s to go');
});
