import { spawn } from 'node:child_process';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, memoryMiB, processesWith } from '../processes.mjs';

const WATCHED_FOR_MS = 20_000;
/** S3 Standard in us-east-1, dollars a request. Source: aws.amazon.com/s3/pricing, read in November 2026. */
const USD = { PutObject: 0.005 / 1000, GetObject: 0.0004 / 1000 };

/** A job that does nothing: what its agent takes, and what it and its watcher ask of the bucket in an hour. */
export async function measure({ rawcloud, calls, report }) {
  await rawcloud(['run', '--detach', '--quiet', '--', 'sleep', '3600']);
  while (processesWith('/agent.js').length === 0) await sleep(100);
  await sleep(3_000);
  const agents = processesWith('/agent.js');
  const bare = spawn(process.execPath, ['-e', 'setInterval(()=>{},1e9)'], { stdio: 'ignore' });
  await sleep(1_000);
  const before = cpuSeconds(agents);
  await sleep(WATCHED_FOR_MS);
  const cores = (cpuSeconds(agents) - before) / (WATCHED_FOR_MS / 1000);
  const [ours, baseline] = [memoryMiB(agents), memoryMiB([bare.pid])];
  bare.kill();
  report(
    "the agent's memory at rest",
    { ratio: ours / baseline, MiB: ours, baselineMiB: baseline },
    'node -e "setInterval(()=>{},1e9)"',
    1.8,
  );
  report('and its processor', { percentOfACore: cores * 100 }, 'none', 1, 'percentOfACore');
  await rawcloud(['stop']);
  await rawcloud(['attach']).catch(() => undefined);
  const mine = (await calls()).filter((c) => c.service === 's3');
  report(
    'requests to S3 of that job and its client',
    { requests: mine.length, usd: mine.reduce((sum, c) => sum + (USD[c.operation] ?? 0), 0) },
    'none',
  );
}
