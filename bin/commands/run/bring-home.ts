import path from 'node:path';
import { findRawcloudError } from '../../../lib/contract';
import type { JobHandle, JobResult } from '../../../lib/runtime/api';
import type { Context } from '../../context';
import type { RunOptions } from '../../options';
import type { Presenter } from '../../render/presenter';
import { treeRoot } from '../tree-root';

/**
 * `--download`, `--download-to`: writes the files that came back where a local command would have written them,
 * replacing what is there. A failure is said and does not hide the job's own exit code.
 */
export async function bringHome(
  job: JobHandle,
  result: JobResult,
  options: RunOptions,
  context: Context,
  presenter: Presenter,
): Promise<void> {
  const asked = options.download === true || options.downloadTo !== undefined;
  if (!asked || !result.outputs.some((file) => file.kept)) return;
  try {
    const directory = await destination(job, options, context.io.cwd);
    const files = await job.download(directory, { overwrite: true });
    await presenter.downloaded({ job: job.id, directory, files });
  } catch (error) {
    const message = findRawcloudError(error)?.message ?? (error instanceof Error ? error.message : String(error));
    await presenter.remark(`the new files could not be written: ${message}\n  → rawcloud download ${job.id} --to DIR`);
  }
}

async function destination(job: JobHandle, options: RunOptions, cwd: string): Promise<string> {
  if (options.downloadTo !== undefined) return path.resolve(cwd, options.downloadTo);
  const { cwd: relative } = await job.status();
  return treeRoot(cwd, relative) ?? cwd;
}
