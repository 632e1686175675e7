import os from 'node:os';
import path from 'node:path';
import { DEFAULT_SCAFFOLD_NAME, findRawcloudError, RawcloudError } from '../../contract';
import type { LeftoverKind, Remaining, Scaffold } from '../../contract';
import type { AwsContext } from '../../aws/clients';
import { createDemolition } from '../../aws/demolition';
import { createEc2Compute } from '../../aws/ec2-compute';
import { createEc2Remains } from '../../aws/ec2-remains';
import { whoAmI } from '../../aws/identity';
import { createOtherRegions } from '../../aws/other-regions';
import { createS3Store } from '../../aws/s3-store';
import type { Client, ConnectOptions } from '../api';
import { connect } from '../connect';
import { readScaffold } from '../open-deps';
import { askRegions } from '../ask-regions';
import type { FailedRegion } from '../ask-regions';
import { openContext } from '../open-context';
import { unproved } from '../reap/unproved';
import type { DestroyDeps, DestroyEvent, DestroyRequest, Memory } from './deps';
import { destroy } from './destroy';
import { fileMemory } from './memory';

/** The removal of the scaffolding that the options name. */
export interface Destruction {
  destroy(request: DestroyRequest, options?: { signal?: AbortSignal }): AsyncIterable<DestroyEvent>;
  close(): Promise<void>;
}

/**
 * Finds the scaffolding, or what is left of one whose removal was broken off.
 * @throws as `connect`
 */
export async function openDestruction(options: ConnectOptions): Promise<Destruction> {
  const { context } = await openContext(options);
  const { local = false, scaffold: name = DEFAULT_SCAFFOLD_NAME } = options;
  const { account } = await whoAmI(context);
  const memory = fileMemory(stateDirectory(options.env), account, context.region, name);
  const { scaffold, isThere } = await find(context, name, local, memory);
  let connected: Promise<Client> | undefined;
  const client = (): Promise<Client> => (connected ??= connect(options));
  const deps: DestroyDeps = {
    scaffold,
    local,
    store: createS3Store(context, { bucket: scaffold.bucket, account: scaffold.account }),
    compute: createEc2Compute(context),
    remains: createEc2Remains(context),
    demolition: createDemolition(context, scaffold.account),
    clock: context.clock,
    // Without the parameter no client finds jobs; VMs that are on are told by the proof.
    jobs: async (signal) => (isThere ? (await client()).jobs(signal ? { signal } : {}) : []),
    job: async (id, signal) => (await client()).job(id, signal ? { signal } : {}),
    elsewhere: (signal) => elsewhere(context, scaffold, signal),
    memory,
  };
  return {
    destroy: (request, { signal } = {}) => destroy(deps, request, signal),
    close: async () => {
      await (await connected?.catch(() => undefined))?.close();
      context.close();
    },
  };
}

/** The parameter goes with the stack: after that what this machine remembers is all that is known. */
async function find(context: AwsContext, name: string, local: boolean, memory: Memory): Promise<{ scaffold: Scaffold; isThere: boolean }> {
  try {
    return { scaffold: await readScaffold(context, name, local), isThere: true };
  } catch (error) {
    const begun = findRawcloudError(error)?.code === 'E_NO_SCAFFOLDING' ? await memory.read() : undefined;
    if (begun) return { scaffold: begun.scaffold, isThere: false };
    throw error;
  }
}

const KINDS: readonly LeftoverKind[] = ['vm', 'volume', 'interface', 'template', 'group'];

/** @throws when a region could not be asked: then there is no proof */
async function elsewhere(
  context: AwsContext,
  { name, watchedRegions }: Scaffold,
  signal: AbortSignal | undefined,
): Promise<{ remaining: Remaining[]; regions: number }> {
  const others = createOtherRegions(context);
  const options = signal ? { signal } : {};
  const regions = watchedRegions ?? (await others.list(options));
  const { found, failed } = await askRegions(others, { regions, scaffold: name, kinds: KINDS }, signal);
  if (failed.length > 0) throw notAsked(failed);
  return { remaining: found.map(({ region, thing: { kind, id } }) => ({ kind, id, region })), regions: regions.length };
}

function notAsked(failed: readonly FailedRegion[]): RawcloudError {
  const lines = failed.map(({ region, error }) => `  ${region}: ${unproved(region, error).error}`);
  return new RawcloudError('E_AWS_REQUEST', `these regions could not be asked what is left in them:\n${lines.join('\n')}`, {
    remedy: 'All else was removed. Start rawcloud destroy again when they answer, or look there by hand.',
    cause: failed[0]!.error,
  });
}

function stateDirectory(env: ConnectOptions['env']): string {
  return path.join(env['XDG_STATE_HOME'] || path.join(env['HOME'] ?? os.homedir(), '.local', 'state'), 'rawcloud');
}
