import { RETRY_REASONS } from '../../contract';
import type { Arch, JobSpec, Ref } from '../../contract';
import type { NormalRequest } from '../request';
import type { SortedVariables } from '../variables';
import type { Captured } from './capture';

export interface SpecInput {
  readonly job: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly request: NormalRequest;
  readonly captured: Captured;
  readonly variables: SortedVariables;
  readonly tree: Ref;
  readonly stdin: Ref | undefined;
  readonly arch: Arch;
  readonly region: string;
  readonly identity: JobSpec['identity'];
  readonly source: 'cli' | 'api';
}

/** From SIGTERM to SIGKILL, seconds. */
export const GRACE_S = 10;

/** The spec of a plain run: one job of one task. Pure. */
export function makeSpec(input: SpecInput): JobSpec {
  const { request, captured, variables } = input;
  return {
    v: 1,
    job: input.job,
    ...(request.name ? { name: request.name } : {}),
    owner: input.owner,
    createdAt: new Date(input.createdAt).toISOString(),
    source: { kind: input.source },
    work: { kind: 'command', argv: request.environmentOnly ? ['true'] : [...captured.argv], cwd: captured.cwd },
    tasks: { count: 1, blocks: [[1, 1]] },
    environment: {
      tree: input.tree,
      layers: [...captured.layers],
      variables: variables.harmless,
      secretNames: Object.keys(variables.secret).sort(),
      ...(request.image ? { image: request.image } : {}),
    },
    hardware: {
      ...(request.vmTypes ? { vmTypes: [...request.vmTypes] } : {}),
      ...(request.families ? { families: [...request.families] } : {}),
      cpu: request.cpu,
      memoryGiB: request.memoryGiB,
      arch: input.arch,
      diskGiB: request.diskGiB,
      region: input.region,
      spotPolicy: request.spotPolicy,
    },
    vms: { max: 1, slots: 1, group: 'independent' },
    limits: {
      ...(request.timeoutS === undefined ? {} : { taskTimeoutS: request.timeoutS }),
      ...(request.idleTimeoutS === undefined ? {} : { idleS: request.idleTimeoutS }),
      lifetimeS: request.lifetimeS,
      graceS: GRACE_S,
      retries: request.retries === 0 ? [] : RETRY_REASONS.map((on) => ({ on, times: request.retries })),
    },
    root: request.root,
    identity: input.identity,
    ...(input.stdin ? { stdin: input.stdin } : {}),
    outputs: [...captured.outputs],
    tags: { ...request.tags },
  };
}
