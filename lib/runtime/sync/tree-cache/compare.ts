import type { WalkEntry } from '../../../capture/walk';
import type { Columns } from './snapshot';

/** Row for each entry of a walk, -1 for those that were not there. Both are in byte order. */
export function rowsOf(entries: readonly WalkEntry[], columns: Columns | undefined): Int32Array {
  const rows = new Int32Array(entries.length).fill(-1);
  const paths = columns?.paths ?? [];
  let row = 0;
  for (let index = 0; index < entries.length; index++) {
    const { path } = entries[index]!;
    // Most are the same: to see that is cheaper than to see which comes first.
    while (row < paths.length && paths[row] !== path && paths[row]! < path) row++;
    if (paths[row] === path) rows[index] = row++;
  }
  return rows;
}
