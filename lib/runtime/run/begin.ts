import { endOfLifetime } from '../../contract';
import type { EnvironmentCache, HomeFiles, JobSpec, Launch, Offer, Ref, Scaffold, Sealed } from '../../contract';
import type { ClientDeps, Forwarded } from '../deps';
import { event } from '../drive/deps';
import type { Emit } from '../drive/deps';
import { Driver } from '../drive/driver';
import { clientToken, compileLaunch } from '../launch/compile';
import type { Image } from '../launch/compile';
import type { MarketView } from '../plan/market';
import { launchRecorded, recordFailed } from './launch';
import { persist } from './persist';
import { recordJob } from './record';
import type { Stopwatch } from './stopwatch';

/** What a job is made of before anything is on record. */
export interface Prepared {
  readonly job: string;
  readonly spec: JobSpec;
  /** Variables whose values lie in the sealed object and the grants only. */
  readonly secretVariables: Readonly<Record<string, string>>;
  /** Logins of the developer. @default - none */
  readonly homeFiles?: HomeFiles;
  /** What builders of layers need and nobody may see. @default - nothing */
  readonly builderSecrets?: Readonly<Record<string, string>>;
  readonly forwarded: Forwarded | undefined;
  /** @default - VMs build their environments themselves */
  readonly environments?: EnvironmentCache | undefined;
  readonly offers: readonly Offer[];
  readonly market: MarketView;
  readonly image: Image;
  readonly agent: Ref;
  readonly node: Ref;
  /** What its VMs are launched from and are for AWS. @default - the scaffolding's */
  readonly base?: Pick<Scaffold, 'roleId' | 'launchTemplateId' | 'launchTemplateVersion'>;
}

export interface BeginOptions {
  readonly stopwatch: Stopwatch;
  /** Whether somebody will watch from the start. */
  readonly watched: boolean;
  readonly emit?: Emit;
  /** As {@link NewJob.shared}. */
  readonly shared?: boolean;
}

/** Records a job and launches it. From the record on, any driver can finish what was begun here. */
export async function begin(deps: ClientDeps, prefix: string, prepared: Prepared, options: BeginOptions): Promise<Driver> {
  const { emit, stopwatch } = options;
  const driver = new Driver({ ...deps, ...(emit ? { emit } : {}) }, prefix);
  await stopwatch.time('record', () => record(deps, prefix, prepared, options));
  const [offer] = prepared.offers;
  emit?.(event(deps.clock, prepared.job, 'launch.intent', { n: 0, offer: offer!, ...(offer?.reason ? { reason: offer.reason } : {}) }));
  await launchRecorded(driver, deps.clock);
  return driver;
}

async function record(
  deps: ClientDeps,
  prefix: string,
  prepared: Prepared,
  { stopwatch, watched, shared = false }: BeginOptions,
): Promise<void> {
  const job = {
    prefix,
    spec: prepared.spec,
    sealed: sealedOf(prefix, prepared),
    launch: firstLaunch(deps, prepared, stopwatch),
    host: deps.host,
    watched,
    shared,
  };
  try {
    await persist(deps.clock, () => recordJob(deps.store, job));
  } catch (error) {
    throw recordFailed(prepared.job, error);
  }
}

function sealedOf(prefix: string, { secretVariables, homeFiles = {}, builderSecrets = {}, forwarded, environments }: Prepared): Sealed {
  return {
    v: 1,
    prefix,
    variables: secretVariables,
    ...(forwarded ? { credentials: forwarded.credentials } : {}),
    ...(environments ? { environments } : {}),
    ...(Object.keys(homeFiles).length > 0 ? { homeFiles } : {}),
    ...(Object.keys(builderSecrets).length > 0 ? { builderSecrets } : {}),
  };
}

function firstLaunch(deps: ClientDeps, prepared: Prepared, stopwatch: Stopwatch): Launch {
  const [offer, ...rest] = prepared.offers;
  const { spec, image, market, base } = prepared;
  const scaffold = { ...deps.scaffold, ...base };
  return {
    v: 1,
    rev: 0,
    job: spec.job,
    n: 0,
    offer: offer!,
    ...(offer?.reason ? { reason: offer.reason } : {}),
    rest,
    ...(market.gp3UsdPerGiBMonth === undefined ? {} : { gp3UsdPerGiBMonth: market.gp3UsdPerGiBMonth }),
    request: compileLaunch({ spec, scaffold, image, offer: offer!, n: 0, lifetimeUntil: endOfLifetime(spec) }),
    token: clientToken(spec.job, 0, offer!),
    intervals: deps.intervals,
    agent: prepared.agent,
    node: prepared.node,
    roleId: scaffold.roleId,
    state: 'intent',
    instances: [],
    timings: stopwatch.timings,
  };
}
