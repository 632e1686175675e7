import * as v from 'valibot';
import { TAGS } from './tags';

/**
 * What the reaper knows from pass to pass, and says of what it found.
 *
 *     (not known) ──found──▶ marked ──still so, patience over, last look──▶ removed ──gone from EC2──▶ (not known)
 *                              │  ▲                                            │
 *                              │  └──────────────────still there───────────────┘
 *                              └──in use again, or its job is open──▶ cleared
 *     (not known) ──carries our tag, is not ours──▶ foreign: said once, never touched
 *     (not known) ──carries our tag in a region that has no scaffolding of its name──▶ elsewhere: said once, never touched
 */

export const LeftoverKindSchema = v.picklist(['vm', 'volume', 'interface', 'template', 'group']);
export type LeftoverKind = v.InferOutput<typeof LeftoverKindSchema>;

export const LeftoverReasonSchema = v.picklist([
  /** A VM whose job is over, or was never recorded. */
  'no-open-job',
  /** A VM of an open job whose records nobody can act upon, later than it said that it would end. */
  'past-lifetime',
  /** A volume or interface of a VM that is gone. */
  'unattached',
  /** A launch template or security group that nothing names. */
  'unused',
  /** Carries our tag, but none of what a launch of ours leaves: not touched. */
  'foreign',
  /** Carries our tag in a region that has no scaffolding of that name: nobody looks after it, and nothing proves whose it is. Not touched. */
  'elsewhere',
]);
export type LeftoverReason = v.InferOutput<typeof LeftoverReasonSchema>;

export const LeftoverSchema = v.object({
  kind: LeftoverKindSchema,
  /** As EC2 calls it: `i-…`, `vol-…`. */
  id: v.string(),
  why: LeftoverReasonSchema,
  /** The job that its tag names. */
  job: v.optional(v.string()),
  /** Of what is elsewhere. @default - the scaffolding's own */
  region: v.optional(v.string()),
});
export type Leftover = v.InferOutput<typeof LeftoverSchema>;

/** `since`: when a pass first saw it so, milliseconds since 1970, the store's clock. */
export const MarkSchema = v.object({ ...LeftoverSchema.entries, since: v.number() });
export type Mark = v.InferOutput<typeof MarkSchema>;

/** What is known of the account's other regions. Not among the marks: nothing of it is ever due. */
export const ElsewhereSchema = v.object({
  /** When a pass last set out to look in all of them, milliseconds since 1970, the store's clock. */
  at: v.number(),
  /** Regions that could not be asked then: the next pass asks them again. */
  unasked: v.array(v.string()),
  /** Said once. */
  found: v.array(LeftoverSchema),
});
export type Elsewhere = v.InferOutput<typeof ElsewhereSchema>;

/** `v1/reaper/marks.json`: written by passes that changed something, and once an hour. */
export const MarksSchema = v.object({
  v: v.literal(1),
  rev: v.number(),
  /** Who made the pass that wrote it. */
  by: v.string(),
  marks: v.array(MarkSchema),
  elsewhere: v.optional(ElsewhereSchema),
});
export type Marks = v.InferOutput<typeof MarksSchema>;

/** What could not be looked at or ended, with the error's text. */
export const UnprovedSchema = v.object({ what: v.string(), error: v.string() });
export type Unproved = v.InferOutput<typeof UnprovedSchema>;

/** Content that nobody needed any more: objects of the bucket, and their bytes. */
export const SweptSchema = v.object({ objects: v.number(), bytes: v.number() });
export type Swept = v.InferOutput<typeof SweptSchema>;

/** `v1/reaper/findings/…`: one pass that found something. */
export const FindingsSchema = v.object({
  v: v.literal(1),
  /** The store's time, milliseconds since 1970. */
  at: v.number(),
  by: v.string(),
  /** Found in this pass. */
  marked: v.array(LeftoverSchema),
  /** Told to end or deleted. */
  removed: v.array(LeftoverSchema),
  /** Marked before, and no leftover any more though it is there. */
  cleared: v.array(LeftoverSchema),
  swept: v.optional(SweptSchema),
  unproved: v.array(UnprovedSchema),
});
export type Findings = v.InferOutput<typeof FindingsSchema>;

/** Something in EC2 that carries the scaffolding's tag. */
export interface Thing {
  readonly kind: LeftoverKind;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  /** A VM is never. A volume or interface that is attached, a group with interfaces. */
  readonly inUse: boolean;
  /** Milliseconds since 1970, EC2's clock; not told of all kinds. */
  readonly createdAt?: number;
}

/** A VM as one of them. */
export function vmThing({ id, tags, launchedAt }: Pick<Thing, 'id' | 'tags'> & { readonly launchedAt: number }): Thing {
  return { kind: 'vm', id, tags, inUse: false, createdAt: launchedAt };
}

/** Tag that EC2 itself puts on what is launched from a template, and nobody else can. Source: EC2 user guide, launch templates. */
export const TEMPLATE_TAG = 'aws:ec2launchtemplate:id';

/** Tag of everything that a CloudFormation stack holds: the stack removes it, not we. */
export const STACK_TAG = 'aws:cloudformation:stack-id';

/** The job that a thing's tag names. */
export function jobOfThing({ tags }: Pick<Thing, 'tags'>): { job?: string } {
  const job = tags[TAGS.job];
  return job === undefined ? {} : { job };
}
