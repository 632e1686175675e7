import { formatDuration, jobKeys, outputBytes, RawcloudError, TAGS } from '../contract';
import type { Bill, JobView, LogStream, OutputFile, RawcloudEvent } from '../contract';
import type { JobHandle, JobResult, JobStatus, OnTransfer, OutputChunk } from './api';
import { updateControl } from './control';
import type { ClientDeps } from './deps';
import { downloadOutputs } from './download';
import { Driver } from './drive/driver';
import { resultOf, statusOf } from './observe/status';
import { watch } from './observe/watch';
import { LogFollower } from './observe/log-follower';
import { WatcherDuties } from './watcher-duties';

interface Signal {
  readonly signal?: AbortSignal;
}

/** A job on record, as the public API shows it. */
export class Handle implements JobHandle {
  readonly id: string;
  readonly name?: string;
  /** The job as it is for good: nothing changes after its end. */
  #ended: JobView | undefined;

  constructor(
    private readonly deps: ClientDeps,
    readonly prefix: string,
    about: { readonly id: string; readonly name?: string | undefined },
    /** Whether somebody else launched it: who may only look then goes on looking. */
    private readonly guest = false,
  ) {
    this.id = about.id;
    if (about.name !== undefined) this.name = about.name;
  }

  async *watch(options: Signal = {}): AsyncGenerator<RawcloudEvent> {
    const duties = new WatcherDuties(this.deps, this.guest);
    const driver = new Driver(this.deps, this.prefix);
    yield* watch(driver, this.deps, {
      pace: this.deps.pace,
      guest: this.guest,
      whileWatching: (view) => duties.perform(view),
      ...options,
    });
    this.#ended = driver.lastView;
  }

  async wait(options: Signal = {}): Promise<JobResult> {
    const seen = await this.#look(options, false);
    if (seen.state === 'ended') return resultOf(seen);
    for await (const _event of this.watch(options));
    return resultOf(await this.#look(options, false));
  }

  async *logs(options: Signal & { follow?: boolean; streams?: readonly LogStream[] } = {}): AsyncGenerator<OutputChunk> {
    const streams = options.streams ?? ['stdout', 'stderr'];
    const signal = options.signal ? { signal: options.signal } : {};
    for await (const chunk of options.follow ? this.#followed(signal) : this.#shipped(signal))
      if (streams.includes(chunk.stream)) yield chunk;
  }

  async *#followed(options: Signal): AsyncGenerator<OutputChunk> {
    for await (const event of this.watch(options)) {
      if (event.type === 'output') yield { stream: event.data.stream, task: event.task ?? 0, bytes: outputBytes(event.data) };
    }
  }

  async *#shipped({ signal }: Signal): AsyncGenerator<OutputChunk> {
    const view = await this.#look(signal ? { signal } : {}, false);
    for (const vm of view.vms) {
      const follower = new LogFollower(this.deps.store, this.prefix, vm.vm);
      for (let read = -2; read !== follower.last;) {
        read = follower.last;
        for await (const { stream, task, bytes } of follower.pump(signal)) yield { stream, task, bytes };
      }
    }
  }

  async bootLog(options: Signal = {}): Promise<string> {
    const view = await this.#look(options, true);
    const vm = view.vms.at(-1);
    if (!vm) return '';
    const found = await this.deps.store.get(jobKeys.bootLog(this.prefix, vm.vm), options);
    if (found !== 'absent' && found !== 'unchanged') return Buffer.from(found.body).toString('utf8');
    return this.deps.compute.consoleOutput(vm.id, options);
  }

  async status(options: Signal = {}): Promise<JobStatus> {
    return statusOf(await this.#look(options, true));
  }

  async cost(options: Signal = {}): Promise<Bill> {
    return (await this.status(options)).bill;
  }

  async stop(options: Signal = {}): Promise<void> {
    const view = await this.#look(options, false);
    if (view.objects.outcome) return;
    await updateControl(this.deps.store, this.prefix, (control, now) =>
      control.stop ? undefined : { ...control, stop: { at: Math.max(now, view.now), by: this.deps.by } },
    );
  }

  async extend(seconds: number, options: Signal = {}): Promise<number> {
    if (!(seconds >= 60 && seconds <= 30 * 86_400)) {
      throw new RawcloudError('E_USAGE', `cannot extend by ${seconds} s; allowed are 60 s to 30 days, counted from now`);
    }
    const view = await this.#look(options, true);
    if (view.objects.outcome) {
      throw new RawcloudError(
        'E_JOB_STATE',
        `job ${this.id} is already ${view.state} (${view.objects.outcome.value.outcome}); only a job that runs can be extended`,
      );
    }
    const until = view.now + seconds * 1000;
    this.#checkLifetime(view, until);
    await updateControl(this.deps.store, this.prefix, (control) => ({ ...control, lifetimeUntil: until }));
    const ids = view.vms.filter((vm) => vm.state !== 'gone').map((vm) => vm.id);
    if (ids.length > 0) await this.deps.compute.tag(ids, { [TAGS.until]: new Date(until).toISOString() }, options);
    return until;
  }

  /** The limit counts from the job's beginning, so that nobody gets around it in steps. @throws E_NOT_ALLOWED */
  #checkLifetime(view: JobView, until: number): void {
    const { name, limits } = this.deps.scaffold;
    const createdAt = view.objects.spec?.value.createdAt;
    if (limits?.lifetimeS === undefined || createdAt === undefined) return;
    const leftS = (Date.parse(createdAt) - view.now) / 1000 + limits.lifetimeS;
    if ((until - view.now) / 1000 <= leftS) return;
    const most = formatDuration(limits.lifetimeS);
    throw new RawcloudError('E_NOT_ALLOWED', `scaffolding '${name}' lets a job live for ${most} from its beginning, and not longer`, {
      remedy: leftS >= 60 ? `Extend it by at most ${formatDuration(leftS)}.` : 'Run the rest as another job.',
    });
  }

  async download(directory: string, options: Signal & { overwrite?: boolean; onProgress?: OnTransfer } = {}): Promise<OutputFile[]> {
    const view = await this.#look(options, false);
    const vm = view.vms.findLast((v) => v.beat?.outputs);
    const outputs = vm?.beat?.outputs;
    if (!vm || !outputs) {
      if (view.objects.outcome) return [];
      throw new RawcloudError('E_JOB_STATE', `job ${this.id} is still ${view.state}: its files are collected when the command has ended`, {
        remedy: `Wait for it with: rawcloud attach ${this.id}`,
      });
    }
    if (!outputs.tree) return [];
    return downloadOutputs({
      store: this.deps.store,
      prefix: this.prefix,
      vm: vm.vm,
      tree: outputs.tree,
      directory,
      overwrite: options.overwrite ?? false,
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  }

  async #look(options: Signal, ask: boolean): Promise<JobView> {
    return this.#ended ?? new Driver(this.deps, this.prefix).look(ask, options.signal);
  }
}
