import { foreignResources, isScaffoldStack, mapBounded, RawcloudError, scaffoldParameterName, scaffoldStackName } from '../../contract';
import type { FoundStack, RemainKind, Remaining } from '../../contract';
import type { JobSummary } from '../api';
import type { Begun, DestroyDeps, Survey } from './deps';

const KINDS: readonly RemainKind[] = ['volume', 'interface', 'template', 'group'];

/** What was found, and who may delete what of it. */
export interface Found {
  readonly survey: Survey;
  readonly begun: Begun;
}

/** @throws E_USAGE when the scaffolding is a part of somebody's own stack, or nobody knows whose it is */
export async function look(deps: DestroyDeps, signal?: AbortSignal): Promise<Found> {
  const { scaffold, local, demolition } = deps;
  const before = await deps.memory.read();
  const stack = local ? undefined : await demolition.stackOf(scaffold.launchTemplateId, scaffoldStackName(scaffold.name));
  if (stack) refuseForeign(stack);
  else if (!local && !before) throw unknownOrigin(deps);
  const ownBucket = before?.ownBucket ?? (local || stack!.resources.some(({ physicalId }) => physicalId === scaffold.bucket));
  const known = stack ? { id: stack.id, name: stack.name } : before?.stack;
  const { name, account, region, bucket } = scaffold;
  return {
    begun: { scaffold, ownBucket, ...(known ? { stack: known } : {}) },
    survey: {
      name,
      account,
      region,
      bucket,
      ownBucket,
      ...(known ? { stack: known.name } : {}),
      // When the bucket is gone there is nobody left who knows of jobs; the proof still looks for VMs.
      jobs: (await demolition.bucketIsThere(bucket)) ? (await deps.jobs(signal)).map(briefly) : [],
      remaining: await remaining(deps, ownBucket, signal),
    },
  };
}

function briefly({ job, name, command, state }: JobSummary): Survey['jobs'][number] {
  return { job, command, state, ...(name === undefined ? {} : { name }) };
}

/** Everything in the region that carries the scaffolding's tag, or that its parameter names. */
export async function remaining(deps: DestroyDeps, ownBucket: boolean, signal?: AbortSignal): Promise<Remaining[]> {
  const { scaffold, demolition, remains, compute } = deps;
  const { name, region, bucket } = scaffold;
  const options = signal ? { signal } : {};
  const vms = (await compute.describe({ scaffold: name }, options)).filter(({ state }) => state !== 'terminated');
  const things = (await mapBounded(KINDS, 2, (kind) => remains.list(kind, name, options))).flat();
  const parameter = scaffoldParameterName(name);
  return [
    ...vms.map(({ id }) => ({ kind: 'vm' as const, id, region })),
    ...things.map(({ kind, id }) => ({ kind, id, region })),
    ...(ownBucket && (await demolition.bucketIsThere(bucket)) ? [{ kind: 'bucket' as const, id: bucket, region }] : []),
    ...((await demolition.parameterIsThere(parameter)) ? [{ kind: 'parameter' as const, id: parameter, region }] : []),
  ];
}

function refuseForeign(stack: FoundStack): void {
  if (isScaffoldStack(stack)) return;
  const others = foreignResources(stack);
  const shown = others.slice(0, 5).map(({ logicalId, type }) => `${logicalId} (${type})`);
  const what = shown.length === 0 ? 'was not made by rawcloud' : `also holds ${shown.join(', ')}${others.length > 5 ? ' and more' : ''}`;
  throw new RawcloudError('E_USAGE', `the scaffolding is a part of the stack ${stack.name}, which ${what}; nothing was removed`, {
    remedy: 'Take `new RawCloud(…)` out of the app that made the stack, and deploy that; or remove the stack with the tool that made it.',
  });
}

function unknownOrigin({ scaffold: { name, region } }: DestroyDeps): RawcloudError {
  return new RawcloudError('E_USAGE', `no CloudFormation stack in ${region} has made the scaffolding '${name}'; nothing was removed`, {
    remedy: 'Remove it with the tool that made it.',
  });
}
