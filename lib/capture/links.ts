import path from 'node:path';
import { bytePathOf, leadsOutside, parentOf } from '../contract';
import type { BytePath } from '../contract';
import { isSystemPath } from './system-paths';

/** An absolute target inside the tree, by any of the root's names, made relative: the tree lies elsewhere on the VM. */
export function relocate(link: BytePath, target: BytePath, roots: readonly string[]): BytePath {
  for (const root of roots.map(bytePathOf)) {
    if (target === root || target.startsWith(`${root}/`)) {
      return path.posix.relative(`/${parentOf(link)}`, `/${target.slice(root.length + 1)}`) || '.';
    }
  }
  return target;
}

/** Leads out of the tree by its text, and not to what every VM has. */
export function pointsOutside(link: BytePath, target: BytePath): boolean {
  return leadsOutside(link, target) && !isSystemPath(target);
}
