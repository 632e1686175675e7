import path from 'node:path';
import { findRawcloudError } from '../../../lib/contract';
import type { JobHandle, JobResult } from '../../../lib/runtime/api';
import type { RunOptions } from '../../options';
import type { Interruption } from '../interruption';
import type { Run } from './start';
import { treeRoot } from '../tree-root';

/**
 * `--download`, `--download-to`: writes the files that came back where a local command would have written them,
 * replacing what is there. A failure is said and does not hide the job's own exit code; nor does a signal, which breaks it off.
 */
export async function bringHome(
  job: JobHandle,
  result: JobResult,
  { options, context, presenter, interruption }: Pick<Run, 'options' | 'context' | 'presenter' | 'interruption'>,
): Promise<void> {
  const signal = nextSignal(interruption);
  const asked = options.download === true || options.downloadTo !== undefined;
  if (!asked || !result.outputs.some((file) => file.kept)) return;
  let directory: string | undefined;
  try {
    directory = await destination(job, options, context.io.cwd);
    const files = await job.download(directory, { overwrite: true, signal, onProgress: (progress) => presenter.downloading(progress) });
    await presenter.downloaded({ job: job.id, directory, files });
  } catch (error) {
    const message = findRawcloudError(error)?.message ?? (error instanceof Error ? error.message : String(error));
    const what = signal.aborted ? 'stopped before all new files were here' : `the new files could not be written: ${message}`;
    const again = signal.aborted ? `--overwrite --to ${directory}   # goes on from there` : '--to DIR';
    await presenter.remark(`${what}\n  → rawcloud download ${job.id} ${again}`);
  }
}

/** The job may have been ended by the first Ctrl-C: then it is the second that ends this. */
function nextSignal({ stop, leave }: Interruption): AbortSignal {
  return stop.aborted ? leave : AbortSignal.any([stop, leave]);
}

async function destination(job: JobHandle, options: RunOptions, cwd: string): Promise<string> {
  if (options.downloadTo !== undefined) return path.resolve(cwd, options.downloadTo);
  const { cwd: relative } = await job.status();
  return treeRoot(cwd, relative) ?? cwd;
}
