import { ControlSchema, decodeJson, encodeJson, jobKeys, RawcloudError } from '../contract';
import type { Control, Store } from '../contract';

const EMPTY: Control = { v: 1, rev: -1, cancelled: [] };

/** Tries before giving up; each lost one means that somebody else changed the record in between. */
const MOST_TRIES = 12;

/**
 * Changes control.json by compare and swap.
 * @param change gets what is there (and the store's time) and returns what shall be, or undefined to leave it
 * @returns what is there now
 */
export async function updateControl(
  store: Store,
  prefix: string,
  change: (control: Control, now: number) => Control | undefined,
): Promise<Control> {
  const key = jobKeys.control(prefix);
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const found = await store.get(key);
    const there =
      found === 'absent' || found === 'unchanged'
        ? undefined
        : { control: decodeJson(ControlSchema, found.body, 'control.json'), ...found };
    const control = there?.control ?? EMPTY;
    const next = change(control, there?.now ?? 0);
    if (!next) return control;
    const record = { ...next, rev: control.rev + 1 };
    const written = await store.put(key, encodeJson(record), { if: there ? { etag: there.etag } : 'absent' });
    if (written !== 'lost') return record;
  }
  throw new RawcloudError('E_AWS', `control.json was changed by others ${MOST_TRIES} times in a row`, {
    retryable: true,
    remedy: 'Try again.',
  });
}
