import * as v from 'valibot';
import { EnvironmentCacheSchema } from './environments';
import { OfferSchema } from './offers';
import { RefSchema } from './spec';

/**
 * The JSON objects of the bucket. Who writes which, and how, stands in `docs/protocol.md`.
 *
 * Records that are rewritten carry `rev`, which their writer counts up: of two copies of the same
 * record the one with the higher `rev` is the newer, in whatever order they arrive.
 */

/** Milliseconds since 1970. */
const Ms = v.number();

/** Start and end in milliseconds since 1970 (the writer's clock) of each named phase. */
export const TimingsSchema = v.record(v.string(), v.tuple([Ms, Ms]));
export type Timings = v.InferOutput<typeof TimingsSchema>;

/** Why and how one command ended. */
export const ExitSchema = v.object({
  /** What the CLI leaves with: the command's own code, 128 + signal, 124 on timeout … */
  code: v.number(),
  signal: v.optional(v.string()),
  outOfMemory: v.boolean(),
  /** 'not-found' is 127, 'not-executable' 126. */
  reason: v.picklist(['exited', 'signal', 'timeout', 'stopped', 'interrupted', 'not-found', 'not-executable']),
});
export type Exit = v.InferOutput<typeof ExitSchema>;

/** Failure classes of AWS calls; the table that fills them is `lib/aws/errors.ts`. */
export const FailureClassSchema = v.picklist([
  'capacity',
  'quota',
  'permission',
  'throttled',
  'request',
  'credentials',
  'unavailable',
  'cancelled',
]);
export type FailureClass = v.InferOutput<typeof FailureClassSchema>;

/** How the parts wait; carried in launch record and grant so that tests shorten them without hooks. */
export const IntervalsSchema = v.object({
  /** Between beats while nothing changes and someone watches. */
  beatMs: Ms,
  /** The same while nobody watches. */
  idleBeatMs: Ms,
  /** Least time between two log chunks while someone watches. */
  flushMs: Ms,
  /** The same while nobody watches. */
  idleFlushMs: Ms,
  /** Between looks at control.json while someone watches. */
  controlMs: Ms,
  /** The same while nobody watches: how late the VM hears of a stop or of a watcher. */
  idleControlMs: Ms,
  /** From boot to the agent's first beat, before a driver calls the boot failed. */
  bootMs: Ms,
  /** Without a beat for this long, a driver calls the VM lost. */
  lostMs: Ms,
});
export type Intervals = v.InferOutput<typeof IntervalsSchema>;

/** launch/<n>.json: one call of RunInstances. */
export const LaunchSchema = v.object({
  v: v.literal(1),
  rev: v.number(),
  job: v.string(),
  n: v.number(),
  /** How many VMs of the job were lost before: the try that this launch is for. @default 0 */
  attempt: v.optional(v.number()),
  offer: OfferSchema,
  /** Why this offer is tried now: its place in the plan, or what became of the one before. */
  reason: v.optional(v.string()),
  /** Offers to go on with when this one has no capacity, best first. */
  rest: v.array(OfferSchema),
  /** The input of RunInstances as JSON text: replayed as it stands. */
  request: v.string(),
  token: v.string(),
  intervals: IntervalsSchema,
  agent: RefSchema,
  node: RefSchema,
  /** Unique id of the role of this launch's VMs. @default - the scaffolding's */
  roleId: v.optional(v.string()),
  state: v.picklist(['intent', 'launched', 'failed']),
  failure: v.optional(v.object({ class: FailureClassSchema, code: v.string(), message: v.string(), remedy: v.optional(v.string()) })),
  instances: v.array(v.object({ id: v.string(), vm: v.string(), granted: v.boolean() })),
  /** What disks cost in this region when the plan was made, for the bill. @default - the built-in rate */
  gp3UsdPerGiBMonth: v.optional(v.number()),
  /** Phases on the launching side up to here: plan, capture, upload, record, launch. */
  timings: TimingsSchema,
});
export type Launch = v.InferOutput<typeof LaunchSchema>;

/** control.json: what clients ask of a running job. */
export const ControlSchema = v.object({
  v: v.literal(1),
  rev: v.number(),
  stop: v.optional(v.object({ at: Ms, by: v.string() })),
  cancelled: v.array(v.tuple([v.number(), v.number()])),
  /** Someone watches until then (store's clock): flush faster. */
  watchUntil: v.optional(Ms),
  /** Moved end of the VMs' lifetime (store's clock). */
  lifetimeUntil: v.optional(Ms),
});
export type Control = v.InferOutput<typeof ControlSchema>;

/** task/<block>/claim.json */
export const ClaimSchema = v.object({ v: v.literal(1), vm: v.string(), epoch: v.number(), nonce: v.string() });
export type Claim = v.InferOutput<typeof ClaimSchema>;

/** task/<block>/done.json: first wins. */
export const DoneSchema = v.object({
  v: v.literal(1),
  vm: v.string(),
  epoch: v.number(),
  nonce: v.string(),
  results: v.array(v.object({ task: v.number(), exit: ExitSchema, startedAt: Ms, endedAt: Ms })),
});
export type Done = v.InferOutput<typeof DoneSchema>;

/** One file that came back, relative to the tree's root. */
export const OutputFileSchema = v.object({ path: v.string(), bytes: v.number(), kept: v.boolean() });
export type OutputFile = v.InferOutput<typeof OutputFileSchema>;

/** vm/<id>/beat.json: how the VM is. */
export const BeatSchema = v.object({
  v: v.literal(1),
  rev: v.number(),
  bootId: v.string(),
  phase: v.picklist(['preparing', 'idle', 'busy', 'ending']),
  /** True in the VM's last beat: log, result and files are in the bucket, it powers off next. */
  final: v.boolean(),
  /** What it is doing, for people: `unpacking 3 of 12 packs`. */
  detail: v.optional(v.string()),
  blocks: v.array(v.number()),
  /** Number of the last log chunk in the bucket, −1 before the first. */
  lastLog: v.number(),
  exit: v.optional(ExitSchema),
  timings: TimingsSchema,
  /** Requests to the store so far, for the bill. */
  requests: v.object({ put: v.number(), get: v.number() }),
  /** New files of the job; the pack with the kept ones is `vm/<id>/out/<outPack>`. */
  outputs: v.optional(v.object({ files: v.array(OutputFileSchema), omitted: v.number(), tree: v.optional(RefSchema) })),
  /** End of the credentials that the job holds. */
  credentialsUntil: v.optional(Ms),
  notices: v.array(v.object({ level: v.picklist(['info', 'warning']), text: v.string() })),
});
export type Beat = v.InferOutput<typeof BeatSchema>;

/** outcome.json: first wins. `reason` is for machines, `message` for people. */
export const OutcomeSchema = v.object({
  v: v.literal(1),
  outcome: v.picklist(['ok', 'failed', 'stopped', 'timeout', 'refused', 'environment', 'lost', 'budget']),
  reason: v.string(),
  message: v.string(),
  /** What to do about it. */
  remedy: v.optional(v.string()),
  /** What `rawcloud run` leaves with. */
  exitCode: v.number(),
  by: v.string(),
  at: Ms,
});
export type Outcome = v.InferOutput<typeof OutcomeSchema>;

export const BillLineSchema = v.object({ what: v.string(), quantity: v.number(), unit: v.string(), usd: v.number() });
export const BillSchema = v.object({
  lines: v.array(BillLineSchema),
  usd: v.number(),
  /** True when an end was not seen and had to be guessed, or the price was. */
  estimated: v.boolean(),
  priceSource: v.string(),
});
export type Bill = v.InferOutput<typeof BillSchema>;

/** end.json: every VM proved gone. */
export const EndSchema = v.object({
  v: v.literal(1),
  at: Ms,
  by: v.string(),
  bill: BillSchema,
  vms: v.array(v.object({ id: v.string(), launchedAt: v.optional(Ms), endedAt: v.optional(Ms), endSeen: v.boolean() })),
});
export type End = v.InferOutput<typeof EndSchema>;

/** Temporary AWS credentials. Secret. */
export const CredentialsSchema = v.object({
  accessKeyId: v.string(),
  secretAccessKey: v.string(),
  sessionToken: v.optional(v.string()),
  expiresAt: v.optional(v.string()),
});
export type Credentials = v.InferOutput<typeof CredentialsSchema>;

/** v1/sealed/<job>: what any driver must be able to hand to a VM. Secret; no VM reads it. */
export const SealedSchema = v.object({
  v: v.literal(1),
  prefix: v.string(),
  variables: v.record(v.string(), v.string()),
  credentials: v.optional(CredentialsSchema),
  /** @default - VMs build their environments themselves */
  environments: v.optional(EnvironmentCacheSchema),
  /** See {@link HomeFiles}. @default - none */
  homeFiles: v.optional(v.record(v.string(), v.string())),
  /** What builders of layers need, by `<kind of layer>:<name>`: credentials of package registries. @default - nothing */
  builderSecrets: v.optional(v.record(v.string(), v.string())),
});
export type Sealed = v.InferOutput<typeof SealedSchema>;

/**
 * v1/private/<vm>/grant.json: all that one VM needs. Secret; no client reads it.
 * Written by {@link encodeGrant}, so that the bootstrap (bash, sed) finds the first three values on lines of their own.
 */
export const GrantSchema = v.object({
  v: v.literal(1),
  prefix: v.string(),
  nodeSha256: v.string(),
  agentSha256: v.string(),
  /** As in the launch: epoch of the VM's claims. @default 0 */
  attempt: v.optional(v.number()),
  /** 0, then the end of the credentials in it: of two grants the higher one is the newer. */
  serial: v.number(),
  variables: v.record(v.string(), v.string()),
  credentials: v.optional(CredentialsSchema),
  /** As in the sealed object. */
  environments: v.optional(EnvironmentCacheSchema),
  /** See {@link HomeFiles}. @default - none */
  homeFiles: v.optional(v.record(v.string(), v.string())),
  /** As in the sealed object. */
  builderSecrets: v.optional(v.record(v.string(), v.string())),
  intervals: IntervalsSchema,
  /** End of the VM's lifetime, milliseconds since 1970. */
  lifetimeUntil: Ms,
  /** Whether `rawcloud exec` may enter. @default false */
  exec: v.optional(v.boolean()),
});
export type Grant = v.InferOutput<typeof GrantSchema>;

/** Grant as stored: one top-level member a line, in the schema's order. */
export function encodeGrant(grant: Grant): Uint8Array {
  const lines = Object.entries(grant).map(([name, value]) => ` ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return Buffer.from(`{\n${lines.join(',\n')}\n}\n`);
}

/** v1/active/<job>: the job is not ended; drivers find it here. */
export const ActiveSchema = v.object({
  v: v.literal(1),
  job: v.string(),
  prefix: v.string(),
  name: v.optional(v.string()),
  owner: v.string(),
  createdAt: v.string(),
});
export type Active = v.InferOutput<typeof ActiveSchema>;

/** v1/index/…: the same facts, kept after the job's end. */
export const IndexEntrySchema = v.object({ ...ActiveSchema.entries, command: v.string(), host: v.string() });
export type IndexEntry = v.InferOutput<typeof IndexEntrySchema>;

/** v1/ledger/<yyyy-mm>/<job>: one line of the account's book. */
export const LedgerSchema = v.object({
  v: v.literal(1),
  job: v.string(),
  name: v.optional(v.string()),
  owner: v.string(),
  createdAt: v.string(),
  endedAt: v.string(),
  outcome: v.string(),
  tags: v.record(v.string(), v.string()),
  bill: BillSchema,
});
export type Ledger = v.InferOutput<typeof LedgerSchema>;
