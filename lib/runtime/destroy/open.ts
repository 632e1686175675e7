import os from 'node:os';
import path from 'node:path';
import { DEFAULT_SCAFFOLD_NAME, findRawcloudError, mapBounded, scaffoldParameterName } from '../../contract';
import type { Remaining, RemainKind, Scaffold } from '../../contract';
import type { AwsContext } from '../../aws/clients';
import { openAws } from '../../aws/clients';
import { createDemolition } from '../../aws/demolition';
import { createEc2Compute } from '../../aws/ec2-compute';
import { createEc2Remains } from '../../aws/ec2-remains';
import { whoAmI } from '../../aws/identity';
import { readParameter } from '../../aws/parameters';
import { accountRegions } from '../../aws/regions';
import { createS3Store } from '../../aws/s3-store';
import type { Client, ConnectOptions } from '../api';
import { connect, readScaffold } from '../connect';
import { openContext } from '../open-context';
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
    elsewhere: (signal) => elsewhere(context, options, name, signal),
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

/** Regions looked at together. */
const REGIONS_AT_ONCE = 4;
const KINDS: readonly RemainKind[] = ['volume', 'interface', 'template', 'group'];

/** All regions that the account can use; under an endpoint of its own (the local cloud, an emulator) there is only one. */
async function elsewhere(
  context: AwsContext,
  { env, profile }: ConnectOptions,
  name: string,
  signal: AbortSignal | undefined,
): Promise<{ remaining: Remaining[]; regions: number }> {
  if (context.endpoint !== undefined) return { remaining: [], regions: 0 };
  const regions = (await accountRegions(context, signal)).filter((region) => region !== context.region);
  const found = await mapBounded(regions, REGIONS_AT_ONCE, async (region) => {
    const there = await openAws({ env, region, ...(profile === undefined ? {} : { profile }) });
    try {
      return await tagged(there, name, signal);
    } finally {
      there.close();
    }
  });
  return { remaining: found.flat(), regions: regions.length };
}

/** A scaffolding of that name in another region is one of its own, with a parameter of its own: none of this one's remains. */
async function tagged(there: AwsContext, name: string, signal: AbortSignal | undefined): Promise<Remaining[]> {
  if ((await readParameter(there, scaffoldParameterName(name))) !== undefined) return [];
  const { region } = there;
  const options = signal ? { signal } : {};
  const vms = (await createEc2Compute(there).describe({ scaffold: name }, options)).filter(({ state }) => state !== 'terminated');
  const remains = createEc2Remains(there);
  const things = (await mapBounded(KINDS, 2, (kind) => remains.list(kind, name, options))).flat();
  return [...vms.map(({ id }) => ({ kind: 'vm' as const, id, region })), ...things.map(({ kind, id }) => ({ kind, id, region }))];
}

function stateDirectory(env: ConnectOptions['env']): string {
  return path.join(env['XDG_STATE_HOME'] || path.join(env['HOME'] ?? os.homedir(), '.local', 'state'), 'rawcloud');
}
