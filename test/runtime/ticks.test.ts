import fc from 'fast-check';
import { bucketKeys, decodeJson, jobKeys, JobSpecSchema, LaunchSchema, OutcomeSchema } from '../../lib/contract';
import type { Definition, Deployed, Overlap, Scaffold } from '../../lib/contract';
import { startTick } from '../../lib/runtime/definition/start';
import { updateLast } from '../../lib/runtime/definition/ticks';
import type { ReapReport, StartedTick } from '../../lib/runtime/api';
import type { ClientDeps } from '../../lib/runtime/deps';
import { Driver } from '../../lib/runtime/drive/driver';
import { reap } from '../../lib/runtime/reap/pass';
import { viewMarket } from '../../lib/runtime/plan/market';
import { inAnyOrder } from '../fakes/any-order';
import { INTERVALS, ref, ROLE_ID } from '../fakes/records';
import { World } from '../fakes/world';

const OTHER_ROLE = 'AROAOFTHEJOB';

function definition(overlap: Overlap): Definition {
  return {
    v: 1,
    work: { kind: 'command', argv: ['python', 'nightly.py'], cwd: '' },
    environment: { tree: ref('tree'), layers: [] },
    hardware: { arch: 'x86_64', diskGiB: 30, spotPolicy: 'on-demand', vmTypes: ['m7i.large'] },
    limits: { lifetimeS: 3_600, graceS: 10, retries: [] },
    overlap,
    outputs: ['out'],
    tags: { team: 'data' },
    agent: ref('agent'),
    node: ref('node'),
    contents: [ref('tree'), ref('pack')],
  };
}

const DEPLOYED: Deployed = {
  v: 1,
  id: 'nightly',
  kind: 'schedule',
  enabled: true,
  definition: ref('definition').sha256,
  assets: { bucket: 'assets', keyPrefix: '', keySuffix: '.bin' },
  roleArn: 'arn:aws:iam::123456789012:role/nightly',
  roleId: OTHER_ROLE,
  launchTemplateId: 'lt-nightly',
  launchTemplateVersion: '3',
  variables: { TABLE: 'readings' },
  inputVariable: 'EVENT',
};

/** What a launch function is made of, in a world in memory. */
function depsOf(world: World, overlap: Overlap = 'skip', change: Partial<Deployed> = {}): ClientDeps & { copied: string[] } {
  const copied: string[] = [];
  const market = { view: () => Promise.resolve(viewMarket('us-east-1', undefined)) };
  return {
    ...world.deps('lambda'),
    remains: world.remains,
    otherRegions: world.otherRegions,
    events: world.bus,
    owner: 'arn:aws:sts::123456789012:assumed-role/launch/1',
    host: 'lambda',
    local: false,
    arch: 'x86_64',
    vmSystem: 'linux',
    here: 'linux-x86_64',
    cwd: '/',
    home: '/',
    env: {},
    cacheDir: '/nowhere',
    intervals: INTERVALS,
    market: market as unknown as ClientDeps['market'],
    pace: { quickestMs: 1, slowestMs: 1, beatMs: 1, fullMs: 1, describeMs: 1, describeBootMs: 1, describeSoonMs: 1 },
    resolveImage: () => Promise.resolve({ id: 'ami-1', rootDevice: '/dev/xvda' }),
    forward: () => Promise.resolve(undefined),
    agentArtifact: () => Promise.reject(new Error('a deployed job has its own')),
    nodeArtifact: () => Promise.reject(new Error('a deployed job has its own')),
    copied,
    deployed: {
      roles: () => Promise.resolve([]),
      templates: () => Promise.resolve([]),
      read: (id) => Promise.resolve(id === DEPLOYED.id ? { ...DEPLOYED, ...change } : undefined),
      definition: () => Promise.resolve(definition(overlap)),
      copy: async (_deployed, _sha256, key) => {
        copied.push(key);
        await world.store.put(key, Buffer.from('content'));
      },
    },
  };
}

const TICK = '2026-11-23T12:00:00Z';
const NEXT = '2026-11-23T13:00:00Z';

async function prefixOf(world: World, job: string): Promise<string> {
  const [key] = (await world.keys('v1/jobs/')).filter((k) => k.startsWith(`v1/jobs/${job}-`));
  return key!.slice(0, key!.indexOf('/', 'v1/jobs/'.length) + 1);
}

async function live(world: World, deps: ClientDeps, job: string): Promise<string> {
  const prefix = await prefixOf(world, job);
  for (let i = 0; i < 100; i++) {
    const seen = await new Driver(deps, prefix).step(true);
    if (seen.state === 'ended') return seen.objects.outcome!.value.outcome;
    await world.tick();
  }
  throw new Error('the job does not end');
}

describe('a tick of a deployed job', () => {
  test('becomes a run of what was deployed: its command, role, template and variables', async () => {
    const world = new World();
    const deps = depsOf(world);
    const started = await startTick(deps, { id: 'nightly', tick: TICK, input: '{"key":"x"}' });
    expect(started.state).toBe('launched');
    const prefix = await prefixOf(world, started.job);
    const spec = await world.store.get(jobKeys.spec(prefix));
    expect(typeof spec === 'string' ? spec : decodeJson(JobSpecSchema, spec.body, 'spec')).toMatchObject({
      work: { argv: ['python', 'nightly.py'] },
      source: { kind: 'schedule', id: 'nightly', tick: TICK },
      identity: { kind: 'role', arn: DEPLOYED.roleArn },
      environment: { variables: { TABLE: 'readings' }, secretNames: ['EVENT'] },
      outputs: ['out'],
      tags: { team: 'data' },
    });
    const launch = await world.store.get(jobKeys.launch(prefix, 0));
    const { request, instances, roleId } = typeof launch === 'string' ? fail(launch) : decodeJson(LaunchSchema, launch.body, 'launch');
    expect(JSON.parse(request)).toMatchObject({ LaunchTemplate: { LaunchTemplateId: 'lt-nightly', Version: '3' } });
    expect([roleId, instances[0]!.vm.split(':')[0]]).toEqual([OTHER_ROLE, OTHER_ROLE]);
    expect(deps.copied.sort()).toEqual(
      [
        bucketKeys.agent(ref('agent').sha256),
        bucketKeys.agent(ref('node').sha256),
        bucketKeys.file(ref('pack').sha256),
        bucketKeys.file(ref('tree').sha256),
      ].sort(),
    );
  });

  test('has of what the scaffolding limits what it gives now, where the job asked for nothing; fails for what it asked for in vain', async () => {
    const world = new World();
    const deps = depsOf(world);
    const tick = (now: Scaffold['limits'], then: Definition, at: string): Promise<StartedTick> =>
      startTick(
        { ...deps, scaffold: { ...deps.scaffold, limits: now }, deployed: { ...deps.deployed, definition: async () => then } },
        { id: 'nightly', tick: at },
      );
    const asked = definition('allow');
    const { spotPolicy: _spot, ...hardware } = asked.hardware;
    const { lifetimeS: _lifetime, ...limits } = asked.limits;
    const now = { lifetimeS: 1_800, spotPolicies: ['spot' as const] };
    const { job } = await tick(now, { ...asked, hardware, limits }, TICK);
    const spec = await world.store.get(jobKeys.spec(await prefixOf(world, job)));
    expect(typeof spec === 'string' ? spec : decodeJson(JobSpecSchema, spec.body, 'spec')).toMatchObject({
      hardware: { spotPolicy: 'spot' },
      limits: { lifetimeS: 1_800 },
    });
    await expect(tick(now, asked, NEXT)).rejects.toThrow(
      /a lifetime of 1 h is too long; allowed are up to 30 min.*on-demand is not allowed/,
    );
  });

  test('is one run, however often, late and by whom it is delivered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (s, times) => {
        const world = new World();
        const base = depsOf(world, 'allow');
        const deps = { ...base, store: inAnyOrder(s, world.store), compute: inAnyOrder(s, world.compute) };
        const deliveries = Array.from({ length: times }, () => startTick(deps, { id: 'nightly', tick: TICK }));
        const started = await s.waitFor(Promise.all(deliveries));
        expect(new Set(started.map(({ job }) => job)).size).toBe(1);
        expect(await startTick(base, { id: 'nightly', tick: TICK })).toEqual({ state: 'going', job: started[0]!.job });
        expect(world.launches).toBe(1);
      }),
      { numRuns: 30 },
    );
  });

  test('whose function died at any call is finished by the next delivery, with one VM', async () => {
    const count = { calls: 0 };
    const dying = (world: World, at: number): ClientDeps => {
      let calls = 0;
      const wrap = <T extends object>(target: T): T =>
        new Proxy(target, {
          get(object, name, receiver): unknown {
            const member: unknown = Reflect.get(object, name, receiver);
            if (typeof member !== 'function' || name === 'list') return member;
            return async (...args: unknown[]): Promise<unknown> => {
              count.calls = calls += 1;
              if (calls > at) throw new Error('timed out');
              const answer: unknown = await Reflect.apply(member, object, args);
              if (calls === at) throw new Error('timed out');
              return answer;
            };
          },
        });
      const deps = depsOf(world);
      return { ...deps, store: wrap(world.store), compute: wrap(world.compute) };
    };
    await startTick(dying(new World(), Infinity), { id: 'nightly', tick: TICK });
    const calls = count.calls;
    expect(calls).toBeGreaterThan(15);
    for (let at = 1; at < calls; at++) {
      const world = new World();
      await startTick(dying(world, at), { id: 'nightly', tick: TICK }).catch(() => undefined);
      const { job } = await startTick(depsOf(world), { id: 'nightly', tick: TICK });
      expect(await live(world, depsOf(world), job)).toBe('ok');
      expect(world.launches).toBe(1);
    }
  });

  test('is refused when nothing of that id is deployed, and skipped when the job is disabled', async () => {
    const world = new World();
    await expect(startTick(depsOf(world), { id: 'other', tick: TICK })).rejects.toMatchObject({ code: 'E_USAGE' });
    expect(await startTick(depsOf(world, 'skip', { enabled: false }), { id: 'nightly', tick: TICK })).toMatchObject({ state: 'skipped' });
    await expect(startTick(depsOf(world), { id: 'nightly', tick: NEXT, input: 'x'.repeat(65_537) })).rejects.toMatchObject({
      code: 'E_USAGE',
    });
    expect(world.launches).toBe(0);
  });
});

describe('a tick that comes while the run before is still going', () => {
  async function two(overlap: Overlap): Promise<{ world: World; first: StartedTick; second: StartedTick; deps: ClientDeps }> {
    const world = new World();
    world.agents = false;
    const deps = depsOf(world, overlap);
    const first = await startTick(deps, { id: 'nightly', tick: TICK });
    const second = await startTick(deps, { id: 'nightly', tick: NEXT });
    return { world, first, second, deps };
  }

  test('is skipped, for good, and says for whom', async () => {
    const { world, first, second, deps } = await two('skip');
    expect(second).toMatchObject({ state: 'skipped', why: `the run of ${TICK} (job ${first.job}) is still going` });
    world.agents = true;
    await live(world, deps, first.job);
    expect(await startTick(deps, { id: 'nightly', tick: NEXT })).toEqual(second);
    expect(world.launches).toBe(1);
  });

  test('is launched beside it where that is allowed', async () => {
    const { world, second } = await two('allow');
    expect(second.state).toBe('launched');
    expect(world.launches).toBe(2);
  });

  test('takes its place where that is asked for', async () => {
    const { world, first, second, deps } = await two('replace');
    expect(second.state).toBe('launched');
    const prefix = await prefixOf(world, first.job);
    for (let i = 0; i < 20; i++, await world.tick()) await new Driver(deps, prefix).step(true);
    const outcome = await world.store.get(jobKeys.outcome(prefix));
    expect(typeof outcome === 'string' ? outcome : decodeJson(OutcomeSchema, outcome.body, 'outcome').outcome).toBe('stopped');
  });

  test('waits where that is asked for; a third takes the place of the second; it runs when the first has ended', async () => {
    const { world, first, second, deps } = await two('queue');
    expect(second.state).toBe('queued');
    expect(await startTick(deps, { id: 'nightly', tick: '2026-11-23T14:00:00Z' })).toMatchObject({ state: 'queued' });
    expect(await startTick(deps, { id: 'nightly', tick: NEXT })).toMatchObject({
      state: 'skipped',
      why: expect.stringMatching(/took its place/) as string,
    });
    world.agents = true;
    await live(world, deps, first.job);
    expect(await startTick(deps, { id: 'nightly', tick: '2026-11-23T14:00:00Z' })).toMatchObject({ state: 'launched' });
    expect(world.launches).toBe(2);
  });

  test('queue: ticks that are delivered in the wrong order wait by their times: an earlier one does not take the place of a later', async () => {
    const { world, first, second, deps } = await two('queue');
    const [late, later] = ['2026-11-23T12:30:00Z', '2026-11-23T14:00:00Z'];
    expect(await startTick(deps, { id: 'nightly', tick: late })).toMatchObject({
      state: 'skipped',
      why: `the later tick ${NEXT} waits already`,
    });
    expect(await startTick(deps, { id: 'nightly', tick: NEXT })).toMatchObject({ state: 'queued', job: second.job });
    expect(await startTick(deps, { id: 'nightly', tick: later })).toMatchObject({ state: 'queued' });
    // Twice, and after it was skipped.
    expect(await startTick(deps, { id: 'nightly', tick: late })).toMatchObject({ state: 'skipped' });
    world.agents = true;
    await live(world, deps, first.job);
    expect(await startTick(deps, { id: 'nightly', tick: later })).toMatchObject({ state: 'launched' });
    expect(world.launches).toBe(2);
  });

  test('events have no order but that of their delivery: the last one waits', async () => {
    const { first, deps } = await two('queue');
    const [a, b] = ['9f1c2b1e-0001-4000-8000-000000000001', '1f1c2b1e-0001-4000-8000-000000000001'];
    for (const tick of [a, b]) expect(await startTick(deps, { id: 'nightly', tick })).toMatchObject({ state: 'queued' });
    expect(await startTick(deps, { id: 'nightly', tick: a })).toMatchObject({ state: 'skipped' });
    expect(await startTick(deps, { id: 'nightly', tick: TICK })).toEqual({ state: 'going', job: first.job });
  });

  test.each(['skip', 'allow', 'replace', 'queue'] as const)(
    '%s: any ticks in any order, each any number of times, are one run each at most, and each is accounted for',
    async (overlap) => {
      const ticks = ['12', '13', '14', '15'].map((hour) => `2026-11-23T${hour}:00:00Z`);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...ticks), fc.nat(2)), { minLength: 1, maxLength: 10 }), async (deliveries) => {
          const world = new World();
          const deps = depsOf(world, overlap);
          const jobs = new Map<string, string>();
          for (const [tick, pause] of deliveries) {
            const { job } = await startTick(deps, { id: 'nightly', tick });
            expect(jobs.get(tick) ?? job).toBe(job);
            jobs.set(tick, job);
            for (let i = 0; i < pause; i++) await world.tick();
          }
          for (let quiet = 0; quiet < 2; await world.tick()) {
            const { jobs: open, started } = await reap({ ...deps, bus: world.bus, start: (request) => startTick(deps, request) });
            quiet = open === 0 && started.length === 0 ? quiet + 1 : 0;
          }
          const states = await Promise.all([...jobs.keys()].map((tick) => startTick(deps, { id: 'nightly', tick })));
          expect(states.filter(({ state }) => state !== 'going' && state !== 'skipped')).toEqual([]);
          expect(world.launches).toBe(states.filter(({ state }) => state === 'going').length);
          expect(world.alive()).toEqual([]);
        }),
        { numRuns: 15 },
      );
    },
  );

  test('queue: what waits is run by the reaper as soon as the run before it is over', async () => {
    const { world, first, second, deps } = await two('queue');
    const pass = (): Promise<ReapReport> => reap({ ...deps, bus: world.bus, start: (request) => startTick(deps, request) });
    expect(await pass()).toMatchObject({ started: [], unproved: [] });
    world.agents = true;
    await live(world, deps, first.job);
    const { started, unproved } = await pass();
    expect([started, unproved]).toEqual([[second.job], []]);
    expect(await pass()).toMatchObject({ started: [], unproved: [] });
    expect(world.launches).toBe(2);
  });

  test('queue: nothing waits any more when the job is not deployed by then', async () => {
    const { world, first, deps } = await two('queue');
    world.agents = true;
    await live(world, deps, first.job);
    const gone = { ...deps, deployed: { ...deps.deployed, read: () => Promise.resolve(undefined) } };
    const pass = (): Promise<ReapReport> => reap({ ...gone, bus: world.bus, start: (request) => startTick(gone, request) });
    expect(await pass()).toMatchObject({ started: [], unproved: [] });
    expect((await updateLast(world.store, 'nightly', () => undefined)).queued).toBeUndefined();
    expect(world.launches).toBe(1);
  });
});

function fail(what: string): never {
  throw new Error(`the record is ${what}`);
}

test('records name the role that the fakes use', () => expect(ROLE_ID).not.toBe(OTHER_ROLE));
