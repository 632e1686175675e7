import path from 'node:path';
import { RawcloudError } from '../contract';

/**
 * Paths of what a job shall keep whole, relative to the root of its tree; '' is all of it. They need not be there yet.
 * @throws E_USAGE when one leads out of the tree
 */
export function resolveKept(paths: readonly string[], { root, cwd }: { readonly root: string; readonly cwd: string }): string[] {
  const inTree = paths.map((typed) => {
    const relative = path.relative(root, path.resolve(cwd, typed));
    if (typed !== '' && !typed.includes('\0') && relative !== '..' && !relative.startsWith('../')) return relative;
    throw new RawcloudError('E_USAGE', `cannot keep '${typed}': it is no path in the tree of the job`, {
      remedy: 'Name a file or directory below the working directory, as checkpoints, and let the job write to it.',
    });
  });
  return [...new Set(inTree)];
}
