/*
 * Ratios, measured side by side in one run, against the baseline that each line names. `npm run bench`.
 * Usage: node bench/bench.mjs [--pairs 9] [--json] [part …], parts: startup agent latency floor
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { build } from 'esbuild';
import { bareNodeMs, median, mustRun, percentile, run, sideBySide } from './measure.mjs';

// The SDK's word about Node versions is no finding.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: 'string', default: '9' }, json: { type: 'boolean', default: false } },
});
const pairs = Math.max(7, Number(options.pairs));
const cli = path.resolve(import.meta.dirname, '../dist/bin/rawcloud.js');
const scratch = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-bench-'));
const project = path.join(scratch, 'project');
const env = {
  ...process.env,
  RAWCLOUD_LOCAL: '1',
  RAWCLOUD_LOCAL_DIR: path.join(scratch, 'cloud'),
  XDG_CACHE_HOME: path.join(scratch, 'cache'),
  NO_COLOR: '1',
};
const rows = [];

const rawcloud = (args, more = {}) => mustRun(process.execPath, [cli, ...args], { cwd: project, env, ...more });

function report(name, value, baseline, gate) {
  const row = {
    name,
    ...value,
    baseline,
    ...(gate === undefined ? {} : { gate, ok: value.ratio === undefined ? undefined : value.ratio <= gate }),
  };
  rows.push(row);
  if (options.json) return;
  const ms = Object.entries(value).map(([key, v]) => `${key} ${typeof v === 'number' ? v.toFixed(key === 'ratio' ? 2 : 1) : v}`);
  console.log(`${name}: ${ms.join(', ')} (baseline: ${baseline})${gate === undefined ? '' : `, gate ${gate}`}`);
}

async function startup() {
  for (const flag of ['--version', '--help']) {
    const { one, baseline, ratio } = await sideBySide(pairs * 2, async () => (await rawcloud([flag])).ms, bareNodeMs);
    report(`rawcloud ${flag}`, { ratio, ms: one, baselineMs: baseline }, 'node -e 0', 1.6);
  }
}

/** The last job's phases, in milliseconds, from the product's own timings. */
async function timings() {
  const { stdout } = await rawcloud(['status', '--timings', '--json']);
  return JSON.parse(stdout).timings;
}

async function agent() {
  const { one, baseline, ratio } = await sideBySide(
    pairs,
    async () => {
      await rawcloud(['run', '--quiet', '--', 'true']);
      const phases = await timings();
      return Date.parse(phases.command.start) - Date.parse(phases.agent.start);
    },
    bareNodeMs,
  );
  report("agent's first line to the command's exec", { ratio, ms: one, baselineMs: baseline }, 'node -e 0', 3);
  const phases = await timings();
  report(
    'fetching, unpacking and starting Node (a phase of its own)',
    { ms: phases.node.seconds * 1000 },
    'none: the local image ships Node',
  );
}

const TALKER = `
let n = 0;
const say = () => {
  process.stdout.write(Date.now() + '\\n');
  if (++n < 120) setTimeout(say, 20 + Math.random() * 480);
};
say();
`;

async function latency() {
  await writeFile(path.join(project, 'talker.js'), TALKER);
  const delays = [];
  let rest = '';
  const onStdout = (data) => {
    const now = Date.now();
    const lines = (rest + data).split('\n');
    rest = lines.pop();
    for (const line of lines) delays.push(now - Number(line));
  };
  await rawcloud(['run', '--quiet', '--', 'node', 'talker.js'], { onStdout });
  const calls = (await readFile(path.join(env.RAWCLOUD_LOCAL_DIR, 'calls.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const puts = calls.filter((c) => c.operation === 'PutObject' && /\/vm\//.test(c.resource));
  const lastVm = puts.at(-1).principal;
  const mine = puts.filter((c) => c.principal === lastVm);
  const seconds = (mine.at(-1).at - mine[0].at) / 1000;
  report(
    'a line from job to terminal',
    { medianMs: median(delays), p99Ms: percentile(delays, 0.99), lines: delays.length },
    'gate: median 1000 ms',
  );
  report('PUTs of that VM under its own directory', { perSecond: mine.length / seconds }, 'gate: 1 a second');
}

/** What the floor needs to know of the local cloud. */
async function facts(cloud) {
  const ssm = new SSMClient({ endpoint: cloud.url, region: cloud.region, credentials: cloud.credentials });
  const read = async (Name) => (await ssm.send(new GetParameterCommand({ Name }))).Parameter.Value;
  const scaffold = JSON.parse(await read('/rawcloud/default/scaffold'));
  const arch = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const imageId = await read(`/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${arch}`);
  ssm.destroy();
  return { scaffold, imageId };
}

async function floor() {
  const bundle = path.join(scratch, 'floor.mjs');
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" };
  await build({
    entryPoints: [path.join(import.meta.dirname, 'floor.mjs')],
    outfile: bundle,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner,
  });
  const cloud = JSON.parse(await readFile(path.join(env.RAWCLOUD_LOCAL_DIR, 'cloud.json'), 'utf8'));
  const awsEnv = {
    ...process.env,
    AWS_ENDPOINT_URL: cloud.url,
    AWS_REGION: cloud.region,
    AWS_ACCESS_KEY_ID: cloud.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: cloud.credentials.secretAccessKey,
  };
  const { scaffold, imageId } = await facts(cloud);
  const bare = async () =>
    (await mustRun(process.execPath, [bundle, scaffold.bucket, scaffold.launchTemplateId, imageId], { env: awsEnv })).ms;
  const onTheWire = [];
  const ours = async () => {
    const done = await rawcloud(['run', '--quiet', '--', 'true']);
    const calls = (await readFile(path.join(env.RAWCLOUD_LOCAL_DIR, 'calls.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    onTheWire.push(calls.filter((c) => c.operation === 'RunInstances').at(-1).at - done.startedAt);
    return done.ms;
  };
  const { one, baseline, ratio } = await sideBySide(pairs, ours, bare);
  report(
    'run --local -- true',
    { ratio, ms: one, baselineMs: baseline },
    'the floor: one PUT, one RunInstances that powers off, wait for terminated',
  );
  report('enter to RunInstances on the wire', { ms: median(onTheWire) }, 'reported');
}

const PARTS = { startup, agent, latency, floor };
try {
  await run('mkdir', ['-p', project]);
  const wanted = positionals.length > 0 ? positionals : Object.keys(PARTS);
  if (wanted.some((part) => part !== 'startup')) await rawcloud(['local', 'start']);
  for (const part of wanted) await PARTS[part]();
  if (options.json) console.log(JSON.stringify(rows, null, 1));
} finally {
  await run(process.execPath, [cli, 'local', 'stop'], { cwd: scratch, env });
  await rm(scratch, { recursive: true, force: true });
}
