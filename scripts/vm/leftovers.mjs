import { readdirSync, readFileSync } from 'node:fs';

/**
 * Ends what was started with a TMPDIR, HOME or the like in this directory and is still there: VMs are detached, so an
 * interrupted test leaves its own.
 */
export function endProcessesOf(directory) {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (pid > 1 && pid !== process.pid && readText(`/proc/${pid}/environ`).includes(`=${directory}`)) end(pid);
  }
}

function end(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: it has just ended by itself.
    if (error.code !== 'ESRCH') throw error;
  }
}

/** '' when it is gone, or not ours. */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
