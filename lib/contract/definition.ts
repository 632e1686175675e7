import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { decodeJson } from './json';
import { RawcloudError } from './errors';
import { checkScaffoldName } from './scaffold';
import { JobSpecSchema, RefSchema } from './spec';

/** What to do with a tick while the run of the one before is still going. */
export const OverlapSchema = v.picklist(['skip', 'queue', 'replace', 'allow']);
export type Overlap = v.InferOutput<typeof OverlapSchema>;

const { work, environment, hardware, limits, outputs, tags } = JobSpecSchema.entries;
const { tree, layers, image, secrets } = environment.entries;
const { vmTypes, families, cpu, memoryGiB, arch, diskGiB, spotPolicy } = hardware.entries;

/**
 * What a deployed job runs, as it was captured when the app was synthesized: pinned, so that what was deployed is what
 * runs. Lies among the app's assets under its SHA-256, as do the objects it names. What was not asked for of what a scaffolding limits
 * is decided when a tick comes: the limits are its own to change.
 */
export const DefinitionSchema = v.strictObject({
  v: v.literal(1),
  work,
  environment: v.strictObject({ tree, layers, image }),
  hardware: v.strictObject({ vmTypes, families, cpu, memoryGiB, arch, diskGiB, spotPolicy: v.optional(spotPolicy) }),
  limits: v.strictObject({
    ...limits.entries,
    lifetimeS: v.optional(limits.entries.lifetimeS),
  }),
  overlap: OverlapSchema,
  /** What is kept whole of what it writes. @default - nothing */
  outputs: v.optional(outputs),
  tags,
  /** What its VMs boot from. */
  agent: RefSchema,
  node: RefSchema,
  /** Every other object that a VM needs of it: manifest, packs, large files, sources of layers. */
  contents: v.array(RefSchema),
});
export type Definition = v.InferOutput<typeof DefinitionSchema>;

/**
 * The SSM parameter of one deployed job, written by CloudFormation: what the launch function takes its word from. Who may
 * send it events cannot change any of this.
 */
export const DeployedSchema = v.object({
  v: v.literal(1),
  id: v.string(),
  kind: v.picklist(['schedule', 'event']),
  name: v.optional(v.string()),
  /** False: ticks are refused. */
  enabled: v.boolean(),
  /** The definition's SHA-256, and where the app's assets lie: `<keyPrefix>`, {@link assetName} of a content's SHA-256, `<keySuffix>`. */
  definition: v.string(),
  assets: v.object({ bucket: v.string(), keyPrefix: v.string(), keySuffix: v.string() }),
  /** What its VMs are for AWS, and what they are launched from. */
  roleArn: v.string(),
  roleId: v.string(),
  launchTemplateId: v.string(),
  launchTemplateVersion: v.string(),
  /** Not secret, and resolved by CloudFormation: they may name what it makes. */
  variables: v.record(v.string(), v.string()),
  /** Variables whose values the VM fetches itself, with the job's role. */
  secrets,
  /** Name of the variable that holds the event's input. @default - none */
  inputVariable: v.optional(v.string()),
});
export type Deployed = v.InferOutput<typeof DeployedSchema>;

/**
 * One tick of a deployed job, taken once: v1/ticks/<id>/<hash of tick>. Whoever brings the same tick again finds the job
 * that it became.
 */
export const TickSchema = v.object({
  v: v.literal(1),
  id: v.string(),
  tick: v.string(),
  /** Milliseconds since 1970, the store's clock of who took it: the job's creation. */
  at: v.number(),
  job: v.string(),
  prefix: v.string(),
  /** Set when it did not become a run, and why. */
  skipped: v.optional(v.string()),
});
export type Tick = v.InferOutput<typeof TickSchema>;

/** The last tick of a deployed job that became a run (v1/ticks/<id>/last), and the one that waits for its end. */
export const LastTickSchema = v.object({
  v: v.literal(1),
  rev: v.number(),
  last: v.optional(TickSchema),
  queued: v.optional(v.object({ tick: v.string(), input: v.optional(v.string()) })),
});
export type LastTick = v.InferOutput<typeof LastTickSchema>;

/** Name of the SSM parameter (type String) of a deployed job. */
export function deployedParameterName(scaffold: string, id: string): string {
  return `${deployedPath(scaffold)}/${checkDefinitionId(id)}`;
}

/** What the names of the parameters of all deployed jobs begin with, without the last slash. */
export function deployedPath(scaffold: string): string {
  return `/rawcloud/${checkScaffoldName(scaffold)}/jobs`;
}

/** @throws E_USAGE unless 1 to 64 letters, digits, dots, dashes and underscores */
export function checkDefinitionId(id: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(id)) return id;
  throw new RawcloudError('E_USAGE', `'${id}' is not the id of a deployed job; allowed are 1 to 64 letters, digits, '.', '_' and '-'`);
}

export function parseDeployed(text: string): Deployed {
  return decodeJson(DeployedSchema, Buffer.from(text), 'the parameter of the deployed job');
}

const TickEventSchema = v.object({
  rawcloud: v.object({ id: v.string(), tick: v.pipe(v.string(), v.nonEmpty()), input: v.optional(v.unknown()) }),
});

/** What EventBridge hands the launch function: `{ rawcloud: { id, tick, input? } }`. An input that is no text travels as JSON. */
export function tickOf(event: unknown): { readonly id: string; readonly tick: string; readonly input?: string } {
  const read = v.safeParse(TickEventSchema, event);
  if (!read.success) {
    throw new RawcloudError('E_USAGE', `the event is none of ours: ${v.getDotPath(read.issues[0]) ?? 'event'}: ${read.issues[0].message}`, {
      remedy: 'It is { "rawcloud": { "id": …, "tick": … } }: see ScheduledJob and JobTarget.',
    });
  }
  const { id, tick, input } = read.output.rawcloud;
  return { id, tick, ...(input === undefined ? {} : { input: typeof input === 'string' ? input : JSON.stringify(input) }) };
}

/** Name of an asset by the SHA-256 of its bytes: the CDK hashes a custom asset hash once more. Source: AssetOptions.assetHash. */
export function assetName(sha256: string): string {
  return createHash('sha256').update(sha256).digest('hex');
}
