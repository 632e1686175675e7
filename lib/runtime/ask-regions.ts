import { mapBounded } from '../contract';
import type { LeftoverKind, OtherRegions, Thing } from '../contract';

/** Regions asked at once. */
const REGIONS_AT_ONCE = 8;

/** For all regions together. Mostly they take a few seconds; one that hangs shall not hold up what else there is to do. */
const ANSWER_WITHIN_MS = 30_000;

export interface Question {
  readonly regions: readonly string[];
  /** Name of the scaffolding. */
  readonly scaffold: string;
  readonly kinds: readonly LeftoverKind[];
}

export interface FailedRegion {
  readonly region: string;
  readonly error: unknown;
}

export interface Answers {
  readonly found: readonly { readonly region: string; readonly thing: Thing }[];
  readonly failed: readonly FailedRegion[];
}

/** Asks regions what carries a scaffolding's tag there. What fails in one does not stop the others. @throws the signal's reason */
export async function askRegions(others: OtherRegions, question: Question, signal?: AbortSignal): Promise<Answers> {
  const { regions, scaffold, kinds } = question;
  const late = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const options = { signal: signal ? AbortSignal.any([signal, late]) : late };
  const answers = await mapBounded(regions, REGIONS_AT_ONCE, async (region) => {
    try {
      return { region, things: await others.tagged(region, scaffold, kinds, options) };
    } catch (error) {
      signal?.throwIfAborted();
      return { region, error: late.aborted ? new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`, { cause: error }) : error };
    }
  });
  return {
    found: answers.flatMap(({ region, things = [] }) => things.map((thing) => ({ region, thing }))),
    failed: answers.flatMap(({ region, things, error }) => (things ? [] : [{ region, error }])),
  };
}
