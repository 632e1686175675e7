import { readFile, writeFile } from 'node:fs/promises';

/** Whether machines have users: root can map all ids into a machine, anybody else only the own one, as root. */
export function canMapUsers(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * Makes the process, which is in a new user namespace, root in there. As root every id of ours is the same one inside;
 * as anybody else there is only one id, ours, and it is root. Source: user_namespaces(7).
 */
export async function mapUsers(pid: number): Promise<void> {
  for (const kind of ['uid', 'gid'] as const) {
    if (canMapUsers()) {
      await writeFile(`/proc/${pid}/${kind}_map`, identity(await readFile(`/proc/self/${kind}_map`, 'utf8')));
    } else {
      // Without it a group map is refused: groups could be dropped that take rights away.
      if (kind === 'gid') await writeFile(`/proc/${pid}/setgroups`, 'deny');
      await writeFile(`/proc/${pid}/${kind}_map`, `0 ${kind === 'uid' ? process.geteuid!() : process.getegid!()} 1\n`);
    }
  }
}

/** The ids that exist here (a container has not all), each as itself. */
function identity(map: string): string {
  return map.replace(/^ *(\d+) +\d+ +(\d+)$/gm, '$1 $1 $2');
}
