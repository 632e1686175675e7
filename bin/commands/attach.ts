import type { Context } from '../context';
import type { AttachOptions } from '../options';
import { withClient } from './connection';
import { follow } from './follow';
import { Interruption, LEFT } from './interruption';
import { createPresenter } from './presenter';

/** 128 + SIGPIPE. */
const SIGPIPE_CODE = 141;

/**
 * `rawcloud attach`: watches a job from its first byte and leaves with its exit code. Ctrl-C and a reader that went away
 * leave the job running: who attaches is a guest.
 */
export async function attach(which: string | undefined, options: AttachOptions, context: Context): Promise<number> {
  const interruption = new Interruption(context.io.signals, 'leave');
  try {
    return await withClient(context, options, async (client) => {
      const job = await client.job(which);
      const presenter = createPresenter(context, options, client.local);
      try {
        const result = await follow(job, { presenter, interruption, outputGone: context.out.gone, onOutputGone: 'leave' });
        if (result !== LEFT) {
          await presenter.result(result);
          return result.exitCode;
        }
        await presenter.leaving({ job: job.id, ...(job.name ? { name: job.name } : {}), stopping: false });
        return context.out.gone.aborted ? SIGPIPE_CODE : interruption.exitCode;
      } finally {
        await presenter.close();
      }
    });
  } finally {
    interruption.dispose();
  }
}
