import path from 'node:path';

/**
 * Root of the synchronized tree, from a job's working directory relative to it ('' for the root itself).
 * @returns undefined when `cwd` does not end like `relative`: the job was not started here
 */
export function treeRoot(cwd: string, relative: string): string | undefined {
  if (relative === '') return cwd;
  const parts = relative.split('/');
  const root = path.resolve(cwd, ...parts.map(() => '..'));
  return path.resolve(root, ...parts) === path.resolve(cwd) ? root : undefined;
}
