import { RawcloudError } from '../../../lib/contract';
import type { RawcloudEvent } from '../../../lib/contract';
import type { Client, JobHandle } from '../../../lib/runtime/api';
import type { Context } from '../../context';
import type { RunOptions } from '../../options';
import type { Presenter } from '../../render/presenter';
import { EventQueue } from '../event-queue';
import { LEFT, unlessLeft } from '../interruption';
import type { Interruption } from '../interruption';
import type { AskedRequest } from './request';
import { pipedInput } from './stdin';

/** All that one `rawcloud run` is made of. */
export interface Run {
  readonly client: Client;
  readonly request: AskedRequest;
  readonly options: RunOptions;
  readonly context: Context;
  readonly presenter: Presenter;
  readonly interruption: Interruption;
}

export interface Started {
  readonly job: JobHandle;
  /** End of the lifetime as planned, milliseconds since 1970; undefined when no plan was shown. */
  readonly until?: number;
}

/**
 * Captures, uploads, records, launches.
 * @returns {@link LEFT} when we were asked to go before there was a handle
 * @throws E_ABORTED when Ctrl-C came before anything was launched
 */
export async function startJob(run: Run): Promise<Started | typeof LEFT> {
  const { client, interruption, presenter } = run;
  const aborting = new AbortController();
  const progress = new Progress(new EventQueue(presenter));
  const onStop = () => {
    if (!progress.recorded) aborting.abort(nothingLaunched());
  };
  interruption.stop.addEventListener('abort', onStop, { once: true });
  try {
    const started = client.run(withInput(run, aborting.signal), {
      signal: aborting.signal,
      onEvent: (event) => progress.note(event),
      source: 'cli',
      watched: !run.options.detach,
    });
    const job = await unlessLeft(started, interruption.leave);
    if (job === LEFT) return await leaveEarly(run, progress);
    await progress.shown();
    return { job, ...(progress.until === undefined ? {} : { until: progress.until }) };
  } catch (error) {
    throw aborting.signal.aborted ? nothingLaunched(error) : error;
  } finally {
    interruption.stop.removeEventListener('abort', onStop);
  }
}

function withInput({ request, options, context, presenter, interruption }: Run, signal: AbortSignal): Parameters<Client['run']>[0] {
  const stdin = pipedInput(context.io, signal, (text) => presenter.remark(text));
  const { confirmTree } = presenter;
  const confirmLargeTree = options.yes
    ? async () => true
    : confirmTree && ((size: Parameters<typeof confirmTree>[0]) => confirmTree(size, interruption.stop));
  return { ...request, ...(stdin ? { stdin } : {}), ...(confirmLargeTree ? { confirmLargeTree } : {}) };
}

async function leaveEarly({ presenter, interruption }: Run, progress: Progress): Promise<typeof LEFT> {
  const { job, recorded, until } = progress;
  if (job !== undefined && recorded)
    await presenter.leaving({ job, stopping: interruption.stop.aborted, ...(until === undefined ? {} : { until }) });
  else await presenter.remark('left before anything was launched');
  return LEFT;
}

/** What Ctrl-C before the launch ends with. */
export function nothingLaunched(cause?: unknown): RawcloudError {
  return new RawcloudError('E_ABORTED', 'stopped before anything was launched', cause === undefined ? {} : { cause });
}

/** What the events before the handle tell. */
class Progress {
  /** From the first launch intent on there may be a VM. */
  recorded = false;
  job: string | undefined;
  until: number | undefined;

  constructor(private readonly queue: EventQueue) {}

  note(event: RawcloudEvent): void {
    this.job = event.job;
    if (event.type === 'plan.ready') this.until = Date.parse(event.at) + event.data.lifetimeS * 1000;
    if (event.type.startsWith('launch.')) this.recorded = true;
    this.queue.push(event);
  }

  shown(): Promise<void> {
    return this.queue.drained();
  }
}
