import fc from 'fast-check';
import { WalkEntries } from '../../lib/capture/entries';
import type { WalkEntry } from '../../lib/capture/entries';

const number = fc.double({ noNaN: true, min: 0, max: 2 ** 60 });
const stats = fc.record({ ino: number, size: fc.nat(), mtimeMs: number, ctimeMs: number, mode: fc.constantFrom(0o644, 0o755, 0o100) });
const file = fc.record({ type: fc.constant('file' as const), stats });
const link = fc.record({ type: fc.constant('link' as const), target: fc.string() });
const thing = fc.oneof(file, link, fc.record({ type: fc.constant('directory' as const) }));
const tree = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 4 }), thing), { selector: ([path]) => path, maxLength: 30 });

test('gives back what was found, as it came and in order of paths, and counts it', () => {
  const law = fc.property(tree, (drawn) => {
    const entries = new WalkEntries();
    const expected = drawn.map(([path, one]): WalkEntry => {
      if (one.type === 'directory') return (entries.pushDirectory(path), { type: 'directory', path });
      if (one.type === 'link') return (entries.pushLink(path, one.target), { type: 'link', path, target: one.target });
      const { ino: inode, size, mtimeMs, ctimeMs, mode } = one.stats;
      entries.pushFile(path, one.stats);
      return { type: 'file', path, bytes: size, executable: mode !== 0o644, stamp: { inode, size, mtimeMs, ctimeMs } };
    });
    expect([...entries]).toEqual(expected);
    expect([...entries.sorted()]).toEqual([...expected].sort((a, b) => (a.path < b.path ? -1 : 1)));
    const bytes = expected.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.bytes : 0), 0);
    expect(entries.sorted().count()).toEqual({
      entries: drawn.length,
      files: expected.filter(({ type }) => type === 'file').length,
      bytes,
    });
  });
  fc.assert(law);
});

test('keeps thousands, and sees which of them have another stamp', () => {
  const entries = new WalkEntries();
  const stamps = new Float64Array(4 * 5000);
  for (let row = 0; row < 5000; row++) {
    entries.pushFile(`${row}`, { ino: row, size: 1, mtimeMs: 2, ctimeMs: 3, mode: 0o644 });
    stamps.set([row, 1, 2, 3], 4 * row);
  }
  expect(entries.unlike(stamps).includes(1)).toBe(false);
  entries.restamp(4321, { inode: 4321, size: 1, mtimeMs: 2, ctimeMs: 3.5 });
  expect(entries.unlike(stamps).indexOf(1)).toBe(4321);
  expect(entries.unlike(stamps).lastIndexOf(1)).toBe(4321);
});
