import { bucketKeys, decodeJson, encodeJson, MarksSchema, RawcloudError } from '../../contract';
import type { Elsewhere, Mark, Marks, Store } from '../../contract';

/** Marks are written anew after this long though nothing changed: so it shows that the reaper is alive. */
export const SIGN_OF_LIFE_MS = 60 * 60_000;

/** The marks of earlier passes. `now`: the store's time, milliseconds since 1970. */
export interface KnownMarks {
  readonly marks: readonly Mark[];
  readonly elsewhere?: Elsewhere;
  readonly rev: number;
  readonly etag: string;
  readonly modified: number;
  readonly now: number;
}

/** @throws E_NEWER, E_RECORD */
export async function readMarks(store: Store, by: string, signal?: AbortSignal): Promise<KnownMarks> {
  const options = signal ? { signal } : {};
  for (let attempt = 1; ; attempt++) {
    const found = await store.get(bucketKeys.reaperMarks, options);
    if (typeof found !== 'string') {
      const { marks, rev, elsewhere } = decodeJson(MarksSchema, found.body, 'the marks of the reaper');
      return { marks, ...(elsewhere ? { elsewhere } : {}), rev, etag: found.etag, modified: found.modified, now: found.now };
    }
    // The first pass of all. Who loses the race reads what the other wrote.
    const first: Marks = { v: 1, rev: 0, by, marks: [] };
    await store.put(bucketKeys.reaperMarks, encodeJson(first), { if: 'absent', ...options });
    if (attempt > 3) throw new RawcloudError('E_RECORD', `${bucketKeys.reaperMarks} cannot be read after it was written`);
  }
}

/** @returns false when another pass has written meanwhile: its marks stand, and the next pass goes on from them */
export async function writeMarks(
  store: Store,
  known: KnownMarks,
  found: Required<Pick<KnownMarks, 'marks' | 'elsewhere'>>,
  by: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const { marks, elsewhere } = found;
  const isSame = JSON.stringify([marks, elsewhere]) === JSON.stringify([known.marks, known.elsewhere]);
  if (isSame && known.now - known.modified < SIGN_OF_LIFE_MS) return true;
  const record: Marks = { v: 1, rev: known.rev + 1, by, marks: [...marks], elsewhere };
  const written = await store.put(bucketKeys.reaperMarks, encodeJson(record), { if: { etag: known.etag }, ...(signal ? { signal } : {}) });
  return written !== 'lost';
}
