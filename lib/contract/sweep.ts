import * as v from 'valibot';

/*
 * Content (packs, trees, agents, environments) is shared by jobs and clients that know nothing of one another, so nobody counts who needs it.
 * Three rules take the place of counting; `docs/reaper.md` says why they are enough.
 *
 * 1. Who names content in a job has seen it younger than RENEW_AFTER_MS, or has made it new, at most 24 hours before.
 * 2. Only what is older than UNUSED_AFTER_MS and named by no open job is deleted.
 * 3. What is about to be deleted stands in the sweep record first, and is looked at once more after that. Who names content
 *    reads the record before the first and after the last look at it: while it stands there he waits, and when the record has
 *    changed he looks again.
 */

/** Content that is older is made new by whoever is about to name it. */
export const RENEW_AFTER_MS = 14 * 24 * 3_600_000;

/**
 * Older content that no open job names is deleted. The jobs of the last 30 days keep theirs: content was at most 14 days old
 * when it was seen, seen at most a day before the upload, and the upload is given another 15 days.
 */
export const UNUSED_AFTER_MS = 60 * 24 * 3_600_000;

/** From one sweep to the next. */
export const SWEEP_EVERY_MS = 24 * 3_600_000;

/** No sweep deletes for longer. */
export const SWEEP_LIMIT_MS = 4 * 60_000;

/** A sweep that was broken off is taken over after this long: by then its last requests have arrived, or never will. */
export const SWEEP_TAKEOVER_MS = 10 * 60_000;

/** `v1/sweep/now.json`: written by the reaper alone, read by everybody who names content. */
export const SweepSchema = v.object({
  v: v.literal(1),
  /** Goes up whenever keys come or go. */
  rev: v.number(),
  by: v.string(),
  /** Keys that are being deleted just now; none between sweeps. */
  keys: v.array(v.string()),
  /** There was more to delete than one pass does: the next one goes on at once. */
  more: v.boolean(),
});
export type Sweep = v.InferOutput<typeof SweepSchema>;
