import fc from 'fast-check';
import { encodeFrame, encodeTrailer, execDocument, FrameReader, TrailerReader } from '../../lib/contract';
import type { Frame } from '../../lib/contract';

/** The same bytes in pieces. */
function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0, n = 0; at < bytes.byteLength; n++) {
    const size = sizes[n % sizes.length]!;
    found.push(bytes.subarray(at, at + size));
    at += size;
  }
  return found;
}

const sizes = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 5 });

describe('frames', () => {
  const frames = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constantFrom<Frame['kind']>('input', 'stdout', 'stderr'),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 8000 }),
      }),
      fc.record({ kind: fc.constantFrom<Frame['kind']>('end-of-input', 'alive', 'ready'), bytes: fc.constant(new Uint8Array()) }),
    ),
    { maxLength: 8 },
  );

  test('are read as they were written, in whatever pieces they come, by way of plain text lines of 4 KiB', () => {
    fc.assert(
      fc.property(frames, sizes, (written, cut) => {
        const text = written.map(({ kind, bytes }) => encodeFrame(kind, bytes)).join('');
        for (const line of text.split('\n')) expect(line).toMatch(/^[\x20-\x7e]{0,4097}$/);
        const reader = new FrameReader();
        const read = pieces(Buffer.from(text), cut).flatMap((piece) => reader.push(piece));
        const streams = (kind: string, from: readonly { kind: string; bytes?: Uint8Array | undefined }[]): Buffer =>
          Buffer.concat(from.flatMap((frame) => (frame.kind === kind ? [frame.bytes ?? new Uint8Array()] : [])));
        for (const kind of ['input', 'stdout', 'stderr']) expect(streams(kind, read).equals(streams(kind, written))).toBe(true);
        const marks = (from: readonly { kind: string }[]): string[] =>
          from.map(({ kind }) => kind).filter((kind) => /ready|alive|end/.test(kind));
        expect(marks(read)).toEqual(marks(written));
      }),
    );
  });

  test('of a kind that a newer version may send are passed over', () => {
    expect(new FrameReader().push(Buffer.from('Zabc\n\nk\n'))).toEqual([{ kind: 'alive' }]);
  });
});

describe('the end of a command in a terminal', () => {
  test('is found and not shown, whatever comes before it and in whatever pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), sizes, fc.integer({ min: 0, max: 255 }), (output, cut, code) => {
        const reader = new TrailerReader('n0nce');
        const all = Buffer.concat([output, Buffer.from(encodeTrailer('n0nce', { code }))]);
        const read = pieces(all, cut).map((piece) => reader.push(piece));
        expect(Buffer.concat(read.map(({ shown }) => shown)).equals(Buffer.from(output))).toBe(true);
        expect(read.flatMap(({ result }) => result ?? [])).toEqual([{ code }]);
      }),
    );
  });

  test('cannot be said by the command, which does not know the nonce', () => {
    const forged = encodeTrailer('another', { code: 0 });
    expect(new TrailerReader('n0nce').push(Buffer.from(`${forged}.`))).toEqual({ shown: Buffer.from(`${forged}.`) });
  });
});

test('the session document takes nothing but its mode, and starts nothing but the entry of the job', () => {
  const text = JSON.stringify(execDocument());
  expect(text.match(/{{[^}]*}}/g)).toEqual(['{{ mode }}']);
  expect(execDocument()).toMatchObject({
    sessionType: 'InteractiveCommands',
    parameters: { mode: { allowedPattern: '^(terminal|rawcloud)$' } },
  });
});
