import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface GitDirectories {
  /** Of this work tree: its index lies there. */
  readonly own: string;
  /** What further work trees share: configuration and info/exclude lie there. The same as `own` in most repositories. */
  readonly common: string;
}

/** `.git`, or what the file `.git` points at, and what that shares with other work trees. */
export function gitDirectoriesOf(workTree: string): GitDirectories {
  const dotGit = path.join(workTree, '.git');
  const pointer = /^gitdir: (.*)/.exec(readText(dotGit));
  const own = pointer ? path.resolve(workTree, pointer[1]!) : dotGit;
  const common = pointer ? readText(path.join(own, 'commondir')).trim() : '';
  return { own, common: common === '' ? own : path.resolve(own, common) };
}

/** '' when there is none; whatever hinders reading hinders git in the same way, which goes on. */
export function readText(file: string | Buffer, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  try {
    return readFileSync(file, encoding);
  } catch {
    return '';
  }
}
