import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Ends the VMs under a directory: they are detached, so an interrupted test leaves its own. Each is known by its pid file,
 * whose path is among QEMU's arguments; a number that has come to somebody else is left alone.
 */
export function endVms(directory) {
  for (const name of readdirSync(directory, { recursive: true })) {
    if (!name.endsWith('.machine/pid')) continue;
    const file = path.join(directory, name);
    const pid = Number(readText(file));
    if (pid > 1 && readText(`/proc/${pid}/cmdline`).split('\0').includes(file)) process.kill(pid, 'SIGKILL');
  }
}

/** '' when it is gone. */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
