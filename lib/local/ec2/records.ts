import * as v from 'valibot';

/** EC2's state on disk: one JSON file a record. Times in milliseconds since 1970. */

const TagsSchema = v.record(v.string(), v.string());
export type Tags = v.InferOutput<typeof TagsSchema>;

export const VolumeSchema = v.object({
  id: v.string(),
  device: v.string(),
  sizeGiB: v.number(),
  type: v.string(),
  iops: v.optional(v.number()),
  throughput: v.optional(v.number()),
  encrypted: v.boolean(),
  deleteOnTermination: v.boolean(),
  tags: TagsSchema,
});
export type VolumeRecord = v.InferOutput<typeof VolumeSchema>;

export const InterfaceSchema = v.object({
  id: v.string(),
  attachmentId: v.string(),
  mac: v.string(),
  privateIp: v.string(),
  tags: TagsSchema,
});
export type InterfaceRecord = v.InferOutput<typeof InterfaceSchema>;

export const InstanceStateSchema = v.picklist(['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped']);
export type InstanceState = v.InferOutput<typeof InstanceStateSchema>;

export const SpotSchema = v.object({
  requestId: v.string(),
  /** Dollars an hour, as sent. */
  maxPrice: v.optional(v.string()),
  /** Of the request. */
  tags: TagsSchema,
  /** The request was cancelled; its instance lives on. */
  cancelled: v.optional(v.boolean()),
  /** EC2 said that an interruption is likely. */
  rebalanceAt: v.optional(v.number()),
  /** EC2 said that it will take the VM back, and when. */
  notice: v.optional(v.object({ noticedAt: v.number(), at: v.number() })),
});
export type SpotRecord = v.InferOutput<typeof SpotSchema>;

export const InstanceSchema = v.object({
  v: v.literal(1),
  id: v.string(),
  reservation: v.string(),
  /** Position within its launch, from 0. */
  index: v.number(),
  state: InstanceStateSchema,
  stateReason: v.optional(v.object({ code: v.string(), message: v.string() })),
  /** StateTransitionReason. */
  transition: v.string(),
  launchedAt: v.number(),
  terminatedAt: v.optional(v.number()),
  imageId: v.string(),
  type: v.string(),
  arch: v.picklist(['x86_64', 'arm64']),
  zone: v.string(),
  subnetId: v.string(),
  groupIds: v.array(v.string()),
  keyName: v.optional(v.string()),
  /** Name of the instance profile. */
  profile: v.optional(v.string()),
  /** Base64. */
  userData: v.string(),
  onShutdown: v.picklist(['stop', 'terminate']),
  metadata: v.object({
    tokens: v.picklist(['required', 'optional']),
    /** @default 'enabled' */
    endpoint: v.optional(v.picklist(['enabled', 'disabled'])),
    tags: v.picklist(['enabled', 'disabled']),
    hopLimit: v.number(),
  }),
  credits: v.optional(v.string()),
  tags: TagsSchema,
  volumes: v.array(VolumeSchema),
  interface: InterfaceSchema,
  /** What makes a second RunInstances with the same token the same launch. */
  launch: v.object({
    token: v.string(),
    scope: v.string(),
    fingerprint: v.string(),
    /** Instances of the launch: when fewer are on disk, the call was never answered and there are none. */
    count: v.optional(v.number()),
  }),
  /** Bought on the spot market. @default - on demand */
  spot: v.optional(SpotSchema),
  /** Injected: boots never. */
  dead: v.boolean(),
  /** Key of its IMDS tokens; its port stays the same over a restart of the local cloud. Secret. */
  imds: v.object({ secret: v.string(), port: v.number() }),
});
export type InstanceRecord = v.InferOutput<typeof InstanceSchema>;

export const TemplateSchema = v.object({
  v: v.literal(1),
  id: v.string(),
  name: v.string(),
  createdAt: v.number(),
  createdBy: v.string(),
  defaultVersion: v.number(),
  token: v.optional(v.string()),
  /** Data as it was sent: flat parameters without `LaunchTemplateData.`. */
  versions: v.array(
    v.object({ number: v.number(), createdAt: v.number(), description: v.optional(v.string()), data: v.record(v.string(), v.string()) }),
  ),
  tags: TagsSchema,
});
export type TemplateRecord = v.InferOutput<typeof TemplateSchema>;
export type TemplateVersion = TemplateRecord['versions'][number];

export const GroupSchema = v.object({
  v: v.literal(1),
  id: v.string(),
  name: v.string(),
  description: v.string(),
  vpcId: v.string(),
  tags: TagsSchema,
});
export type GroupRecord = v.InferOutput<typeof GroupSchema>;
