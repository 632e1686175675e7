import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** Middle of the values. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Of rows of numbers, each by itself. */
export function medians(rows) {
  return Object.fromEntries(Object.keys(rows[0]).map((key) => [key, median(rows.map((row) => row[key]))]));
}

/** The value that `share` of the values do not exceed. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

/** Runs a command to its end. @returns how long it took (ms), what it wrote, its exit code */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const startedAt = Date.now();
    const start = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => {
      // What is measured by the gigabyte is not kept.
      if (!options.discard) stdout += data;
      options.onStdout?.(data);
    });
    child.stderr.on('data', (data) => (stderr += data));
    child.on('error', reject);
    child.on('close', (code) => resolve({ ms: performance.now() - start, startedAt, stdout, stderr, code }));
  });
}

/** Like run, and throws unless the command succeeds. */
export async function mustRun(command, args, options) {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${result.code}:\n${result.stderr}`);
  return result;
}

/**
 * Measures two things side by side, in turn, so that both meet the same weather.
 * @returns medians and the median of the pairs' ratios
 */
export async function sideBySide(pairs, one, baseline) {
  const ones = [];
  const baselines = [];
  await one();
  await baseline();
  for (let i = 0; i < pairs; i++) {
    // Which goes first alternates, so that neither profits from what the other warmed up.
    if (i % 2) ones.push(await one());
    baselines.push(await baseline());
    if (!(i % 2)) ones.push(await one());
  }
  return { one: median(ones), baseline: median(baselines), ratio: median(ones.map((ms, i) => ms / baselines[i])) };
}

/** `node -e 0`: what starting anything on Node costs at least. */
export async function bareNodeMs() {
  return (await mustRun(process.execPath, ['-e', '0'])).ms;
}
