import type { JobHandle, JobResult } from '../../lib/runtime/api';
import type { Presenter } from '../render/presenter';
import { LEFT, unlessLeft } from './interruption';
import type { Interruption } from './interruption';

export interface Following {
  readonly presenter: Presenter;
  readonly interruption: Interruption;
  /** Aborted when nobody reads our output any more. */
  readonly outputGone: AbortSignal;
  /** What that means for the job: a local command would end by SIGPIPE. */
  readonly onOutputGone: 'stop' | 'leave';
}

/** How long leaving waits for a stop request that is under way. */
const STOP_WITHIN_MS = 2_000;

/**
 * Watches a job to its end and shows it.
 * @returns how it ended, or {@link LEFT} when we were asked to go first
 */
export async function follow(job: JobHandle, following: Following): Promise<JobResult | typeof LEFT> {
  const { interruption, outputGone, onOutputGone } = following;
  const left = new AbortController();
  const leave = () => left.abort();
  const undo = [on(interruption.leave, leave)];
  if (onOutputGone === 'leave') undo.push(on(outputGone, leave));
  const stopper = new Stopper(job, following);
  undo.push(on(interruption.stop, () => stopper.stop('stopping the job; Ctrl-C again leaves at once')));
  if (onOutputGone === 'stop') undo.push(on(outputGone, () => stopper.stop('nobody reads the output any more: stopping the job')));
  try {
    const result = await unlessLeft(watchToEnd(job, following.presenter, left.signal, stopper), left.signal);
    // Who says stop and goes at once still means stop: the request gets a moment to be put on record.
    if (result === LEFT) await unlessLeft(stopper.done, AbortSignal.timeout(STOP_WITHIN_MS));
    return result;
  } catch (error) {
    await following.presenter.remark(
      `job ${job.id} is out of sight and goes on by itself: rawcloud attach ${job.id} comes back to it, rawcloud stop ${job.id} ends it`,
    );
    throw error;
  } finally {
    for (const remove of undo) remove();
  }
}

async function watchToEnd(job: JobHandle, presenter: Presenter, signal: AbortSignal, stopper: Stopper): Promise<JobResult> {
  for await (const event of job.watch({ signal })) await presenter.event(event);
  await stopper.done;
  return job.wait({ signal });
}

/** Asks the job to stop, once, and says so; a failure to ask is said too, as the job then goes on. */
class Stopper {
  /** Resolves when the request is on record, or has failed and that was said. */
  done: Promise<void> = Promise.resolve();
  #asked = false;

  constructor(
    private readonly job: JobHandle,
    private readonly following: Following,
  ) {}

  stop(remark: string): void {
    if (this.#asked) return;
    this.#asked = true;
    this.done = this.#ask(remark);
  }

  async #ask(remark: string): Promise<void> {
    const { presenter, interruption } = this.following;
    try {
      await Promise.all([this.job.stop(), presenter.remark(remark)]);
    } catch (error) {
      if (interruption.leave.aborted) return;
      this.#asked = false;
      await presenter.remark(`the job could not be asked to stop: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Calls the listener when the signal is aborted, at once when it is already. @returns what undoes it */
function on(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
