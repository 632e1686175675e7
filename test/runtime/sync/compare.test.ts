import fc from 'fast-check';
import { WalkEntries } from '../../../lib/capture/entries';
import { compare } from '../../../lib/runtime/sync/tree-cache/compare';
import { emptyColumns } from '../../../lib/runtime/sync/tree-cache/snapshot';

const entriesOf = (paths: readonly string[]): WalkEntries => {
  const entries = new WalkEntries();
  for (const path of paths) entries.pushDirectory(path);
  return entries;
};

const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', '/', '\xff', '0'), minLength: 1, maxLength: 5 });
const paths = fc.uniqueArray(name, { maxLength: 12 }).map((names) => names.sort());

test('each path finds its row, and what has gone is named', () => {
  const law = fc.property(paths, paths, fc.boolean(), (before, drawn, same) => {
    const now = same ? before : drawn;
    const columns = emptyColumns(before.length, before.map((path) => `${path}\0`).join(''));
    const { rows, gone, aligned } = compare(entriesOf(now), columns);
    expect([...rows]).toEqual(now.map((path) => before.indexOf(path)));
    expect(gone).toEqual(before.filter((path) => !now.includes(path)));
    expect(aligned).toBe(before.join() === now.join());
  });
  fc.assert(law, { numRuns: 500 });
});

test('without anything to compare with all is new', () => {
  expect(compare(entriesOf(['a', 'b']), undefined)).toEqual({ rows: new Int32Array([-1, -1]), gone: [], aligned: false });
});
