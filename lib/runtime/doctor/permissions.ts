import { ASKED_CALLS, bucketKeys, DRIVER_DIRECTORIES, findRawcloudError, mapBounded, RawcloudError, TAGS } from '../../contract';
import type { FoundIdentity, Instance, Scaffold, Store } from '../../contract';
import { compileLaunch } from '../launch/compile';
import type { Premises } from './deps';
import type { Facts } from './facts';
import type { Finding, Look } from './finding';

/**
 * Each thing that running jobs needs is tried, in a way that changes nothing: reads of a key that is not there, writes under a
 * condition that never holds, dry runs of EC2. IAM's own simulator is not asked: it wants the ARN of a role, which
 * a session does not tell, knows neither the organization's policies in full nor the bucket's, and needs a permission that
 * running jobs does not. What cannot be tried without a VM is said, and not counted.
 */
interface Probe {
  /** As `s3:PutObject under v1/jobs/`. */
  readonly what: string;
  /** Jobs run without it, with less known about prices and quotas. */
  readonly optional?: boolean;
  readonly attempt: () => Promise<unknown>;
}

interface Tried {
  readonly what: string;
  readonly optional: boolean;
  /** Why it did not work. */
  readonly error?: string;
  /** The action that was refused. */
  readonly denied?: string;
}

type Opened = Premises & { readonly scaffold: Scaffold };

/** No object ever has it. */
const NO_ETAG = '"00000000000000000000000000000000"';
const AT_ONCE = 6;

export const permissions: Look = async (facts) => {
  const opened = await facts.premises();
  const { store, compute, scaffold } = opened;
  const options = facts.signal ? { signal: facts.signal } : {};
  const listing = await attempt({ what: 's3:ListBucket', attempt: () => listOne(store, facts.signal) });
  const vms: Instance[] = [];
  const describing = await attempt({
    what: 'ec2:DescribeInstances',
    attempt: async () => void vms.push(...(await compute.describe({ scaffold: scaffold.name }, options))),
  });
  const vm = vms.find(({ state }) => state === 'running' || state === 'pending');
  const probes = [
    // To who may not list, a key that is not there and one that may not be read look the same.
    ...(listing.error === undefined ? readProbes(store, facts.signal) : []),
    ...writeProbes(opened, facts),
    launchProbe(opened, facts),
    ...(vm ? vmProbes(vm, opened, facts) : []),
    ...callProbes(facts, await facts.identity()),
  ];
  const tried = [listing, describing, ...(await mapBounded(probes, AT_ONCE, attempt))];
  const untried = [
    ...(listing.error === undefined ? [] : ['s3:GetObject and s3:PutObject (only who may list can tell)']),
    ...(vm ? [] : NEEDS_A_VM),
    'iam:CreateServiceLinkedRole (of use once, for the first spot VM)',
  ];
  return verdict(tried, untried);
};

function verdict(tried: readonly Tried[], untried: readonly string[]): Finding {
  const lacking = tried.filter((t) => t.error !== undefined);
  const denied = lacking.filter((t) => t.denied !== undefined);
  const data = {
    allowed: tried.filter((t) => t.error === undefined).map((t) => t.what),
    denied: denied.map((t) => ({ what: t.what, action: t.denied })),
    failed: lacking.filter((t) => t.denied === undefined).map((t) => ({ what: t.what, error: t.error })),
    untried,
  };
  const rest = `; not tried: ${untried.join(', ')}`;
  if (lacking.length === 0) return { state: 'ok', text: `all ${tried.length} things that jobs need are allowed${rest}`, data };
  const state = lacking.every((t) => t.optional) ? 'warning' : 'failed';
  const text = `${lacking.length} of ${tried.length} things that jobs need ${lacking.length === 1 ? 'does' : 'do'} not work: ${lacking.map(words).join('; ')}${rest}`;
  if (denied.length === 0) return { state, text, data };
  const actions = [...new Set(denied.map((t) => t.denied))].join(', ');
  return { state, text, remedy: `Ask an administrator for grantRun of the scaffolding, or for ${actions}.`, data };
}

function words({ what, denied, error }: Tried): string {
  if (denied === undefined) return `${what} (${error})`;
  return what.includes(denied) ? `${what} is denied` : `${denied} is denied, which ${what} needs`;
}

async function attempt({ what, optional = false, attempt }: Probe): Promise<Tried> {
  try {
    await attempt();
    return { what, optional };
  } catch (cause) {
    const known = findRawcloudError(cause);
    const error = known?.message ?? (cause instanceof Error ? cause.message : String(cause));
    if (known?.code !== 'E_PERMISSION') return { what, optional, error };
    const { action, call } = known.data;
    const named = typeof action === 'string' ? action : typeof call === 'string' ? call.split(' ')[0]! : what;
    return { what, optional, error, denied: named };
  }
}

async function listOne(store: Store, signal: AbortSignal | undefined): Promise<void> {
  for await (const _ of store.list(bucketKeys.actives, signal ? { signal } : {})) return;
}

function readProbes(store: Store, signal: AbortSignal | undefined): Probe[] {
  return DRIVER_DIRECTORIES.readWrite.flatMap((directory) => {
    const key = bucketKeys.probe(directory);
    const options = signal ? { signal } : {};
    return [
      { what: `s3:GetObject under v1/${directory}/`, attempt: () => store.get(key, options) },
      {
        what: `s3:PutObject under v1/${directory}/`,
        attempt: () => store.put(key, new Uint8Array(), { if: { etag: NO_ETAG }, ...options }),
      },
    ];
  });
}

function writeProbes({ store, scaffold }: Opened, { deps, signal }: Facts): Probe[] {
  const grant = bucketKeys.probe('private');
  const options = signal ? { signal } : {};
  return [
    {
      what: 's3:PutObject and s3:DeleteObject under v1/private/',
      attempt: async () => {
        // A grant may not be read, so that no condition on what is there can be asked: this one is written for a moment.
        await store.put(grant, new Uint8Array(), options);
        await store.delete(grant, options);
      },
    },
    {
      what: 's3:AbortMultipartUpload under v1/files/',
      attempt: () => deps.look.tryAbort(scaffold.bucket, bucketKeys.probe('files'), signal),
    },
    ...DRIVER_DIRECTORIES.remove
      .filter((directory) => directory !== 'private')
      .map((directory) => ({
        what: `s3:DeleteObject under v1/${directory}/`,
        attempt: () => store.delete(bucketKeys.probe(directory), options),
      })),
  ];
}

function launchProbe({ scaffold }: Opened, facts: Facts): Probe {
  return {
    // EC2 looks at the role that is passed and the tags that are given, too.
    what: 'ec2:RunInstances with our template, role and tags',
    attempt: async () => {
      const { x86_64, arm64 } = await facts.images();
      const [image, vmType, arch] = x86_64 ? ([x86_64, 'm7i.large', 'x86_64'] as const) : ([arm64, 'm7g.large', 'arm64'] as const);
      if (!image) throw new RawcloudError('E_AWS_REQUEST', 'without an image no launch can be tried');
      const offer = { ...OFFER, vmType, arch };
      const spec = { job: 'doctor', tags: {}, hardware: { diskGiB: 30 } };
      // The name of a launch that never is: EC2 keeps no token of a dry run.
      const request = compileLaunch({ spec, scaffold, image, offer, n: 0, lifetimeUntil: facts.deps.now() });
      await facts.deps.look.tryLaunch(request, facts.signal);
    },
  };
}

const OFFER = { purchase: 'on-demand', vcpu: 2, memoryGiB: 8, usdPerHour: 0.1, priceSource: '', priceEstimated: false } as const;

function callProbes({ deps, signal }: Facts, identity: FoundIdentity): Probe[] {
  return [
    ...ASKED_CALLS.map((call) => ({ what: call, optional: true, attempt: () => deps.look.ask(call, signal) })),
    // Only long-term keys have to be made into a session.
    ...(identity.temporary ? [] : [{ what: 'sts:GetSessionToken', attempt: () => deps.look.trySession() }]),
  ];
}

/** What is tried on a VM of ours that is on, if there is one. */
function vmProbes(vm: Instance, { compute }: Opened, { deps, signal }: Facts): Probe[] {
  const until = vm.tags[TAGS.until] ?? '';
  return [
    { what: `ec2:TerminateInstances of ${vm.id}`, attempt: () => deps.look.tryTerminate(vm.id, signal) },
    { what: `ec2:CreateTags of ${TAGS.until} on ${vm.id}`, attempt: () => deps.look.tryTag(vm.id, TAGS.until, until, signal) },
    { what: `ec2:GetConsoleOutput of ${vm.id}`, attempt: () => compute.consoleOutput(vm.id, signal ? { signal } : {}) },
  ];
}

const NEEDS_A_VM = ['ec2:TerminateInstances, ec2:CreateTags, ec2:GetConsoleOutput (no VM of ours is on)'];
