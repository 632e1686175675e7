import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { bucketKeys, ClaimSchema, decisionOfResults, decodeJson, DoneSchema, encodeJson, jobKeys } from '../contract';
import type { Beat, Clock, Decision, Exit, Grant, Notice, Outcome, Store } from '../contract';
import { writeOnce } from './claim';
import { Command } from './command';
import type { EndReason } from './exit';
import { followControl } from './control';
import type { Obeyed } from './control';
import { renewCredentials } from './credentials-renewal';
import { CredentialsServer } from './credentials-server';
import { Lifetime } from './deadline';
import { jobEnvironment } from './environment';
import type { Places } from './environment';
import type { Launcher } from './launcher';
import { readOomKills } from './memory';
import type { Phases } from './phases';
import { prepare } from './prepare';
import type { Prepared } from './prepare';
import { Shipper } from './shipper';
import { AgentSpecSchema } from './spec';
import type { AgentSpec } from './spec';
import { environmentFailed, textOf } from './verdict';

export interface AgentDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly grant: Grant;
  /** The VM's name in keys. */
  readonly vm: string;
  readonly bootId: string;
  readonly region: string;
  readonly places: Places;
  readonly phases: Phases;
  /** The machine's own environment. */
  readonly machine: Readonly<Record<string, string | undefined>>;
  readonly launcher: (root: boolean) => Launcher;
  /** Aborted when the machine is going down. */
  readonly goingDown: AbortSignal;
}

/**
 * One job on one VM: prepare, claim, run, record, save, and leave. Life of what runs beside it: shipper, control and
 * credentials start with it; in the end control and credentials stop, then the shipper ships the last beat.
 */
export class Agent {
  readonly #shipper: Shipper;
  readonly #over = new AbortController();
  /** Aborted when the command shall not begin any more. */
  readonly #ending = new AbortController();
  readonly #notices: Notice[] = [];
  #endReason: EndReason | undefined;
  #command: Command | undefined;
  #phase: Beat['phase'] = 'preparing';
  #detail: string | undefined;
  #exit: Exit | undefined;
  #outputs: Beat['outputs'];
  #final = false;
  #credentials: CredentialsServer | undefined;
  readonly #lifetime: Lifetime;

  constructor(private readonly deps: AgentDeps) {
    const { store, clock, grant, vm } = deps;
    this.#lifetime = new Lifetime(deps.places.state, clock, () => this.#end('timeout'));
    this.#shipper = new Shipper({ store, clock, prefix: grant.prefix, vm, intervals: grant.intervals, describe: () => this.#describe() });
  }

  /** @returns whether the job came to a result; if not, drivers decide what became of it */
  async run(): Promise<boolean> {
    const shipping = this.#shipper.run();
    const control = this.#followControl();
    this.deps.goingDown.addEventListener('abort', () => this.#end('stopped'), { once: true });
    try {
      await this.deps.store.delete(bucketKeys.grant(this.deps.vm));
      const decision = await this.#job();
      if (this.deps.goingDown.aborted || !decision) return false;
      await this.#recordOutcome(decision);
      return true;
    } finally {
      this.#over.abort();
      this.#lifetime.close();
      await control;
      this.#credentials?.close();
      this.#phase = 'ending';
      this.#final = true;
      this.#shipper.beat();
      await this.#shipper.close(shipping);
    }
  }

  async #job(): Promise<Decision | undefined> {
    const { store, grant } = this.deps;
    const found = await store.get(jobKeys.spec(grant.prefix));
    if (found === 'absent' || found === 'unchanged') throw new Error('the job that the grant names has no spec');
    const spec = decodeJson(AgentSpecSchema, found.body, 'spec.json');
    await this.#lifetime.until(grant.lifetimeUntil, found.now);
    const claimed = this.#claim();
    let prepared: Prepared;
    try {
      prepared = await this.#prepare(spec);
    } catch (error) {
      await claimed;
      return this.#endReason ? this.#endedEarly() : environmentFailed(error);
    }
    if (!(await claimed)) return undefined;
    if (this.#endReason) return this.#endedEarly();
    return this.#perform(spec, prepared);
  }

  async #prepare(spec: AgentSpec): Promise<Prepared> {
    const launcher = this.deps.launcher(spec.root);
    if (launcher.kind === 'plain' && !spec.root && this.deps.places.root === '') {
      this.#notice({ level: 'warning', text: 'this VM has no systemd: the job shares the agent’s user and network' });
    }
    const prepared = await prepare({
      store: this.deps.store,
      spec,
      places: this.deps.places,
      machine: this.deps.machine,
      owner: launcher.kind === 'unit' ? launcher.user : undefined,
      signal: AbortSignal.any([this.#ending.signal, this.deps.goingDown]),
      say: (line) => this.#shipper.say(line),
      begin: (phase) => this.deps.phases.begin(phase),
      progress: (detail) => {
        this.#detail = detail;
      },
    });
    prepared.built.notices.forEach((notice) => this.#notice(notice));
    return prepared;
  }

  async #claim(): Promise<boolean> {
    const { store, grant, vm } = this.deps;
    return writeOnce(store, jobKeys.claim(grant.prefix, 0), ClaimSchema, { v: 1, vm, epoch: 0, nonce: nonce() } as { nonce: string });
  }

  async #perform(spec: AgentSpec, prepared: Prepared): Promise<Decision | undefined> {
    const { store, clock, grant, vm, places, phases } = this.deps;
    const launcher = this.deps.launcher(spec.root);
    const { snapshotTree } = await import('./outputs.js');
    const snapshot = await snapshotTree(places.tree);
    const [file, ...args] = spec.work.argv as [string, ...string[]];
    this.#command = new Command({
      file,
      args,
      cwd: path.join(places.tree, spec.work.cwd),
      env: await this.#environment(spec, prepared, launcher),
      launcher,
      clock,
      graceMs: spec.limits.graceS * 1000,
      ...(spec.limits.taskTimeoutS === undefined ? {} : { timeoutMs: spec.limits.taskTimeoutS * 1000 }),
      ...(prepared.stdin === undefined ? {} : { stdin: prepared.stdin }),
      scratch: places.job,
      onOutput: (stream, bytes) => this.#shipper.push(stream, bytes),
      onStarted: () => this.#started(),
      oomKills: readOomKills,
    });
    const startedAt = clock.now();
    const exit = await this.#command.run();
    const endedAt = clock.now();
    phases.begin('finish');
    this.#exit = exit;
    this.#phase = 'ending';
    this.#shipper.beat();
    if (this.deps.goingDown.aborted) return undefined;
    const done = { v: 1 as const, vm, epoch: 0, nonce: nonce(), results: [{ task: 0, exit, startedAt, endedAt }] };
    // Somebody else's result was first: ours is discarded, and the job is not ours to end.
    if (!(await writeOnce(store, jobKeys.done(grant.prefix, 0), DoneSchema, done))) return undefined;
    await this.#recordOutcome(decisionOfResults([done]));
    await this.#saveOutputs(prepared, snapshot);
    return decisionOfResults([done]);
  }

  async #environment(spec: AgentSpec, prepared: Prepared, launcher: Launcher): Promise<Record<string, string>> {
    const { grant, machine, places, region } = this.deps;
    if (grant.credentials) this.#credentials = new CredentialsServer(grant.credentials);
    const url = await this.#credentials?.start();
    if (this.#credentials) void this.#renew(this.#credentials);
    return jobEnvironment({
      places,
      machine,
      user: launcher.user,
      job: spec.job,
      task: 0,
      taskCount: spec.tasks.count,
      region,
      path: prepared.built.path,
      layers: prepared.built.env,
      variables: { ...spec.environment.variables, ...grant.variables },
      ...(url && this.#credentials ? { credentials: { url, token: this.#credentials.token } } : {}),
    });
  }

  #started(): void {
    // Here and not before: what is measured is the way to the command's exec.
    this.deps.phases.begin('command');
    this.#phase = 'busy';
    this.#detail = undefined;
    this.#shipper.beat();
  }

  async #saveOutputs(prepared: Prepared, snapshot: Awaited<ReturnType<typeof import('./outputs.js').snapshotTree>>): Promise<void> {
    const { store, grant, vm, places } = this.deps;
    const { collectOutputs } = await import('./outputs.js');
    try {
      this.#outputs = await collectOutputs({
        store,
        directory: places.tree,
        tree: prepared.tree,
        snapshot,
        prefix: grant.prefix,
        vm,
        onNotice: (notice) => this.#notice(notice),
      });
    } catch (error) {
      // The result stands; that its files could not be saved is said, not made the job's failure.
      this.#notice({ level: 'warning', text: `the files that the job wrote could not be saved: ${textOf(error)}` });
    }
  }

  async #recordOutcome(decision: Decision): Promise<void> {
    const { store, grant, vm, clock } = this.deps;
    const outcome: Outcome = { v: 1, ...decision, by: `agent ${vm}`, at: clock.now() };
    await store.put(jobKeys.outcome(grant.prefix), encodeJson(outcome), { if: 'absent' });
  }

  #end(reason: EndReason): void {
    this.#endReason ??= reason;
    this.#ending.abort();
    this.#command?.end(reason);
  }

  #endedEarly(): Decision | undefined {
    if (this.deps.goingDown.aborted) return undefined;
    return decisionOfResults([
      {
        v: 1,
        vm: this.deps.vm,
        epoch: 0,
        nonce: '',
        results: [{ task: 0, exit: { code: 130, outOfMemory: false, reason: 'stopped' }, startedAt: 0, endedAt: 0 }],
      },
    ]);
  }

  async #followControl(): Promise<void> {
    const { store, clock, grant } = this.deps;
    let known: Obeyed['lifetimeUntil'];
    await followControl({
      store,
      clock,
      prefix: grant.prefix,
      everyMs: grant.intervals.controlMs,
      signal: this.#over.signal,
      onChange: (control) => {
        this.#shipper.watchedUntil(control.watchUntil === undefined ? 0 : clock.now() + control.watchUntil - control.now);
        if (control.stop) this.#end('stopped');
        if (control.lifetimeUntil === undefined || control.lifetimeUntil === known) return;
        known = control.lifetimeUntil;
        void this.#lifetime
          .until(known, control.now)
          .catch((error: unknown) => this.#shipper.say(`rawcloud: cannot move the deadline: ${textOf(error)}`));
      },
      onTrouble: (error) => this.#shipper.say(`rawcloud: cannot read control.json: ${textOf(error)}`),
    });
  }

  #renew(server: CredentialsServer): Promise<void> {
    const { store, clock, vm, grant } = this.deps;
    return renewCredentials({
      store,
      clock,
      vm,
      grant,
      server,
      signal: this.#over.signal,
      onRenewed: () => this.#shipper.beat(),
      say: (line) => this.#shipper.say(line),
    });
  }

  #notice(notice: Notice): void {
    this.#notices.push(notice);
    this.#shipper.say(`${notice.level}: ${notice.text}`);
    this.#shipper.beat();
  }

  #describe(): Omit<Beat, 'v' | 'rev' | 'lastLog' | 'requests'> {
    const until = this.#credentials?.expiresAt;
    return {
      bootId: this.deps.bootId,
      phase: this.#phase,
      final: this.#final,
      ...(this.#detail === undefined ? {} : { detail: this.#detail }),
      blocks: this.#phase === 'busy' ? [0] : [],
      ...(this.#exit ? { exit: this.#exit } : {}),
      timings: this.deps.phases.timings,
      ...(this.#outputs ? { outputs: this.#outputs } : {}),
      ...(until === undefined ? {} : { credentialsUntil: until }),
      notices: this.#notices,
    };
  }
}

function nonce(): string {
  return randomBytes(12).toString('hex');
}
