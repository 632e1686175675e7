import { jobOfThing, STACK_TAG, TAGS, TEMPLATE_TAG } from '../../contract';
import type { Leftover, LeftoverKind, LeftoverReason, Mark, Thing } from '../../contract';

/** What a pass has seen. Times in milliseconds since 1970. */
export interface Seen {
  /** The store's time. */
  readonly now: number;
  /** What carries the scaffolding's tag and is not on its way out; seen before `openJobs` were. */
  readonly things: readonly Thing[];
  /** Jobs with an active marker. A launch is recorded before it is called: without one there is nothing to run for. */
  readonly openJobs: ReadonlySet<string>;
  /** Those of them that could not be advanced in this pass. */
  readonly stuckJobs: ReadonlySet<string>;
  /** When each job of the index was created. */
  readonly knownJobs: ReadonlyMap<string, number>;
  /** Launch templates and security groups that the scaffolding and deployed jobs name. */
  readonly named: ReadonlySet<string>;
}

/** What is to be done about it. */
export interface Verdict {
  /** All marks, old and new. */
  readonly marks: readonly Mark[];
  readonly marked: readonly Leftover[];
  /** Marked before this pass for long enough: to be removed after a last look. */
  readonly due: readonly Mark[];
  readonly cleared: readonly Leftover[];
}

const MINUTE = 60_000;

/**
 * From mark to removal at least. A VM costs by the second and a job's end needs no second look of ours; an interface or
 * volume may be on its way to somebody by hand; templates and groups cost nothing, and a deployment may be under way.
 */
export const PATIENCE_MS: Readonly<Record<LeftoverKind, number>> = {
  vm: MINUTE,
  volume: 15 * MINUTE,
  interface: 15 * MINUTE,
  template: 24 * 60 * MINUTE,
  group: 24 * 60 * MINUTE,
};

/** A VM ends itself at the end of its lifetime, and drivers a minute later; then only who cannot read the job is left. */
export const OVERDUE_MS = 60 * MINUTE;

/** Between EC2's clock and the store's. */
const CLOCKS_DIFFER_MS = 10 * MINUTE;

/** Compares what there is with what there should be: a pure function. Nothing is due that an earlier pass did not mark. */
export function judge(seen: Seen, marks: readonly Mark[]): Verdict {
  // To be known as somebody else's is no mark: should it turn out to be ours, its time begins then.
  const before = new Map(marks.map((mark) => [key(mark), mark]));
  const known = ({ why, ...thing }: Leftover): Mark | undefined => {
    const mark = before.get(key(thing));
    return mark && (mark.why === 'foreign') === (why === 'foreign') ? mark : undefined;
  };
  const now = seen.things.flatMap((thing) => leftover(thing, seen));
  const found = new Map(now.map((l) => [key(l), { ...l, since: known(l)?.since ?? seen.now }]));
  const there = new Set(seen.things.map(key));
  return {
    marks: [...found.values()],
    marked: now.filter((l) => !known(l)),
    due: [...found.values()].filter((mark) => mark.why !== 'foreign' && seen.now - mark.since >= PATIENCE_MS[mark.kind]),
    cleared: marks.filter((mark) => there.has(key(mark)) && !found.has(key(mark))).map(({ since: _since, ...rest }) => rest),
  };
}

function key({ kind, id }: Pick<Leftover, 'kind' | 'id'>): string {
  return `${kind} ${id}`;
}

function leftover(thing: Thing, seen: Seen): Leftover[] {
  const why = reason(thing, seen);
  return why === undefined ? [] : [{ kind: thing.kind, id: thing.id, why, ...jobOfThing(thing) }];
}

function reason(thing: Thing, seen: Seen): LeftoverReason | undefined {
  switch (thing.kind) {
    case 'vm':
      return ofVm(thing, seen);
    case 'volume':
    case 'interface':
      return ofAttached(thing, seen);
    case 'template':
    case 'group':
      return thing.inUse || seen.named.has(thing.id) || STACK_TAG in thing.tags ? undefined : 'unused';
  }
}

function ofVm({ tags }: Thing, seen: Seen): LeftoverReason | undefined {
  const job = tags[TAGS.job];
  const template = tags[TEMPLATE_TAG];
  const isOurs = job !== undefined && template !== undefined && seen.named.has(template);
  // Its job is open: drivers know better.
  if (job !== undefined && seen.openJobs.has(job) && !seen.stuckJobs.has(job)) return undefined;
  if (!isOurs) return 'foreign';
  if (!seen.openJobs.has(job)) return 'no-open-job';
  const until = Date.parse(tags[TAGS.until] ?? '');
  return seen.now > until + OVERDUE_MS ? 'past-lifetime' : undefined;
}

/** It has the tags of a VM's launch; that the job is known, and was there before it, tells it from what somebody tagged. */
function ofAttached({ tags, inUse, createdAt }: Thing, seen: Seen): LeftoverReason | undefined {
  const job = tags[TAGS.job];
  if (inUse || (job !== undefined && seen.openJobs.has(job))) return undefined;
  const jobCreatedAt = job === undefined ? undefined : seen.knownJobs.get(job);
  if (jobCreatedAt === undefined) return 'foreign';
  return createdAt !== undefined && createdAt < jobCreatedAt - CLOCKS_DIFFER_MS ? 'foreign' : 'unattached';
}
