import type { Client, JobHandle } from '../../../lib/runtime/api';
import type { Context } from '../../context';
import type { RunOptions } from '../../options';
import { rememberJobs } from '../completion/recent-jobs';
import { closeSoon, connectOptions } from '../connection';
import { follow } from '../follow';
import { Interruption, LEFT, unlessLeft } from '../interruption';
import { createPresenter } from '../presenter';
import { showPlan } from './dry-run';
import { bringHome } from './bring-home';
import { readRequest } from './request';
import { nothingLaunched, startJob } from './start';
import type { Run } from './start';

/** 128 + SIGPIPE, as a local command whose output nobody reads. */
const SIGPIPE_CODE = 141;

/**
 * `rawcloud run`: request → client → job → result.
 *
 * Before the job is on record Ctrl-C aborts and nothing is left; from then on it asks the job to stop and we wait for the
 * proof that its VM is gone; a second one leaves. Shutdown order: watcher, presenter, client, signal handlers.
 */
export async function run(command: readonly string[], options: RunOptions, context: Context): Promise<number> {
  const request = await readRequest(command, options, context.io);
  if (options.dryRun) return showPlan(request, options, context);
  const interruption = new Interruption(context.io.signals, 'stop');
  try {
    const client = await unlessLeft(context.io.connect(connectOptions(context, options)), interruption.stop);
    if (client === LEFT) throw nothingLaunched();
    try {
      return await runWith(client, { request, options, context, interruption });
    } finally {
      await closeSoon(client, context.io);
    }
  } finally {
    interruption.dispose();
  }
}

async function runWith(client: Client, given: Omit<Run, 'client' | 'presenter'>): Promise<number> {
  const presenter = createPresenter(given.context, given.options, client.local);
  const run: Run = { ...given, client, presenter };
  try {
    const started = await startJob(run);
    if (started === LEFT) return given.interruption.exitCode;
    const { job, until } = started;
    const remembered = { job: job.id, ...(job.name ? { name: job.name } : {}), command: given.request.command.join(' ') };
    await rememberJobs([remembered], given.context.io.env, given.context.io.clock.now());
    if (given.options.detach && !given.interruption.stop.aborted) return await detach(run, job, until);
    return await watchJob(run, job, until);
  } finally {
    await presenter.close();
  }
}

/** The id alone on stdout, for `JOB=$(rawcloud run --detach …)`; how to look in on stderr. */
async function detach({ presenter, options, context }: Run, job: JobHandle, until: number | undefined): Promise<number> {
  if (!options.json) await context.out.write(`${job.id}\n`);
  await presenter.leaving({ job: job.id, ...(job.name ? { name: job.name } : {}), stopping: false, ...(until ? { until } : {}) });
  return 0;
}

async function watchJob(run: Run, job: JobHandle, until: number | undefined): Promise<number> {
  const { presenter, interruption, context } = run;
  let result;
  try {
    result = await follow(job, { presenter, interruption, outputGone: context.out.gone, onOutputGone: 'stop' });
  } catch (error) {
    await presenter.remark(`lost sight of job ${job.id}, which goes on by itself: rawcloud attach ${job.id}, rawcloud stop ${job.id}`);
    throw error;
  }
  if (result === LEFT) {
    const stopping = interruption.stop.aborted;
    await presenter.leaving({ job: job.id, ...(job.name ? { name: job.name } : {}), stopping, ...(until ? { until } : {}) });
    return interruption.exitCode;
  }
  await bringHome(job, result, run);
  await presenter.result(result);
  return context.out.gone.aborted && result.outcome === 'stopped' ? SIGPIPE_CODE : result.exitCode;
}
