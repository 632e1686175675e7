import type { Bill, EventData, EventType, LogStream, Offer, OutputFile, RawcloudEvent } from '../../lib/contract';
import { RawcloudError } from '../../lib/contract';
import type {
  Client,
  DeletedEnvironments,
  JobHandle,
  JobResult,
  JobStatus,
  JobSummary,
  KeptEnvironment,
  OnTransfer,
  OutputChunk,
  ReapReport,
  RunPlan,
  RunRequest,
} from '../../lib/runtime/api';

/*
 * A client whose jobs are a script: `launching` events go to onEvent, `watching` events come from watch(), and the
 * result is what it is told to be. Behaviour it shares with the runtime: an abort before `launch.intent` rejects run();
 * a stop turns the outcome into 'stopped' and lets watch() end; an aborted watch throws the signal's reason.
 */

export const NOW = Date.parse('2026-11-23T12:00:00.000Z');

export const OFFER: Offer = {
  vmType: 'm7i.large',
  zone: 'us-east-1a',
  purchase: 'on-demand',
  arch: 'x86_64',
  vcpu: 2,
  memoryGiB: 8,
  usdPerHour: 0.1008,
  priceSource: 'built-in price table of 2026-11-01',
  priceEstimated: false,
};

export const BILL: Bill = {
  lines: [
    { what: 'm7i.large', quantity: 60, unit: 's', usd: 0.00168 },
    { what: '30 GiB disk', quantity: 60, unit: 's', usd: 0.00005 },
    { what: 'public IPv4 address', quantity: 60, unit: 's', usd: 0.00008 },
  ],
  usd: 0.00181,
  estimated: false,
  priceSource: 'built-in price table of 2026-11-01',
};

export const PLAN: RunPlan = {
  offers: [OFFER, { ...OFFER, vmType: 'm6i.large', priceEstimated: true }],
  image: 'ami-0123456789abcdef0',
  diskGiB: 30,
  lifetimeS: 86_400,
  retries: 0,
  usdPerHour: 0.1091,
  parts: { vm: 0.1008, disk: 0.0033, address: 0.005 },
  logins: [],
  alternatives: [
    {
      kind: 'cheaper',
      offer: { ...OFFER, purchase: 'spot', usdPerHour: 0.04, priceEstimated: true },
      usdPerHour: 0.0483,
      text: 'EC2 may take it back after two minutes’ notice',
      options: '--spot-policy spot_with_fallback',
    },
  ],
  minimumUsd: 0.0018,
  identity: { kind: 'forwarded', arn: 'arn:aws:iam::123456789012:user/developer', expiresAt: '2026-11-24T00:00:00.000Z' },
  tree: { root: '/home/dev/project', files: 1204, bytes: 50_000_000, largest: [{ path: 'data/big.csv', bytes: 40_000_000 }] },
  packages: [{ kind: 'python', title: 'Python 3.11 (.venv), 12 packages' }],
  notices: [{ level: 'warning', text: 'data/big.csv is ignored by git and travels because the command names it' }],
};

export const RESULT: JobResult = {
  job: 'j7k2m9',
  outcome: 'ok',
  reason: 'exited',
  message: 'the command succeeded',
  exitCode: 0,
  exitCodeIsJobs: true,
  bill: BILL,
  outputs: [],
  timings: { plan: [NOW, NOW + 200], boot: [NOW + 200, NOW + 18_200], command: [NOW + 18_200, NOW + 20_000] },
};

export const SUMMARY: JobSummary = {
  job: 'j7k2m9',
  name: 'nightly',
  owner: 'arn:aws:iam::123456789012:user/developer',
  command: 'python train.py --epochs 3',
  createdAt: NOW - 200_000,
  state: 'running',
  vmType: 'm7i.large',
  usd: 0.0042,
};

export const STATUS: JobStatus = {
  ...SUMMARY,
  argv: ['python', 'train.py', '--note', 'two words'],
  cwd: 'sub',
  vms: [{ id: 'i-0abc', state: 'busy', silent: false, vmType: 'm7i.large', zone: 'us-east-1a', launchedAt: NOW - 190_000 }],
  launches: [{ n: 0, offer: OFFER, state: 'launched' }],
  lifetimeUntil: NOW + 86_000_000,
  bill: BILL,
  timings: RESULT.timings,
  outputs: [{ path: 'out/result.json', bytes: 1200, kept: true }],
  outputsOmitted: 0,
};

/** One event of the fake job. */
export function event<T extends EventType>(type: T, data: EventData[T], more: { vm?: string; task?: number } = {}): RawcloudEvent<T> {
  return { v: 1, at: new Date(NOW).toISOString(), job: RESULT.job, ...more, type, data };
}

export function output(stream: LogStream, text: string, base64?: string): RawcloudEvent {
  return event('output', { stream, text, ...(base64 === undefined ? {} : { base64 }) }, { vm: 'i-0abc', task: 0 });
}

const { offers, image, diskGiB, lifetimeS, usdPerHour } = PLAN;

export const LAUNCHING: readonly RawcloudEvent[] = [
  event('plan.ready', { offers, image, diskGiB, lifetimeS, usdPerHour, identity: 'arn:aws:iam::123456789012:user/developer' }),
  event('sync.progress', { phase: 'hash', files: 700, bytes: 30_000_000, newBytes: 0 }),
  event('sync.progress', { phase: 'done', files: 1204, bytes: 50_000_000, newBytes: 3_000_000 }),
  event('launch.intent', { n: 0, offer: OFFER }),
  event('launch.outcome', { n: 0, state: 'launched', instances: ['i-0abc'] }),
];

export const WATCHING: readonly RawcloudEvent[] = [
  event('vm.booting', {}, { vm: 'i-0abc' }),
  event('vm.busy', {}, { vm: 'i-0abc' }),
  output('stdout', 'hello\n'),
  output('stderr', 'careful\n'),
  event('vm.ending', {}, { vm: 'i-0abc' }),
];

export const REPORT: ReapReport = {
  jobs: 2,
  ended: ['j1'],
  failed: ['j1'],
  started: [],
  marked: [{ kind: 'volume', id: 'vol-0', why: 'unattached', job: 'j0' }],
  removed: [{ kind: 'vm', id: 'i-0dead', why: 'no-open-job', job: 'j0' }],
  cleared: [],
  waiting: 1,
  swept: { objects: 3, bytes: 40_000_000 },
  unproved: [],
};

/** What a fake client does. */
export const KEPT: KeptEnvironment = {
  id: '3f9a0c12de',
  kind: 'python',
  platform: 'linux-x86_64',
  packages: 142,
  bytes: 220_000_000,
  storedBytes: 70_000_000,
  builtAt: NOW - 40 * 86_400_000,
  usedAt: NOW - 3 * 86_400_000,
  isYours: true,
  isHere: true,
};

export interface Script {
  readonly local?: boolean;
  readonly launching?: readonly RawcloudEvent[];
  readonly watching?: readonly RawcloudEvent[];
  readonly result?: JobResult;
  readonly status?: JobStatus;
  readonly summaries?: readonly JobSummary[];
  readonly chunks?: readonly OutputChunk[];
  readonly bootLog?: string;
  readonly report?: ReapReport;
  readonly kept?: readonly KeptEnvironment[];
  /** Thrown by run(), after the launching events. */
  readonly runFails?: Error;
  /** Thrown by watch(), after the watching events. */
  readonly watchFails?: Error;
  /** Called in run() after each launching event. */
  readonly onLaunching?: (event: RawcloudEvent) => Promise<void> | void;
  /** Called in watch() before each event. */
  readonly onWatching?: (event: RawcloudEvent) => Promise<void> | void;
  /** watch() goes on until the job is stopped (or for ever, when stopping does not help). */
  readonly endless?: boolean;
  readonly ignoresStop?: boolean;
  /** Called in download(), half-way. */
  readonly onProgressed?: () => Promise<void>;
  /** Called in download(), which goes on until its signal is aborted. */
  readonly onDownloading?: () => void;
}

/** Records what it was asked, and plays the script. */
export class FakeClient implements Client {
  readonly scaffold = { name: 'default', region: 'us-east-1', account: '123456789012', bucket: 'rawcloud-123' };
  readonly requests: RunRequest[] = [];
  readonly asked: (string | undefined)[] = [];
  readonly calls: string[] = [];
  readonly downloads: { directory: string; overwrite: boolean }[] = [];
  stdin = '';
  treeAnswer: boolean | undefined;
  closed = false;

  constructor(private readonly script: Script = {}) {}

  get local(): boolean {
    return this.script.local ?? false;
  }

  async environments(): Promise<KeptEnvironment[]> {
    this.calls.push('environments');
    return [...(this.script.kept ?? [])];
  }

  async deleteEnvironments(which: readonly string[]): Promise<DeletedEnvironments> {
    this.calls.push(`delete ${which.join(' ')}`);
    const environments = (this.script.kept ?? []).filter(({ id }) => which.includes(id));
    const bytes = environments.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    return { environments, objects: environments.length * 2, bytes, keptForOthers: [] };
  }

  async plan(request: RunRequest): Promise<RunPlan> {
    this.requests.push(request);
    return PLAN;
  }

  async run(request: RunRequest, options: { signal?: AbortSignal; onEvent?: (event: RawcloudEvent) => void } = {}): Promise<JobHandle> {
    this.requests.push(request);
    this.treeAnswer = await request.confirmLargeTree?.(PLAN.tree);
    for await (const chunk of request.stdin ?? []) this.stdin += Buffer.from(chunk).toString();
    let recorded = false;
    for (const next of this.script.launching ?? LAUNCHING) {
      recorded ||= next.type === 'launch.intent';
      options.onEvent?.(next);
      await this.script.onLaunching?.(next);
      if (!recorded) options.signal?.throwIfAborted();
    }
    if (this.script.runFails) throw this.script.runFails;
    return new FakeJob(this, this.script);
  }

  async job(which?: string): Promise<JobHandle> {
    this.asked.push(which);
    if (which === 'nobody') throw new RawcloudError('E_NO_JOB', `there is no job '${which}'`, { remedy: 'rawcloud ps --all lists jobs.' });
    return new FakeJob(this, this.script);
  }

  async jobs(options: { all?: boolean; limit?: number } = {}): Promise<JobSummary[]> {
    this.calls.push(`jobs ${JSON.stringify(options)}`);
    return [...(this.script.summaries ?? [SUMMARY])];
  }

  start(): Promise<never> {
    return Promise.reject(new Error('nothing is deployed here'));
  }

  async reap(): Promise<ReapReport> {
    return this.script.report ?? REPORT;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

class FakeJob implements JobHandle {
  readonly id = RESULT.job;
  readonly #stopped = new AbortController();

  constructor(
    private readonly client: FakeClient,
    private readonly script: Script,
  ) {}

  async *watch({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<RawcloudEvent> {
    for (const next of this.script.watching ?? WATCHING) {
      await this.script.onWatching?.(next);
      signal?.throwIfAborted();
      yield next;
    }
    if (this.script.watchFails) throw this.script.watchFails;
    if (this.script.endless) await this.#untilStopped(signal);
  }

  async wait(): Promise<JobResult> {
    const result = this.script.result ?? RESULT;
    if (!this.#stopped.signal.aborted) return result;
    return { ...result, outcome: 'stopped', reason: 'stop-requested', message: 'stopped on request', exitCode: 130, exitCodeIsJobs: false };
  }

  async *logs(options: { follow?: boolean; streams?: readonly string[] } = {}): AsyncGenerator<OutputChunk> {
    this.client.calls.push(`logs ${JSON.stringify({ follow: options.follow, streams: options.streams })}`);
    yield* this.script.chunks ?? [];
  }

  async bootLog(): Promise<string> {
    return this.script.bootLog ?? '';
  }

  async status(): Promise<JobStatus> {
    return this.script.status ?? STATUS;
  }

  async cost(): Promise<Bill> {
    return BILL;
  }

  async stop(): Promise<void> {
    this.client.calls.push('stop');
    if (this.script.ignoresStop) return;
    this.#stopped.abort();
  }

  async extend(seconds: number): Promise<number> {
    this.client.calls.push(`extend ${seconds}`);
    return NOW + seconds * 1000;
  }

  async download(
    directory: string,
    options: { overwrite?: boolean; signal?: AbortSignal; onProgress?: OnTransfer } = {},
  ): Promise<OutputFile[]> {
    options.onProgress?.({ bytes: 600, totalBytes: 1200 });
    await this.script.onProgressed?.();
    this.client.downloads.push({ directory, overwrite: options.overwrite ?? false });
    const { onDownloading } = this.script;
    if (onDownloading) await untilAborted(options.signal, onDownloading);
    return [{ path: 'out/result.json', bytes: 1200, kept: true }];
  }

  async #untilStopped(signal: AbortSignal | undefined): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    await new Promise<void>((resolve, reject) => {
      this.#stopped.signal.addEventListener('abort', () => resolve());
      signal?.addEventListener('abort', () => reject(new Error('watch was aborted', { cause: signal.reason })));
    });
  }
}

function untilAborted(signal: AbortSignal | undefined, begun: () => void): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('aborted', { cause: signal.reason })));
    begun();
  });
}
