import { bucketKeys, checkWithinLimits, defaultsWithin, jobKeys, mapBounded, RawcloudError, SETUP_KIND } from '../../contract';
import type { Definition, Deployed, JobSpec, Ref, Scaffold, Tick } from '../../contract';
import type { StartedTick, TickRequest } from '../api';
import { updateControl } from '../control';
import type { ClientDeps } from '../deps';
import { Driver } from '../drive/driver';
import { begin } from '../run/begin';
import type { Prepared } from '../run/begin';
import { withinLimits } from '../plan/market';
import { hardwareOf, offersFor } from '../run/offers';
import { Stopwatch } from '../run/stopwatch';
import { isKept, lookAtSweep, settleContent } from '../../store/keep';
import { environmentSecret } from '../environment-secret';
import { isGoing } from './going';
import { skipTick, takeTick, updateLast } from './ticks';

const MOST_INPUT_BYTES = 64 * 1024;
/** Objects copied at once. */
const COPIES = 8;

/**
 * Runs a deployed job once for a tick, however often and in whatever order ticks are delivered. Roles, command and limits
 * are those that CloudFormation wrote; whoever sends the event chooses none of them.
 * @throws E_USAGE for a job that is not deployed or an input that is too long, and what a launch can fail of
 */
export async function startTick(deps: ClientDeps, asked: TickRequest): Promise<StartedTick> {
  checkInput(asked);
  const deployed = await deps.deployed.read(asked.id);
  if (!deployed) {
    throw new RawcloudError('E_USAGE', `no job '${asked.id}' is deployed in scaffolding '${deps.scaffold.name}'`, {
      remedy: 'Its stack may be gone or not there yet: look at the SSM parameters under /rawcloud/.',
    });
  }
  const tick = await takeTick(deps.store, asked.id, asked.tick, deps.clock.now());
  if (tick.skipped !== undefined) return { state: 'skipped', job: tick.job, why: tick.skipped };
  if ((await deps.store.get(jobKeys.launch(tick.prefix, 0))) !== 'absent') {
    await new Driver(deps, tick.prefix).step(true);
    return { state: 'going', job: tick.job };
  }
  if (!deployed.enabled) return skip(deps, tick, 'the job is disabled');
  const definition = await deps.deployed.definition(deployed);
  return (await giveWay(deps, definition, tick, asked)) ?? launch(deps, { deployed, definition, tick, asked });
}

function checkInput({ input }: TickRequest): void {
  const bytes = Buffer.byteLength(input ?? '');
  if (bytes <= MOST_INPUT_BYTES) return;
  throw new RawcloudError('E_USAGE', `the event's input is ${bytes} bytes; allowed are ${MOST_INPUT_BYTES}`, {
    remedy: 'Hand over a name, as of an object in S3, instead of the content.',
  });
}

async function skip({ store }: ClientDeps, tick: Tick, why: string): Promise<StartedTick> {
  await skipTick(store, tick, why);
  return { state: 'skipped', job: tick.job, why };
}

/** What the job's overlap rule says while an earlier run is still going. @returns undefined when this tick is the next run */
async function giveWay(deps: ClientDeps, { overlap }: Definition, tick: Tick, { input }: TickRequest): Promise<StartedTick | undefined> {
  const { store } = deps;
  for (;;) {
    const { last, rev, queued } = await updateLast(store, tick.id, () => undefined);
    const isBusy = overlap !== 'allow' && last !== undefined && last.tick !== tick.tick && (await isGoing(deps, last));
    if (isBusy && overlap === 'skip') return skip(deps, tick, `the run of ${last.tick} (job ${last.job}) is still going`);
    if (isBusy && overlap === 'queue') {
      const ours = { tick: tick.tick, ...(input === undefined ? {} : { input }) };
      const waiting = await updateLast(store, tick.id, (known) =>
        isEarlier(tick.tick, known.queued?.tick) ? undefined : { ...known, queued: ours },
      );
      if (waiting.queued && waiting.queued.tick !== tick.tick)
        return skip(deps, tick, `the later tick ${waiting.queued.tick} waits already`);
      if (queued && queued.tick !== tick.tick) await replaceQueued(deps, tick.id, queued.tick);
      return { state: 'queued', job: tick.job, why: `the run of ${last.tick} (job ${last.job}) is still going` };
    }
    if (isBusy) await updateControl(store, last.prefix, (c, now) => (c.stop ? undefined : { ...c, stop: { at: now, by: deps.by } }));
    // Somebody else's tick came in between: the question is asked anew.
    const changed = await updateLast(store, tick.id, (known) =>
      known.rev === rev ? withoutQueued({ ...known, last: tick }, tick) : undefined,
    );
    if (changed.rev === rev + 1 && changed.last?.job === tick.job) return undefined;
  }
}

/** Scheduled times say which tick is the earlier one, in whatever order they are delivered; ids of events do not. */
function isEarlier(tick: string, other: string | undefined): boolean {
  const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text);
  return other !== undefined && isTime(tick) && isTime(other) && Date.parse(tick) < Date.parse(other);
}

function withoutQueued<T extends { queued?: { tick: string } | undefined }>({ queued, ...last }: T, tick: Tick): T {
  return (queued && queued.tick !== tick.tick ? { ...last, queued } : last) as T;
}

async function replaceQueued(deps: ClientDeps, id: string, waiting: string): Promise<void> {
  const before = await takeTick(deps.store, id, waiting, deps.clock.now());
  await skipTick(deps.store, before, 'a later tick took its place in the queue');
}

interface Launching {
  readonly deployed: Deployed;
  readonly definition: Definition;
  readonly tick: Tick;
  readonly asked: TickRequest;
}

async function launch(deps: ClientDeps, launching: Launching): Promise<StartedTick> {
  const { deployed, definition, tick } = launching;
  const stopwatch = new Stopwatch(deps.clock);
  await stopwatch.time('upload', () => copyContents(deps, deployed, definition));
  const prepared = await stopwatch.time('plan', () => prepare(deps, launching));
  await begin(deps, tick.prefix, prepared, { stopwatch, watched: false, shared: true });
  return { state: 'launched', job: tick.job };
}

async function copyContents(deps: ClientDeps, deployed: Deployed, definition: Definition): Promise<void> {
  const { store, deployed: jobs } = deps;
  const before = await lookAtSweep(store);
  const boots = [definition.agent, definition.node].map((ref): [Ref, string] => [ref, bucketKeys.agent(ref.sha256)]);
  const files = definition.contents.map((ref): [Ref, string] => [ref, bucketKeys.file(ref.sha256)]);
  await mapBounded([...boots, ...files], COPIES, async ([{ sha256 }, key]) => {
    if (!(await isKept(store, key))) await jobs.copy(deployed, sha256, key);
  });
  const gone = await settleContent(deps, before, new Set([...boots, ...files].map(([, key]) => key)));
  if (gone.length > 0) await copyContents(deps, deployed, definition);
}

async function prepare(deps: ClientDeps, { deployed, definition, tick, asked }: Launching): Promise<Prepared> {
  const { environment } = definition;
  const { hardware, limits } = withDefaults(definition, deps.scaffold);
  checkWithinLimits(deps.scaffold, { ...hardware, lifetimeS: limits.lifetimeS });
  const [image, view] = await Promise.all([deps.resolveImage(hardware.arch, environment.image), deps.market.view(hardware.spotPolicy)]);
  const market = withinLimits(view, deps.scaffold.limits);
  const isCached = environment.layers.some(({ kind }) => kind !== SETUP_KIND);
  const environments = isCached ? { secret: await environmentSecret(deps.store, `deployed:${deployed.id}`), project: '' } : undefined;
  const input = deployed.inputVariable === undefined || asked.input === undefined ? {} : { [deployed.inputVariable]: asked.input };
  return {
    job: tick.job,
    spec: specOf(deps, { deployed, definition, tick, hardware, limits, secretNames: Object.keys(input) }),
    secretVariables: input,
    forwarded: undefined,
    environments,
    offers: offersFor(hardwareOf(deps, { cpu: {}, memoryGiB: {}, ...hardware }, hardware.arch, tick.job), market),
    market,
    image,
    agent: definition.agent,
    node: definition.node,
    base: {
      roleId: deployed.roleId,
      launchTemplateId: deployed.launchTemplateId,
      launchTemplateVersion: deployed.launchTemplateVersion,
    },
  };
}

type Allotted = Pick<JobSpec, 'limits'> & { readonly hardware: Omit<JobSpec['hardware'], 'region' | 'zones'> };

/** What was not asked for is as the scaffolding's limits are now. */
function withDefaults({ hardware, limits }: Definition, scaffold: Scaffold): Allotted {
  const { lifetimeS, spotPolicy } = defaultsWithin(scaffold.limits ?? {});
  return {
    hardware: { ...hardware, spotPolicy: hardware.spotPolicy ?? spotPolicy },
    limits: { ...limits, lifetimeS: limits.lifetimeS ?? lifetimeS },
  };
}

interface Specified extends Omit<Launching, 'asked'>, Allotted {
  readonly secretNames: string[];
}

function specOf(deps: ClientDeps, { deployed, definition, tick, hardware, limits, secretNames }: Specified): JobSpec {
  const { work, environment, tags } = definition;
  const { tree, layers, image } = environment;
  const { secrets } = deployed;
  return {
    v: 1,
    job: tick.job,
    ...(deployed.name ? { name: deployed.name } : {}),
    owner: deps.owner,
    createdAt: new Date(tick.at).toISOString(),
    source: { kind: deployed.kind, id: deployed.id, tick: tick.tick },
    work,
    tasks: { count: 1, blocks: [[1, 1]] },
    environment: { tree, layers, variables: deployed.variables, secretNames, ...(secrets ? { secrets } : {}), ...(image ? { image } : {}) },
    hardware: { ...hardware, region: deps.scaffold.region },
    vms: { max: 1, slots: 1, group: 'independent' },
    limits,
    root: false,
    identity: { kind: 'role', arn: deployed.roleArn },
    outputs: definition.outputs ?? [],
    tags,
  };
}
