/* Synchronizing a tree, each time in a process of its own, against tar with sha256sum and against a bare walk. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { bucketOf } from '../bucket.mjs';
import { median, medians, mustRun } from '../measure.mjs';

const FILES = 10_000;
const BYTES = 200e6;
const MANY_FILES = 100_000;
/** Ten seconds each. */
const MANY_PAIRS = 3;

/** Files of 2 to 100 kB, incompressible or like source text, 25 to a directory. */
async function makeTree(root, files, bytes, kind) {
  const words = 'const return function import export value result options signal readonly string number await async class of'.split(' ');
  const shares = Array.from({ length: files }, (_, at) => Math.exp((((at * 7919) % files) / files) * 4));
  const sum = shares.reduce((a, b) => a + b, 0);
  const text = Array.from({ length: 60_000 }, (_, at) => words[(at * 31 + (at >> 4)) % words.length] + (at % 9 ? ' ' : `${at}\n`)).join('');
  for (let at = 0; at < files; at++) {
    const directory = path.join(root, `d${Math.floor(at / 500)}`, `e${Math.floor(at / 25) % 20}`);
    const length = Math.max(1, Math.round((shares[at] / sum) * bytes));
    if (at % 25 === 0) await mkdir(directory, { recursive: true });
    const content = kind === 'random' ? randomBytes(length) : `${at}\n${text.slice((at * 37) % 100_000).slice(0, length)}`;
    await writeFile(path.join(directory, `file-${at}.txt`), content);
  }
  await mustRun('git', ['init', '-q'], { cwd: root });
  await writeFile(path.join(root, '.gitignore'), '*.log\nbuild/\n.env\n/dist\n');
}

const WALK = `
const { readdirSync, lstatSync } = require('node:fs');
const start = performance.now();
const walk = (directory) => {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name === '.git') continue;
    lstatSync(directory + '/' + entry.name);
    if (entry.isDirectory()) walk(directory + '/' + entry.name);
  }
};
walk(process.argv[1]);
console.log(performance.now() - start);
`;

export async function measure(context) {
  const program = path.join(context.scratch, 'files-sync.js');
  const entryPoints = { 'files-sync': '../files-sync.ts', 'read-files': '../../lib/store/reading/serve.ts' };
  for (const [name, entry] of Object.entries(entryPoints)) entryPoints[name] = path.join(import.meta.dirname, entry);
  await build({ entryPoints, outdir: context.scratch, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
  const cloud = await context.cloud();
  const bench = { ...context, program, cloud, awsEnv: context.awsEnv(cloud), bucket: await bucketOf(cloud) };
  await tenThousand(bench);
  await hundredThousand(bench);
}

async function sync({ program, awsEnv, cloud, bucket }, root, cache, part) {
  const { stdout } = await mustRun(process.execPath, [program, root, cache, cloud.url, bucket, part], { env: awsEnv });
  return JSON.parse(stdout);
}

async function tenThousand(bench) {
  const { scratch, pairs, report } = bench;
  const cache = path.join(scratch, 'files-cache');
  const root = path.join(scratch, 'tree');
  const first = { random: [], text: [] };
  for (const kind of ['text', 'random']) {
    await rm(root, { recursive: true, force: true });
    await makeTree(root, FILES, BYTES, kind);
    for (let pair = 0; pair < Math.min(pairs, 5); pair++) {
      await rm(cache, { recursive: true, force: true });
      const tar = await mustRun('bash', ['-c', `tar -c --exclude=.git -C ${root} . | sha256sum`]);
      const ours = await sync(bench, root, cache, `${kind}${pair}`);
      first[kind].push({ ratio: ours.ms / tar.ms, ms: ours.ms, baselineMs: tar.ms, peakMiB: ours.peakMiB });
    }
  }
  report('first sync of 10,000 incompressible files, 200 MB', medians(first.random), 'tar -c | sha256sum', 3);
  report('first sync of 10,000 files of text, 200 MB', medians(first.text), 'tar -c | sha256sum');
  // Times are to be settled: younger than 2.5 s they are not relied on.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const part = `random${Math.min(pairs, 5) - 1}`;
  await sync(bench, root, cache, part);
  const unchanged = [];
  const changed = [];
  for (let pair = 0; pair < pairs; pair++) {
    const walkMs = Number((await mustRun(process.execPath, ['-e', WALK, root])).stdout);
    const same = await sync(bench, root, cache, part);
    unchanged.push({ ratio: same.ms / walkMs, ms: same.ms, baselineMs: walkMs, requests: same.requests, sent: same.sent });
    const content = randomBytes(20_000);
    await writeFile(path.join(root, 'd1/e1/file-525.txt'), content);
    const one = await sync(bench, root, cache, part);
    const perByte = one.sent / content.byteLength;
    changed.push({ ratio: one.ms / walkMs, ms: one.ms, baselineMs: walkMs, requests: one.requests, sentPerByteOfFile: perByte });
  }
  const walk = 'a bare Node walk with lstat';
  report('sync of the same tree, unchanged', medians(unchanged), walk, 2.5);
  report('its requests', { requests: median(unchanged.map((row) => row.requests)) }, 'none', 3, 'requests');
  report('sync with one file of 20 kB changed', medians(changed), walk, 3);
  report('its requests', { requests: median(changed.map((row) => row.requests)) }, 'none', 5, 'requests');
  const sentRatio = median(changed.map((row) => row.sentPerByteOfFile));
  report('bytes it sends', { sentRatio }, 'that file, compressed', 2, 'sentRatio');
}

async function hundredThousand(bench) {
  const root = path.join(bench.scratch, 'many');
  const cache = path.join(bench.scratch, 'many-cache');
  await makeTree(root, MANY_FILES, 4e8, 'random');
  const what = '100,000 files, 400 MB';
  const first = [];
  for (let pair = 0; pair < MANY_PAIRS; pair++) {
    await rm(cache, { recursive: true, force: true });
    const tar = await mustRun('bash', [
      '-c',
      `set -o pipefail; tar -c --exclude=.git -C ${root} . | zstd -1 -q > ${bench.scratch}/many.zst`,
    ]);
    const { ms, peakMiB, requests } = await sync(bench, root, cache, `many${pair}`);
    first.push({ ratio: ms / tar.ms, ms, baselineMs: tar.ms, peakMiB, requests });
  }
  bench.report(`first sync of ${what}`, medians(first), 'tar | zstd -1', 3);
  bench.report('its memory', { peakMiB: Math.max(...first.map((row) => row.peakMiB)) }, 'memory at the peak', 300, 'peakMiB');
  const part = `many${MANY_PAIRS - 1}`;
  await sync(bench, root, cache, part);
  const again = [];
  for (let pair = 0; pair < bench.pairs; pair++) {
    const walkMs = Number((await mustRun(process.execPath, ['-e', WALK, root])).stdout);
    const { ms, peakMiB, requests } = await sync(bench, root, cache, part);
    again.push({ ratio: ms / walkMs, ms, baselineMs: walkMs, peakMiB, requests });
  }
  bench.report(`sync of ${what}, unchanged`, medians(again), 'a bare Node walk with lstat', 2.5);
  bench.report('its memory', { peakMiB: Math.max(...again.map((row) => row.peakMiB)) }, 'memory at the peak', 300, 'peakMiB');
  await rm(root, { recursive: true, force: true });
}
