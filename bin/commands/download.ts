import path from 'node:path';
import { formatSize, RawcloudError } from '../../lib/contract';
import type { JobHandle, OnTransfer } from '../../lib/runtime/api';
import type { Context } from '../context';
import type { DownloadOptions } from '../options';
import { jsonLine } from '../render/json-line';
import { downloadingText } from '../render/phase-text';
import { Rate } from '../render/rate';
import { Screen } from '../render/screen';
import { downloadedLine } from '../render/summary';
import { styleFor } from '../render/style';
import { withClient } from './connection';
import { treeRoot } from './tree-root';

/** `rawcloud download`: writes the files home that the job wrote; the list of them goes to stdout. */
export async function download(which: string | undefined, options: DownloadOptions, context: Context): Promise<number> {
  const { io, out, err } = context;
  await withClient(context, options, async (client) => {
    const job = await client.job(which);
    const directory = await destination(job, options, io.cwd);
    const files = await shown(options, context, (onProgress) =>
      job.download(directory, { overwrite: options.overwrite ?? false, ...(onProgress ? { onProgress } : {}) }),
    );
    if (options.json) return out.write(jsonLine(io.clock, { type: 'downloaded', job: job.id, data: { directory, files } }));
    for (const file of files) await out.write(`${formatSize(file.bytes).padStart(9)}  ${file.path}\n`);
    return err.write(`${downloadedLine({ job: job.id, directory, files }, styleFor(io.stderr, io.env))}\n`);
  });
  return 0;
}

/** On a terminal, how far it is. */
async function shown<T>({ json = false }: DownloadOptions, context: Context, fetch: (onProgress?: OnTransfer) => Promise<T>): Promise<T> {
  if (json) return fetch();
  const screen = new Screen(context);
  const rate = new Rate(context.io.clock);
  try {
    return await fetch((progress) => screen.showSoon(downloadingText(progress, screen.style, rate)));
  } finally {
    await screen.close();
  }
}

async function destination(job: JobHandle, { to }: DownloadOptions, cwd: string): Promise<string> {
  if (to !== undefined) return path.resolve(cwd, to);
  const { cwd: relative } = await job.status();
  const root = treeRoot(cwd, relative);
  if (root !== undefined) return root;
  throw new RawcloudError('E_USAGE', `job ${job.id} was started in '${relative}' of its tree, which is not where you are`, {
    remedy: `Say where the files shall go: rawcloud download ${job.id} --to DIR`,
  });
}
