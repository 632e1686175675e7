/* A directory of large files that is taken along, each time in a process of its own, against one upload of the same bytes by curl. */
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { build } from 'esbuild';
import { bucketOf } from '../bucket.mjs';
import { medians, mustRun } from '../measure.mjs';

const FILES = 4;
const FILE_BYTES = 128 * 2 ** 20;
const CHUNK_BYTES = 2 ** 20;
/** Half a gigabyte each: not as often as what takes a moment. */
const MOST_PAIRS = 5;

export async function measure(context) {
  const { scratch } = context;
  const program = path.join(scratch, 'files-sync.js');
  const entry = path.join(import.meta.dirname, '../files-sync.ts');
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
  const root = path.join(scratch, 'almost-empty');
  const data = path.join(scratch, 'data');
  for (const directory of [root, data]) await mkdir(directory);
  for (let at = 0; at < FILES; at++) await pipeline(noise(), createWriteStream(path.join(data, `part ${at}`)));
  await mustRun('bash', ['-c', `cat ${data}/* > ${scratch}/whole`]);
  const cloud = await context.cloud();
  const bench = { ...context, program, cloud, root, data, env: context.awsEnv(cloud), bucket: await bucketOf(cloud) };
  await uploads(bench);
  await rm(data, { recursive: true });
}

function* noise() {
  for (let bytes = 0; bytes < FILE_BYTES; bytes += CHUNK_BYTES) yield randomBytes(CHUNK_BYTES);
}

async function uploads(bench) {
  const rows = [];
  for (let pair = 0; pair < Math.min(bench.pairs, MOST_PAIRS); pair++) {
    const baselineMs = await curl(bench, pair);
    const cache = path.join(bench.scratch, `transfer-cache-${pair}`);
    const { ms, sent, peakMiB } = await upload(bench, cache, `transfer${pair}`);
    rows.push({
      ratio: ms / baselineMs,
      ms,
      baselineMs,
      MBPerS: sent / ms / 1000,
      baselineMBPerS: (FILES * FILE_BYTES) / baselineMs / 1000,
      peakMiB,
    });
  }
  const what = `--upload of a directory with ${FILES} files of 128 MiB`;
  bench.report(what, medians(rows), 'curl -T of the same bytes as one object');
  bench.report('its memory', { peakMiB: medians(rows).peakMiB }, 'memory at the peak', 300, 'peakMiB');
  const again = await upload(bench, path.join(bench.scratch, 'transfer-cache-new'), 'transfer0');
  bench.report(
    'the same once more, by a machine that knows nothing of it',
    { sentRatio: again.sent / (FILES * FILE_BYTES), ...again },
    'its bytes',
    0.01,
    'sentRatio',
  );
}

async function upload({ program, env, cloud, bucket, root, data }, cache, part) {
  const { stdout } = await mustRun(process.execPath, [program, root, cache, cloud.url, bucket, part, data], { env });
  const { ms, sent, requests, peakMiB } = JSON.parse(stdout);
  return { ms, sent, requests, peakMiB };
}

/** As one PUT of its own: what a single connection does. The payload is signed by nobody, so that curl has not to read it twice. */
async function curl({ scratch, cloud: { url, region, credentials }, bucket }, pair) {
  const { accessKeyId, secretAccessKey } = credentials;
  const signed = ['--aws-sigv4', `aws:amz:${region}:s3`, '--user', `${accessKeyId}:${secretAccessKey}`];
  const headers = ['-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'];
  const target = `${url}/${bucket}/v1/files/curl-${pair}`;
  return (await mustRun('curl', ['-sS', '--fail', ...signed, ...headers, '-T', path.join(scratch, 'whole'), target])).ms;
}
