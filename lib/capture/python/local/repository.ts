import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { CaptureContext, SourceContent } from '../../../contract';
import { contentOf } from '../../layer';

/** A repository larger than that is no package. */
const LIMIT_BYTES = 500e6;

/**
 * All files of a commit of a repository on this machine, as a gzipped tar. Submodules are not in it.
 * @returns undefined when there is no such repository or commit, or no git
 */
export async function checkoutOf(repository: string, commit: string, context: CaptureContext): Promise<SourceContent | undefined> {
  const { env, cwd, signal } = context;
  try {
    // The directory is the user's own, whoever's it is on disk: it is what the package was installed from.
    const trusted = ['-c', `safe.directory=${repository}`, '-C', repository];
    const { stdout } = await promisify(execFile)('git', [...trusted, 'archive', '--format=tar', commit], {
      env,
      cwd,
      encoding: 'buffer',
      maxBuffer: LIMIT_BYTES,
      ...(signal ? { signal } : {}),
    });
    return contentOf(await promisify(gzip)(stdout, { level: 1 }));
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
