import {
  bucketKeys,
  decodeJson,
  encodeJson,
  jobKeys,
  LaunchSchema,
  RawcloudError,
  RETRY_REASONS,
  SETTLE_MS,
  TAGS,
  TEMPLATE_TAG,
  vmUserId,
} from '../../lib/contract';
import type { BusEvent, Clock, Compute, EventBus, Instance, JobSpec, OtherRegions, Remains, Store, Thing } from '../../lib/contract';
import { createMemoryStore } from '../../lib/store/memory';
import type { DriverDeps } from '../../lib/runtime/drive/deps';
import type { ReapDeps } from '../../lib/runtime/reap/deps';
import { Driver } from '../../lib/runtime/drive/driver';
import { recordJob } from '../../lib/runtime/run/record';
import { compileLaunch, clientToken } from '../../lib/runtime/launch/compile';
import { beat, done, INTERVALS, JOB, launch, offer, outcome, PREFIX, ROLE_ID, spec, START } from './records';

/**
 * `interrupted`: taken back by EC2, after the agent has said so · `vanished`: gone in the middle of the work ·
 * `silent`: heard of once, then never, and still on.
 */
export type Fate = 'interrupted' | 'vanished' | 'silent';

/**
 * A world in memory with a virtual clock: bucket, EC2 and agents as the drivers see them.
 *
 * EC2: a launch with a known token gives the same instance; a new instance shows in Describe only after `lagMs`;
 * `capacity` says how many launches are refused first. Agents: a running VM with a grant does its job within one
 * tick and powers off; one without powers off after 120 s.
 */
export class World {
  time = START;
  lagMs = 0;
  refusals = 0;
  exitCode = 0;
  /** Whether agents live at all. */
  agents = true;
  /** How many new VMs the job may have after one that is lost. */
  retries = 0;
  /** Who asked for the job. */
  source: JobSpec['source'] = { kind: 'cli' };
  /** What becomes of the first VMs instead of doing the job. */
  fates: readonly Fate[] = [];
  readonly instances = new Map<string, Instance & { shownAt: number }>();
  /** Every RunInstances that made a VM. */
  launches = 0;
  readonly clock: Clock = {
    now: () => this.time,
    sleep: (ms) => {
      this.time += ms;
      return Promise.resolve();
    },
  };
  readonly store: Store = createMemoryStore({ now: () => this.time });

  readonly compute: Compute = {
    launch: (request) => Promise.resolve().then(() => [this.#launch(request)]),
    describe: ({ job, clientToken: token }) =>
      Promise.resolve(
        [...this.instances.values()].filter(
          (i) => i.shownAt <= this.time && (!job || i.tags[TAGS.job] === job) && (!token || i.clientToken === token),
        ),
      ),
    terminate: (ids) => Promise.resolve(ids.forEach((id) => this.#end(id))),
    tag: () => Promise.resolve(),
    consoleOutput: () => Promise.resolve(''),
  };

  /** What was put on the account's event bus; `deaf` says how many times it takes nothing first. */
  readonly told: BusEvent[] = [];
  deaf = 0;
  readonly bus: EventBus = {
    put: (event) => {
      if (this.deaf > 0) return Promise.reject(new Error(`throttled, ${this.deaf--} more`));
      this.told.push(event);
      return Promise.resolve();
    },
  };

  /** Volumes, interfaces, templates and groups with our tag. */
  readonly left = new Map<string, Thing>();
  readonly remains: Remains = {
    list: (kind) => Promise.resolve([...this.left.values()].filter((thing) => thing.kind === kind)),
    remove: (_kind, id) => Promise.resolve(void this.left.delete(id)),
  };

  /** What carries our tag in the account's other regions, or why one does not answer. */
  readonly elsewhere = new Map<string, Thing[] | Error>();
  readonly asked: string[] = [];
  readonly otherRegions: OtherRegions = {
    list: () => Promise.resolve([...this.elsewhere.keys()]),
    tagged: async (region, _scaffold, kinds) => {
      this.asked.push(region);
      const there = this.elsewhere.get(region) ?? [];
      if (there instanceof Error) throw there;
      return there.filter(({ kind }) => kinds.includes(kind));
    },
  };

  deps(by = 'driver', over: Partial<Pick<DriverDeps, 'store' | 'compute'>> = {}): DriverDeps {
    return {
      store: this.store,
      compute: this.compute,
      clock: this.clock,
      by,
      scaffold: {
        v: 1,
        name: 'default',
        account: '123456789012',
        region: 'us-east-1',
        bucket: 'bucket',
        roleId: ROLE_ID,
        launchTemplateId: 'lt-1',
        launchTemplateVersion: '1',
        securityGroupId: 'sg-1',
        zones: [],
        version: '0',
      },
      ...over,
    };
  }

  /** What a pass of the reaper needs. @param templates launch templates of deployed jobs */
  reaper(templates: readonly string[] = []): ReapDeps {
    return {
      ...this.deps('reaper'),
      remains: this.remains,
      otherRegions: this.otherRegions,
      bus: this.bus,
      deployed: { templates: () => Promise.resolve([...templates]) },
      start: () => Promise.reject(new Error('nothing is deployed here')),
    };
  }

  /** Records a job of one VM, with two offers, and takes the first step, as `run` does. */
  async client(deps: DriverDeps): Promise<void> {
    const first = offer();
    const retries = this.retries === 0 ? [] : RETRY_REASONS.map((on) => ({ on, times: this.retries }));
    const job = spec({ createdAt: new Date(START).toISOString(), source: this.source, limits: { ...spec().limits, retries } });
    const request = compileLaunch({
      spec: job,
      scaffold: deps.scaffold,
      image: { id: 'ami-1', rootDevice: '/dev/xvda' },
      offer: first,
      n: 0,
      lifetimeUntil: START + 86_400_000,
    });
    await recordJob(deps.store, {
      prefix: PREFIX,
      spec: job,
      sealed: { v: 1, prefix: PREFIX, variables: { TOKEN: 'secret' } },
      launch: launch({ offer: first, rest: [offer({ zone: 'us-east-1b' })], request, token: clientToken(JOB, 0, first) }),
      host: 'here',
      watched: true,
    });
    await new Driver(deps, PREFIX).step(false);
  }

  /** Lets the VMs do what they do, and time pass. */
  async tick(ms = 5_000): Promise<void> {
    this.time += ms;
    for (const instance of this.instances.values()) {
      if (instance.state === 'pending') this.#set(instance.id, { state: 'running' });
      else if (instance.state === 'running' && this.agents) await this.#agent(instance);
    }
  }

  /** VMs that somebody pays for. */
  alive(): Instance[] {
    return [...this.instances.values()].filter((i) => i.state !== 'terminated');
  }

  async keys(prefix = ''): Promise<string[]> {
    const keys: string[] = [];
    for await (const entry of this.store.list(prefix)) keys.push(entry.key);
    return keys;
  }

  #launch(request: string): Instance {
    const input = JSON.parse(request) as {
      ClientToken: string;
      InstanceType: string;
      LaunchTemplate: { LaunchTemplateId: string };
      Placement?: { AvailabilityZone: string };
      TagSpecifications: { Tags: { Key: string; Value: string }[] }[];
    };
    const known = [...this.instances.values()].find((i) => i.clientToken === input.ClientToken);
    if (known) return known;
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new RawcloudError('E_CAPACITY', 'no capacity', { data: { class: 'capacity', awsCode: 'InsufficientInstanceCapacity' } });
    }
    this.launches += 1;
    const id = `i-${String(this.launches).padStart(17, '0')}`;
    const given = (input.TagSpecifications[0]?.Tags ?? []).map((t) => [t.Key, t.Value]);
    const tags = { ...Object.fromEntries(given), [TEMPLATE_TAG]: input.LaunchTemplate.LaunchTemplateId };
    const made = {
      id,
      state: 'pending' as const,
      vmType: input.InstanceType,
      zone: input.Placement?.AvailabilityZone ?? 'us-east-1a',
      launchedAt: this.time,
      tags,
      clientToken: input.ClientToken,
      shownAt: this.time + Math.min(this.lagMs, SETTLE_MS - 1),
    };
    this.instances.set(id, made);
    return made;
  }

  #end(id: string): void {
    if (this.instances.get(id)?.state !== 'terminated') this.#set(id, { state: 'terminated', endedAt: this.time });
  }

  #set(id: string, change: Partial<Instance>): void {
    this.instances.set(id, { ...this.instances.get(id)!, ...change });
  }

  async #agent(instance: Instance): Promise<void> {
    const { prefix, vm } = await this.#recordOf(instance);
    const granted = await this.store.get(bucketKeys.grant(vm));
    if (granted === 'absent') {
      if ((await this.store.get(jobKeys.beat(prefix, vm))) !== 'absent') return;
      if (this.time - instance.launchedAt > 120_000) this.#end(instance.id);
      return;
    }
    await this.store.delete(bucketKeys.grant(vm));
    const fate = this.fates[[...this.instances.keys()].indexOf(instance.id)];
    if (fate) return this.#lose(instance, prefix, vm, fate);
    const result =
      this.exitCode === 0 ? outcome({ at: this.time }) : outcome({ outcome: 'failed', exitCode: this.exitCode, at: this.time });
    await this.store.put(jobKeys.done(prefix, 0), encodeJson(done(this.exitCode)), { if: 'absent' });
    await this.store.put(jobKeys.outcome(prefix), encodeJson(result), { if: 'absent' });
    await this.store.put(jobKeys.beat(prefix, vm), encodeJson(beat({ phase: 'ending', final: true })));
    this.#end(instance.id);
  }

  /** Where the VM's job lies, and what the VM is called there. */
  async #recordOf(instance: Instance): Promise<{ prefix: string; vm: string }> {
    const [first = ''] = await this.keys(`v1/jobs/${instance.tags[TAGS.job]}-`);
    const prefix = first.slice(0, first.indexOf('/', 'v1/jobs/'.length) + 1);
    const found = await this.store.get(jobKeys.launch(prefix, Number(instance.tags[TAGS.launch])));
    const role = typeof found === 'string' ? undefined : decodeJson(LaunchSchema, found.body, 'launch').roleId;
    return { prefix, vm: vmUserId(role ?? ROLE_ID, instance.id) };
  }

  async #lose(instance: Instance, prefix: string, vm: string, fate: Fate): Promise<void> {
    const told = fate === 'interrupted' ? { phase: 'ending' as const, exit: INTERRUPTED } : { phase: 'busy' as const };
    await this.store.put(jobKeys.beat(prefix, vm), encodeJson(beat({ ...told, rev: 0 })), { if: 'absent' });
    if (fate === 'silent') return;
    this.#end(instance.id);
    if (fate === 'interrupted') this.#set(instance.id, { stateReason: 'Server.SpotInstanceTermination: interrupted' });
  }
}

const INTERRUPTED = { code: 123, outOfMemory: false, reason: 'interrupted' as const };

/** A process that dies at its n-th call to store or EC2: before the call, or after it and before the answer. */
export class Crash extends Error {}

export function crashing(deps: DriverDeps, at: number, when: 'before' | 'after'): DriverDeps & { calls: () => number } {
  let calls = 0;
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name, receiver): unknown {
        const member: unknown = Reflect.get(object, name, receiver);
        if (typeof member !== 'function' || name === 'list') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          calls += 1;
          if (calls > at) throw new Crash('dead');
          if (calls === at && when === 'before') throw new Crash('dies before the call');
          const answer: unknown = await Reflect.apply(member, object, args);
          if (calls >= at) throw new Crash('dies after the call');
          return answer;
        };
      },
    });
  return { ...deps, store: wrap(deps.store), compute: wrap(deps.compute), calls: () => calls };
}

/** Ticks world and driver until the job is ended. @throws when it does not end within `limitMs` of the world's time */
export async function driveToEnd(world: World, deps: DriverDeps, limitMs = 3 * 3_600_000): Promise<void> {
  const until = world.time + limitMs;
  for (;;) {
    const seen = await new Driver(deps, PREFIX).step(true);
    if (seen.state === 'ended') return;
    if (world.time > until) throw new Error(`the job is still ${seen.state} after ${limitMs / 1000} s`);
    await world.tick();
  }
}

export { INTERVALS, JOB, PREFIX, START };
