import fc from 'fast-check';
import { LOG_STREAMS } from '../../lib/contract';
import type { LogStream } from '../../lib/contract';
import { HeldOutput } from '../../lib/agent/held-output';

const stream = fc.constantFrom<LogStream>(...LOG_STREAMS);
const piece = fc.tuple(
  stream,
  fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.integer({ min: 1, max: 100_000 }).map((n) => new Uint8Array(n).fill(n)),
  ),
);

test('whatever is held comes out again, in order, with its offsets', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 200_000 }), (pieces, limit) => {
      const held = new HeldOutput();
      pieces.forEach(([from, bytes]) => held.add(from, bytes, 0, 0));
      const out: Record<LogStream, Buffer[]> = { stdout: [], stderr: [], system: [], environment: [] };
      while (held.bytes > 0) {
        for (const run of held.take(limit)) {
          expect(run.offset).toBe(Buffer.concat(out[run.stream]).byteLength);
          out[run.stream].push(Buffer.from(run.bytes));
        }
      }
      for (const name of LOG_STREAMS) {
        const written = Buffer.concat(pieces.filter(([from]) => from === name).map(([, bytes]) => bytes));
        expect(Buffer.concat(out[name]).equals(written)).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

test('single bytes of two streams in turn weigh what they cost', () => {
  const held = new HeldOutput();
  for (let i = 0; i < 1_000; i++) held.add(i % 2 ? 'stdout' : 'stderr', Buffer.of(1), 0, 0);
  expect(held.bytes).toBe(1_000);
  expect(held.weight).toBeGreaterThan(100_000);
});

test('single bytes of one stream become few runs', () => {
  const held = new HeldOutput();
  for (let i = 0; i < 100_000; i++) held.add('stdout', Buffer.of(i), 0, 0);
  expect(held.take(Infinity).length).toBe(2);
});
