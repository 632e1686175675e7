/*
 * One capture in a process of its own: `environment-capture.js <python> <cwd> <home>`. Reads the environment of that Python as a run
 * of it would; nothing is sent. Prints one line of JSON; the time is that of the capture alone, the first in its process.
 */
import { performance } from 'node:perf_hooks';
import { capture } from '../lib/runtime/run/capture';

const [python, cwd, home] = process.argv.slice(2) as [string, string, string];

async function main(): Promise<void> {
  const env = { PATH: process.env['PATH'], HOME: home };
  const arch = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const deps = { home, env, vmSystem: process.platform, local: true, cacheDir: `${home}/cache`, here: `${process.platform}-${arch}` };
  const start = performance.now();
  const captured = await capture(deps, { command: [python, 'main.py'], cwd }, arch);
  const ms = performance.now() - start;
  const [layer] = captured.layers;
  const { requirements } = layer!.recipe as { readonly requirements: readonly string[] };
  console.log(
    JSON.stringify({
      ms,
      packages: requirements.filter((line) => line.startsWith('package-number-')).length,
      peakMiB: process.resourceUsage().maxRSS / 1024,
    }),
  );
}

void main();
