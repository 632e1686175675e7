import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  BeatSchema,
  bucketKeys,
  decodeJson,
  decodeLogChunk,
  DoneSchema,
  encodeJson,
  jobKeys,
  OutcomeSchema,
  systemClock,
} from '../../lib/contract';
import type { Beat, Clock, Control, Credentials, Done, Grant, JobSpec, LogRun, LogStream, Outcome, Store } from '../../lib/contract';
import type { ReadSecret } from '../../lib/aws/secret-values';
import { runAgent } from '../../lib/agent/agent';
import { placesIn } from '../../lib/agent/environment';
import { measureUsage } from '../../lib/agent/idle/usage';
import type { MeasureUsage } from '../../lib/agent/idle/watch';
import type { Metadata } from '../../lib/agent/interruption';
import { plainLauncher } from '../../lib/agent/launcher';
import { Phases } from '../../lib/agent/phases';
import { createMemoryStore } from '../../lib/store/memory';
import { sha256Of } from '../../lib/store/sha256';
import { encodeTree } from '../../lib/store/tree-codec';
import { control, INTERVALS, PREFIX, SHA, spec, VM_USER } from '../fakes/records';

export interface VmOptions {
  readonly argv: readonly string[];
  readonly spec?: Partial<JobSpec>;
  readonly grant?: Partial<Grant>;
  /** What the command reads. */
  readonly stdin?: Uint8Array;
  /** Stands between the agent and its store. */
  readonly between?: (store: Store) => Store;
  /** @default - that of a VM on demand */
  readonly metadata?: Metadata;
  /** @default - a role without credentials */
  readonly roleCredentials?: () => Promise<Credentials>;
  /** @default - nothing is there */
  readonly readSecret?: ReadSecret;
  /** @default - the real one */
  readonly measureUsage?: MeasureUsage;
  readonly oomKills?: () => Promise<number>;
  /** Its disk. @default - a temporary directory */
  readonly root?: string;
  /** A bucket that earlier VMs have left things in; what they had of the job is removed. @default - an empty one */
  readonly store?: Store;
  /** @default - of this machine */
  readonly path?: string;
  /** Whether setups may run. @default true */
  readonly isRoot?: boolean;
  /** The VM's own clock, when it goes wrong. */
  readonly clock?: Clock;
}

/** An agent at work in this process, on a directory of its own and a store in memory; its commands are real processes. */
export class TestVm {
  readonly #goingDown = new AbortController();

  private constructor(
    readonly root: string,
    readonly store: Store,
    readonly decided: Promise<boolean>,
    goingDown: AbortController,
  ) {
    this.#goingDown = goingDown;
  }

  static async start(options: VmOptions): Promise<TestVm> {
    const root = options.root ?? (await mkdtemp(path.join(os.tmpdir(), 'rawcloud-agent-')));
    const places = placesIn(root, path.join(root, 'state'));
    await mkdir(places.state, { recursive: true });
    const store = options.store ?? createMemoryStore({ now: Date.now });
    for await (const { key } of store.list(PREFIX)) await store.delete(key);
    const goingDown = new AbortController();
    const intervals = { ...INTERVALS, flushMs: 20, idleFlushMs: 20, controlMs: 20, idleControlMs: 20, ...options.grant?.intervals };
    const grant: Grant = {
      v: 1,
      prefix: PREFIX,
      nodeSha256: SHA,
      agentSha256: SHA,
      serial: 0,
      variables: {},
      lifetimeUntil: Date.now() + 3_600_000,
      ...options.grant,
      intervals,
    };
    await layDown(store, options);
    const decided = runAgent({
      store: options.between?.(store) ?? store,
      clock: options.clock ?? systemClock,
      grant,
      vm: VM_USER,
      bootId: 'boot',
      region: 'us-east-1',
      places,
      phases: new Phases(systemClock),
      machine: { PATH: options.path ?? process.env['PATH'], AWS_SECRET_ACCESS_KEY: 'of the machine', HTTPS_PROXY: 'http://proxy:1' },
      user: { isRoot: options.isRoot ?? true, name: 'tester' },
      launcher: () => plainLauncher('tester'),
      metadata: options.metadata ?? { find: async () => undefined },
      roleCredentials: options.roleCredentials ?? (() => Promise.reject(new Error('this VM has no role'))),
      readSecret: options.readSecret ?? (() => Promise.reject(new Error('nothing is there'))),
      measureUsage: options.measureUsage ?? measureUsage(''),
      oomKills: options.oomKills ?? (async () => 0),
      goingDown: goingDown.signal,
    });
    // Seen by the test that awaits it, which may be later.
    decided.catch(() => undefined);
    return new TestVm(root, store, decided, goingDown);
  }

  /** Runs to the end. */
  static async run(options: VmOptions): Promise<TestVm> {
    const vm = await TestVm.start(options);
    await vm.decided;
    return vm;
  }

  file(name: string): string {
    return path.join(this.root, 'var/lib/rawcloud/job/tree', name);
  }

  /** The power button. */
  goDown(): void {
    this.#goingDown.abort(new Error('going down'));
  }

  async control(change: Partial<Control>): Promise<void> {
    await this.store.put(jobKeys.control(PREFIX), encodeJson(control({ rev: 1, ...change })));
  }

  /** Log runs in order, checked: nothing missing, nothing twice. */
  async runs(): Promise<LogRun[]> {
    const runs: LogRun[] = [];
    for await (const { key } of this.store.list(jobKeys.logDirectory(PREFIX, VM_USER))) runs.push(...decodeLogChunk(await this.#body(key)));
    const next = new Map<LogStream, number>();
    for (const { stream, offset, bytes } of runs) {
      expect(offset).toBe(next.get(stream) ?? 0);
      next.set(stream, offset + bytes.byteLength);
    }
    return runs;
  }

  async output(stream: LogStream = 'stdout'): Promise<Buffer> {
    return Buffer.concat((await this.runs()).filter((run) => run.stream === stream).map((run) => run.bytes));
  }

  async text(stream: LogStream = 'stdout'): Promise<string> {
    return (await this.output(stream)).toString();
  }

  /** Resolves when the stream matches. @throws after 10 s, or when the agent ends before */
  async saw(pattern: RegExp, stream: LogStream = 'stdout'): Promise<void> {
    const late = AbortSignal.timeout(10_000);
    while (!pattern.test(await this.text(stream))) {
      if (late.aborted) throw new Error(`no ${pattern} in '${await this.text(stream)}'`);
      await systemClock.sleep(5);
    }
  }

  async beat(): Promise<Beat> {
    return decodeJson(BeatSchema, await this.#body(jobKeys.beat(PREFIX, VM_USER)), 'beat');
  }

  async done(): Promise<Done> {
    return decodeJson(DoneSchema, await this.#body(jobKeys.done(PREFIX, 0)), 'done');
  }

  async outcome(): Promise<Outcome> {
    return decodeJson(OutcomeSchema, await this.#body(jobKeys.outcome(PREFIX)), 'outcome');
  }

  async has(key: string): Promise<boolean> {
    return (await this.store.get(key)) !== 'absent';
  }

  /** Seconds on the machine's uptime. */
  async deadline(): Promise<number> {
    return Number(await readFile(path.join(this.root, 'state/deadline'), 'utf8'));
  }

  async remove(): Promise<void> {
    await this.decided.catch(() => undefined);
    await rm(this.root, { recursive: true });
  }

  async #body(key: string): Promise<Uint8Array> {
    const found = await this.store.get(key);
    if (found === 'absent' || found === 'unchanged') throw new Error(`${key} is ${found}`);
    return found.body;
  }
}

async function layDown(store: Store, { argv, spec: change, stdin }: VmOptions): Promise<void> {
  const { bytes, sha256 } = await encodeTree({ v: 1, entries: [], packs: [], blobs: {} });
  await store.put(bucketKeys.file(sha256), bytes);
  const tree = { sha256, bytes: bytes.byteLength };
  const input = stdin && { sha256: sha256Of(stdin), bytes: stdin.byteLength };
  if (stdin && input) await store.put(bucketKeys.file(input.sha256), stdin);
  const base = spec();
  const { limits, environment, ...rest } = change ?? {};
  const whole: JobSpec = {
    ...base,
    work: { kind: 'command', argv: [...argv], cwd: '' },
    ...(input ? { stdin: input } : {}),
    ...rest,
    limits: { ...base.limits, ...limits },
    environment: { ...base.environment, ...environment, tree },
  };
  await store.put(jobKeys.spec(PREFIX), encodeJson(whole));
  await store.put(bucketKeys.grant(VM_USER), Buffer.from('{}'));
}
