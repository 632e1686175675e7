import { execFileSync } from 'node:child_process';

/** Process ids whose command line holds the text, as `ps` shows it. */
export function processesWith(text) {
  return table('pid=,args=')
    .filter((line) => line.includes(text) && !line.includes(' ps '))
    .map((line) => Number.parseInt(line, 10));
}

/** Resident memory of processes, MiB. */
export function memoryMiB(pids) {
  if (pids.length === 0) return 0;
  const rss = execFileSync('ps', ['-o', 'rss=', '-p', pids.join(',')], { encoding: 'utf8' });
  return (
    rss
      .trim()
      .split('\n')
      .reduce((sum, kib) => sum + Number(kib), 0) / 1024
  );
}

/** Processor time of processes so far, seconds. */
export function cpuSeconds(pids) {
  const times = execFileSync('ps', ['-o', 'cputimes=', '-p', pids.join(',')], { encoding: 'utf8' });
  return times
    .trim()
    .split('\n')
    .reduce((sum, s) => sum + Number(s), 0);
}

/** Looks every 100 ms. */
export function highestMemoryMiB(find) {
  let highest = 0;
  const timer = setInterval(() => {
    try {
      highest = Math.max(highest, memoryMiB(find()));
    } catch {
      // It has ended between being found and being looked at.
    }
  }, 100);
  return {
    end: async () => {
      clearInterval(timer);
      return highest;
    },
  };
}

function table(columns) {
  return execFileSync('ps', ['-ww', '-eo', columns], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}
