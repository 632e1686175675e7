import { jobPrefix, SETUP_KIND } from '../../contract';
import type { EnvironmentCache, EventData, EventType, Notice, Offer, RawcloudEvent } from '../../contract';
import { lookAtSweep } from '../../store/keep';
import type { RunRequest } from '../api';
import { hourlyUsd } from '../cost/rates';
import type { ClientDeps } from '../deps';
import { event } from '../drive/deps';
import type { Driver } from '../drive/driver';
import { newJobId, newSecret } from '../ids';
import type { Image } from '../launch/compile';
import { checkRoom } from '../launch/room';
import { rememberRun } from '../environment/last-run';
import { findLogins } from '../logins';
import { requestWithin } from '../request';
import type { NormalRequest } from '../request';
import { sortVariables } from '../variables';
import { begin } from './begin';
import type { Prepared } from './begin';
import { cacheOwner, environmentSecret } from '../environment-secret';
import { capture } from './capture';
import type { Captured } from './capture';
import { fitDisk, measureEnvironment } from './disk';
import { withinLimits } from '../plan/market';
import type { MarketView } from '../plan/market';
import { accessNotices, baseOf, findIdentity, identityText, specIdentity } from './identity';
import type { JobIdentity } from './identity';
import { archOf, hardwareOf, offersFor } from './offers';
import { makeSpec } from './spec';
import { Stopwatch } from './stopwatch';
import { upload } from './upload';

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RawcloudEvent) => void;
  readonly source?: 'cli' | 'api';
  /** False when nobody will watch from the start. @default true */
  readonly watched?: boolean;
}

/**
 * Captures, uploads, records and launches. Until the record nothing is launched and an abort leaves nothing behind but
 * content in the bucket; from the record on, any driver can finish what this client began, so an abort no longer interrupts.
 */
export async function run(deps: ClientDeps, asked: RunRequest, options: RunOptions): Promise<Driver> {
  const { signal } = options;
  const stopwatch = new Stopwatch(deps.clock);
  const job = newJobId();
  const say = <T extends EventType>(type: T, data: EventData[T]): void => options.onEvent?.(event(deps.clock, job, type, data));
  const { prepared, captured } = await prepare(deps, job, asked, stopwatch, say, options);
  signal?.throwIfAborted();

  const driver = await begin(deps, jobPrefix(job, newSecret()), prepared, {
    stopwatch,
    watched: options.watched ?? true,
    ...(options.onEvent ? { emit: options.onEvent } : {}),
  });
  await remember(deps, job, asked, captured, say);
  deps.market.refreshLater();
  return driver;
}

async function prepare(
  deps: ClientDeps,
  job: string,
  asked: RunRequest,
  stopwatch: Stopwatch,
  say: <T extends EventType>(type: T, data: EventData[T]) => void,
  options: RunOptions,
): Promise<{ prepared: Prepared; captured: Captured }> {
  const { signal } = options;
  const typed = requestWithin(deps.scaffold, asked, deps.cwd);
  await checkRoom(deps);
  const arch = archOf(deps, typed);
  // What AWS tells and what this machine tells do not depend on one another.
  const [[image, identity, view], captured, logins, sweep] = await Promise.all([
    stopwatch.time('plan', () =>
      Promise.all([
        deps.resolveImage(arch, typed.image, signal),
        findIdentity(deps, typed, signal),
        deps.market.view(typed.spotPolicy, signal),
      ]),
    ),
    stopwatch.time('capture', async () => {
      const found = await capture(deps, typed, arch, signal);
      return { ...found, size: await measureEnvironment(found) };
    }),
    findLogins(typed.logins, { ...deps, cwd: typed.cwd, ...(signal ? { signal } : {}) }),
    lookAtSweep(deps.store, signal ? { signal } : {}),
  ]);
  const market = withinLimits(view, deps.scaffold.limits);
  const disk = fitDisk(typed, { asked: asked.diskGiB, size: captured.size, gp3UsdPerGiBMonth: market.gp3UsdPerGiBMonth });
  const request = { ...typed, diskGiB: disk.diskGiB };
  const offers = offersFor(hardwareOf(deps, request, arch, job), market);
  say('plan.ready', planEvent(request, offers, market, image, identity));
  for (const notice of [
    ...captured.notices,
    ...captured.size.notices,
    ...disk.notices,
    ...logins.notices,
    ...riskNotices(request, offers),
    ...accessNotices(identity, { watched: options.watched ?? true, jobEndsAt: deps.clock.now() + request.lifetimeS * 1000 }),
  ])
    say('notice', notice);
  signal?.throwIfAborted();
  const [uploaded, environments] = await stopwatch.time('upload', () =>
    Promise.all([upload(deps, { asked, captured, arch, sweep, say, signal }), cacheOf(deps, request, captured, signal)]),
  );
  const createdAt = deps.clock.now();
  // What was asked for by name wins over what comes along with a login.
  const variables = sortVariables(request.variables, { ...logins.variables, ...request.secretVariables });
  const spec = makeSpec({
    job,
    owner: deps.owner,
    createdAt,
    request,
    captured,
    variables,
    tree: uploaded.tree,
    stdin: uploaded.stdin,
    arch,
    region: deps.scaffold.region,
    identity: specIdentity(identity),
    source: options.source ?? 'api',
  });
  const prepared: Prepared = {
    job,
    spec,
    secretVariables: variables.secret,
    homeFiles: logins.files,
    builderSecrets: captured.secrets,
    forwarded: identity.kind === 'forwarded' ? identity.forwarded : undefined,
    environments,
    offers,
    market,
    image,
    agent: uploaded.agent,
    node: uploaded.node,
    ...(identity.kind === 'role' ? { base: baseOf(identity.role) } : {}),
  };
  return { prepared, captured };
}

/** For `rawcloud env diff`; a run does without it. */
async function remember(
  deps: ClientDeps,
  job: string,
  asked: RunRequest,
  captured: Captured,
  say: <T extends EventType>(type: T, data: EventData[T]) => void,
): Promise<void> {
  try {
    await rememberRun(deps, job, asked, captured);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say('notice', { level: 'info', text: `what this run took along is not kept for rawcloud env diff: ${why}` });
  }
}

async function cacheOf(
  deps: ClientDeps,
  { cache }: NormalRequest,
  { layers, root }: Captured,
  signal: AbortSignal | undefined,
): Promise<EnvironmentCache | undefined> {
  if (layers.every(({ kind }) => kind === SETUP_KIND)) return undefined;
  const secret = await environmentSecret(deps.store, cacheOwner(deps.owner), signal ? { signal } : {});
  return { secret, project: root, ...(cache === 'rebuild' ? { rebuild: true } : {}) };
}

/** What a spot VM's user should have heard before. */
function riskNotices({ retries }: NormalRequest, offers: readonly Offer[]): Notice[] {
  if (retries > 0 || offers[0]?.purchase !== 'spot') return [];
  return [
    { level: 'info', text: 'EC2 may take a spot VM back; the job then ends as lost, unless --retries N lets new VMs start it again' },
  ];
}

function planEvent(
  request: NormalRequest,
  offers: readonly Offer[],
  market: MarketView,
  image: Image,
  identity: JobIdentity,
): EventData['plan.ready'] {
  return {
    offers,
    image: image.id,
    diskGiB: request.diskGiB,
    lifetimeS: request.lifetimeS,
    identity: identityText(identity),
    usdPerHour: hourlyUsd(offers[0]!, request.diskGiB, market.gp3UsdPerGiBMonth),
  };
}
