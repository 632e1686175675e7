import * as v from 'valibot';

/** Content by hash: SHA-256 in lower-case hex, and length in bytes. */
export const RefSchema = v.strictObject({ sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)), bytes: v.number() });
export type Ref = v.InferOutput<typeof RefSchema>;

/** Inclusive bounds; a missing one is open. */
const RangeSchema = v.strictObject({ min: v.optional(v.number()), max: v.optional(v.number()) });
export type Bounds = v.InferOutput<typeof RangeSchema>;

/** Ways to lose a VM: taken back by EC2, or lost in any other way. */
export const RETRY_REASONS = ['interrupted', 'lost'] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];

export const ArchSchema = v.picklist(['x86_64', 'arm64']);
export type Arch = v.InferOutput<typeof ArchSchema>;

/** How VMs are bought: on demand; spot only; or spot, and on demand when there is none to be had. */
export const SpotPolicySchema = v.picklist(['on-demand', 'spot', 'spot_with_fallback']);
export type SpotPolicy = v.InferOutput<typeof SpotPolicySchema>;

/** Something the user should know about what was captured: shown once, in order. */
const NoticeSchema = v.strictObject({ level: v.picklist(['info', 'warning']), text: v.string() });
export type Notice = v.InferOutput<typeof NoticeSchema>;

/**
 * One thing to build on the VM besides files: Python packages, Node packages.
 * `key` is a hash of recipe and platform; `sources` are content the builder needs, stored under their hash. No secrets.
 */
export const LayerSchema = v.strictObject({
  kind: v.string(),
  key: v.string(),
  platform: v.string(),
  recipe: v.record(v.string(), v.unknown()),
  sources: v.array(RefSchema),
  notices: v.array(NoticeSchema),
});
export type Layer = v.InferOutput<typeof LayerSchema>;

/** Where the VM itself gets the value of a variable, with its own role. */
export const SecretSourceSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('secretsmanager'), arn: v.string(), field: v.optional(v.string()) }),
  v.strictObject({ kind: v.literal('ssm'), name: v.string() }),
]);
export type SecretSource = v.InferOutput<typeof SecretSourceSchema>;

/**
 * What was asked: written once, before any EC2 call, never changed, free of secrets.
 * Times are ISO 8601 in UTC; names ending in S are seconds, in GiB gibibytes.
 */
export const JobSpecSchema = v.strictObject({
  v: v.literal(1),
  job: v.string(),
  name: v.optional(v.string()),
  owner: v.string(),
  createdAt: v.string(),
  source: v.variant('kind', [
    v.strictObject({ kind: v.literal('cli') }),
    v.strictObject({ kind: v.literal('api') }),
    v.strictObject({ kind: v.literal('schedule'), id: v.string(), tick: v.string() }),
    v.strictObject({ kind: v.literal('event'), id: v.string(), tick: v.string() }),
  ]),
  /** `cwd` is relative to the tree's root, '' for the root itself. */
  work: v.strictObject({ kind: v.literal('command'), argv: v.array(v.string()), cwd: v.string() }),
  /** Blocks are [size, count] runs: tasks are numbered from 0 through the blocks in order. */
  tasks: v.strictObject({ count: v.number(), blocks: v.array(v.tuple([v.number(), v.number()])) }),
  environment: v.strictObject({
    tree: RefSchema,
    layers: v.array(LayerSchema),
    /** Harmless variables in the clear. */
    variables: v.record(v.string(), v.string()),
    /** Names of variables whose values travel in the sealed object and the grant only. */
    secretNames: v.array(v.string()),
    /** Variables whose values the VM fetches itself, with its own role. */
    secrets: v.optional(v.record(v.string(), SecretSourceSchema)),
    image: v.optional(v.string()),
  }),
  hardware: v.strictObject({
    vmTypes: v.optional(v.array(v.string())),
    families: v.optional(v.array(v.string())),
    cpu: v.optional(RangeSchema),
    memoryGiB: v.optional(RangeSchema),
    arch: ArchSchema,
    diskGiB: v.number(),
    region: v.string(),
    zones: v.optional(v.array(v.string())),
    spotPolicy: SpotPolicySchema,
  }),
  vms: v.strictObject({ max: v.number(), slots: v.number(), group: v.picklist(['independent', 'cluster']) }),
  limits: v.strictObject({
    /** From exec to the task's end. */
    taskTimeoutS: v.optional(v.number()),
    jobTimeoutS: v.optional(v.number()),
    /** A command that does next to nothing for so long is ended; what that means stands in docs/vm.md. @default - never */
    idleS: v.optional(v.number()),
    /** From the spec's creation to the end of every VM. */
    lifetimeS: v.number(),
    /** From SIGTERM to SIGKILL. */
    graceS: v.number(),
    /** When a new VM starts the work again: `times` bounds the tries after the first. */
    retries: v.array(v.strictObject({ on: v.picklist(RETRY_REASONS), times: v.number() })),
  }),
  /** Run as root and with the VM's own role in reach. */
  root: v.boolean(),
  identity: v.variant('kind', [
    v.strictObject({ kind: v.literal('none') }),
    v.strictObject({ kind: v.literal('forwarded'), arn: v.string(), expiresAt: v.optional(v.string()) }),
    v.strictObject({ kind: v.literal('role'), arn: v.string() }),
  ]),
  stdin: v.optional(RefSchema),
  outputs: v.array(v.string()),
  tags: v.record(v.string(), v.string()),
});
export type JobSpec = v.InferOutput<typeof JobSpecSchema>;
