import * as v from 'valibot';
import { FindingsSchema } from './reaper';
import { EndSchema, OutcomeSchema } from './records';
import type { JobView } from './view';

/*
 * What the reaper puts on the account's default event bus, at least once: a rule may see the same end twice, and tells it by
 * the job. Nothing in it is secret. EventBridge: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */

/** Source of the events of one scaffolding. Of its own, so that IAM can tell who may speak for it. */
export function busSource(scaffold: string): string {
  return `rawcloud.${scaffold}`;
}

export const JOB_ENDED = 'Job Ended';
export const LEFTOVERS_FOUND = 'Leftovers Found';

/** Outcomes that nobody needs to be woken for. All others, of later versions too, are failures. */
export const NO_FAILURES: readonly string[] = ['ok', 'stopped'];

/** How much of a text for people an event carries. */
const MOST_TEXT = 1_000;
/** Leftovers of one list that an event names; `counts` has the true numbers. EventBridge takes 256 KB. */
const MOST_NAMED = 50;

const { outcome, reason, message, exitCode } = OutcomeSchema.entries;
const { usd, estimated } = EndSchema.entries.bill.entries;

/** Detail of {@link JOB_ENDED}: a run of a deployed job has come to its end, and its VMs are gone. */
export const JobEndedSchema = v.object({
  v: v.literal(1),
  scaffold: v.string(),
  /** The run. */
  job: v.string(),
  /** The deployed job. */
  id: v.string(),
  name: v.optional(v.string()),
  kind: v.picklist(['schedule', 'event']),
  tick: v.string(),
  outcome,
  reason,
  message,
  exitCode,
  /** ISO 8601 UTC. */
  createdAt: v.string(),
  endedAt: v.string(),
  bill: v.object({ usd, estimated }),
});
export type JobEnded = v.InferOutput<typeof JobEndedSchema>;

const { marked, removed, cleared, unproved } = FindingsSchema.entries;

/** Detail of {@link LEFTOVERS_FOUND}: a pass of the reaper that found something, or could not prove that there is nothing. */
export const LeftoversFoundSchema = v.object({
  v: v.literal(1),
  scaffold: v.string(),
  /** ISO 8601 UTC. */
  at: v.string(),
  counts: v.object({ marked: v.number(), removed: v.number(), cleared: v.number(), unproved: v.number() }),
  marked,
  removed,
  cleared,
  unproved,
});
export type LeftoversFound = v.InferOutput<typeof LeftoversFoundSchema>;

/** One event for {@link EventBus}. */
export type BusEvent =
  | { readonly detailType: typeof JOB_ENDED; readonly detail: JobEnded }
  | { readonly detailType: typeof LEFTOVERS_FOUND; readonly detail: LeftoversFound };

/** The end of a run of a deployed job. @returns undefined for jobs that somebody started by hand, and for those without an end */
export function jobEnded(scaffold: string, view: JobView): BusEvent | undefined {
  const { spec, outcome: decided, end } = view.objects;
  const source = spec?.value.source;
  if (!spec || !decided || !end || !source || source.kind === 'cli' || source.kind === 'api') return undefined;
  const { job, name, createdAt } = spec.value;
  const { outcome, reason, message, exitCode } = decided.value;
  const { at, bill } = end.value;
  const detail: JobEnded = {
    v: 1,
    scaffold,
    job,
    id: source.id,
    ...(name ? { name } : {}),
    kind: source.kind,
    tick: source.tick,
    outcome,
    reason,
    message: message.slice(0, MOST_TEXT),
    exitCode,
    createdAt,
    endedAt: new Date(at).toISOString(),
    bill: { usd: bill.usd, estimated: bill.estimated },
  };
  return { detailType: JOB_ENDED, detail };
}

/** Whether it is a run of a deployed job that has ended and did not do what it was for. */
export function isFailedRun(scaffold: string, view: JobView): boolean {
  const event = jobEnded(scaffold, view);
  return event?.detailType === JOB_ENDED && !NO_FAILURES.includes(event.detail.outcome);
}

type Found = Pick<LeftoversFound, 'marked' | 'removed' | 'cleared' | 'unproved'>;

/** @param at milliseconds since 1970 @returns undefined when there is nothing to tell */
export function leftoversFound(
  scaffold: string,
  at: number,
  found: { readonly [K in keyof Found]: readonly Found[K][number][] },
): BusEvent | undefined {
  const { marked, removed, cleared, unproved } = found;
  const counts = { marked: marked.length, removed: removed.length, cleared: cleared.length, unproved: unproved.length };
  if (Object.values(counts).every((count) => count === 0)) return undefined;
  const detail: LeftoversFound = {
    v: 1,
    scaffold,
    at: new Date(at).toISOString(),
    counts,
    marked: marked.slice(0, MOST_NAMED),
    removed: removed.slice(0, MOST_NAMED),
    cleared: cleared.slice(0, MOST_NAMED),
    unproved: unproved.slice(0, MOST_NAMED).map(({ what, error }) => ({ what, error: error.slice(0, MOST_TEXT) })),
  };
  return { detailType: LEFTOVERS_FOUND, detail };
}
