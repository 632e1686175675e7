import * as v from 'valibot';
import { LayerSchema, RefSchema } from '../contract';

/**
 * The part of a job spec that an agent needs. Unknown members are ignored, so that an older agent runs what a newer
 * client wrote within the same version; a higher version is refused by name.
 */
export const AgentSpecSchema = v.object({
  v: v.literal(1),
  job: v.string(),
  work: v.object({ kind: v.literal('command'), argv: v.array(v.string()), cwd: v.string() }),
  tasks: v.object({ count: v.number(), blocks: v.array(v.tuple([v.number(), v.number()])) }),
  environment: v.object({ tree: RefSchema, layers: v.array(LayerSchema), variables: v.record(v.string(), v.string()) }),
  hardware: v.object({ region: v.string() }),
  limits: v.object({ taskTimeoutS: v.optional(v.number()), graceS: v.number() }),
  root: v.boolean(),
  stdin: v.optional(RefSchema),
});
export type AgentSpec = v.InferOutput<typeof AgentSpecSchema>;
