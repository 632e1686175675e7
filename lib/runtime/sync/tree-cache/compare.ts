import type { WalkEntry } from '../../../capture/walk';
import type { Snapshot } from './snapshot';

/** Row of a snapshot for each entry of a walk, -1 for those that it does not hold. Both are in byte order. */
export function rowsOf(entries: readonly WalkEntry[], snapshot: Snapshot | undefined): Int32Array {
  const rows = new Int32Array(entries.length).fill(-1);
  if (!snapshot) return rows;
  let row = 0;
  entries.forEach(({ path }, index) => {
    while (row < snapshot.rows && snapshot.path(row) < path) row++;
    if (row < snapshot.rows && snapshot.path(row) === path) rows[index] = row;
  });
  return rows;
}
