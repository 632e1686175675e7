import * as v from 'valibot';
import { decodeJson, jobKeys, LayerSchema, RawcloudError, RefSchema, RETRY_REASONS, SecretSourceSchema } from '../contract';
import type { Grant, Store } from '../contract';

/**
 * The part of a job spec that an agent needs. Unknown members are ignored, so that an older agent runs what a newer
 * client wrote within the same version; a higher version is refused by name.
 */
export const AgentSpecSchema = v.object({
  v: v.literal(1),
  job: v.string(),
  work: v.object({ kind: v.literal('command'), argv: v.array(v.string()), cwd: v.string() }),
  tasks: v.object({ count: v.number(), blocks: v.array(v.tuple([v.number(), v.number()])) }),
  environment: v.object({
    tree: RefSchema,
    layers: v.array(LayerSchema),
    variables: v.record(v.string(), v.string()),
    secrets: v.optional(v.record(v.string(), SecretSourceSchema)),
    image: v.optional(v.string()),
  }),
  hardware: v.object({ region: v.string() }),
  limits: v.object({
    taskTimeoutS: v.optional(v.number()),
    idleS: v.optional(v.number()),
    graceS: v.number(),
    retries: v.optional(v.array(v.object({ on: v.picklist(RETRY_REASONS), times: v.number() }))),
  }),
  root: v.boolean(),
  /** Only whether it is the VM's role matters here: what else a job may be comes with the grant. */
  identity: v.optional(v.object({ kind: v.string() })),
  stdin: v.optional(RefSchema),
  outputs: v.optional(v.array(v.string())),
});
export type AgentSpec = v.InferOutput<typeof AgentSpecSchema>;

/**
 * The spec of the job that a grant names, and the store's time of the answer.
 * @throws E_INTEGRITY when there is none, E_NEWER, E_RECORD
 */
export async function readSpec({
  store,
  grant,
}: {
  readonly store: Store;
  readonly grant: Grant;
}): Promise<{ spec: AgentSpec; now: number }> {
  const found = await store.get(jobKeys.spec(grant.prefix));
  if (found === 'absent' || found === 'unchanged') throw new RawcloudError('E_INTEGRITY', 'the job that the grant names has no spec');
  return { spec: decodeJson(AgentSpecSchema, found.body, 'spec.json'), now: found.now };
}
