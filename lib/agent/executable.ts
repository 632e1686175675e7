import { statSync } from 'node:fs';
import path from 'node:path';

/**
 * Looks a command up as a shell does: in the directories of `searchPath`, or, with a slash in it, from `cwd`. Asked before
 * the launch, since through another user's unit the kernel's own answer does not come back.
 * @returns its path, or why it cannot be run
 */
export function findExecutable(file: string, searchPath: string, cwd: string): { readonly path: string } | 'not-found' | 'not-executable' {
  const directories = file.includes('/') ? [''] : searchPath.split(':');
  let answer: 'not-found' | 'not-executable' = 'not-found';
  for (const directory of directories) {
    const candidate = path.resolve(cwd, directory, file);
    const stats = statSync(candidate, { throwIfNoEntry: false });
    if (stats?.isFile() && (stats.mode & 0o111) !== 0) return { path: candidate };
    if (stats && (stats.isFile() || file.includes('/'))) answer = 'not-executable';
  }
  return answer;
}
