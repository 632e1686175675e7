/*
 * Environments of Python: built, kept, restored, extended, from packages that lie on this machine; whole runs take theirs from the index.
 * Needs uv, zstd and curl on PATH.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { bucketOf } from '../bucket.mjs';
import { medians, mustRun, run } from '../measure.mjs';

/** Some 600 MB when installed. */
const SET = ['pandas', 'pyarrow', 'scikit-learn', 'matplotlib', 'numba', 'statsmodels', 'scikit-image'];
const MORE = 'sympy';
/** Of no body: curl before version 8 does not send it by itself. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** A pair is a minute. */
const MOST_PAIRS = 3;

export async function measure(context) {
  const missing = await missingOf(['uv', 'zstd', 'curl']);
  if (missing.length > 0) return context.report('environments', { skipped: missing.join(', ') }, 'these programs are not on PATH');
  const bench = await prepare(context);
  await restoring(bench);
  await building(bench);
  await extending(bench);
  await wholeRuns(bench);
}

async function missingOf(programs) {
  const found = await Promise.all(programs.map((program) => run('sh', ['-c', `command -v ${program}`])));
  return programs.filter((_, at) => found[at].code !== 0);
}

async function prepare(context) {
  const { scratch } = context;
  const program = path.join(scratch, 'environment-layer.js');
  const entry = path.join(import.meta.dirname, '../environment-layer.ts');
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
  const wheels = path.join(scratch, 'wheels');
  const question = 'import os, sys; print("%d.%d" % sys.version_info[:2]); print(os.path.dirname(os.path.realpath(sys.executable)))';
  const [python, bin] = (await mustRun('python3', ['-c', question])).stdout.trim().split('\n');
  // VMs have no version manager, whose stand-in for python3 takes a fifth of a second to start it.
  process.env.PATH = `${bin}:${process.env.PATH}`;
  await mustRun('python3', ['-m', 'pip', 'download', '-q', '--only-binary', ':all:', '-d', wheels, ...SET, MORE]);
  const resolve = async (names) => {
    const from = path.join(scratch, 'names');
    await writeFile(from, names.join('\n'));
    const { stdout: lines } = await mustRun('uv', [
      'pip',
      'compile',
      '-q',
      '--no-header',
      '--no-annotate',
      '--no-index',
      '--find-links',
      wheels,
      from,
    ]);
    return lines.trim().split('\n');
  };
  const node = await vmNode(scratch);
  const cloud = await context.cloud();
  const bucket = await bucketOf(cloud);
  const base = await resolve(SET);
  const more = await resolve([...SET, MORE]);
  return {
    ...context,
    program,
    node,
    wheels,
    python,
    cloud,
    bucket,
    awsEnv: context.awsEnv(cloud),
    base,
    more,
    pairs: Math.min(context.pairs, MOST_PAIRS),
    disks: { count: 0 },
  };
}

/** The Node that VMs run, with zstd; that of the developer may be older. @returns its path */
async function vmNode(scratch) {
  const program = path.join(scratch, 'vm-node.js');
  const entry = path.join(import.meta.dirname, '../vm-node.ts');
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
  const node = path.join(scratch, 'node');
  await mustRun(process.execPath, [program, node]);
  return node;
}

/**
 * A directory like the disk of a VM that was just launched, always of one name, as on VMs. The last one is put away and not removed: ext4
 * does not give an inode away again for a minute, and looks long for others where thousands were given back. What others wrote is on
 * the disk by then.
 */
async function freshDisk(bench) {
  const directory = path.join(bench.scratch, 'disk');
  if (bench.disks.count > 0) await rename(directory, `${directory}-${bench.disks.count}`);
  bench.disks.count += 1;
  await mkdir(directory);
  await mustRun('sync', []);
  return directory;
}

const newSecret = () => randomBytes(32).toString('hex');

/** One VM. */
async function layer(bench, requirements, options) {
  const directory = await freshDisk(bench);
  const { cloud, bucket, python, wheels } = bench;
  const asked = { endpoint: cloud.url, region: cloud.region, bucket, directory, python, wheels, requirements, ...options };
  const { stdout } = await mustRun(bench.node, [bench.program, JSON.stringify(asked)], { env: bench.awsEnv });
  return { ...(stdout === '' ? {} : JSON.parse(stdout)), directory };
}

/** `uv venv` and `uv pip install` of the same lines, from the same packages or from the index that is set here, with nothing in uv's cache. */
async function byUv(bench, requirements, { fromIndex = false } = {}) {
  const directory = await freshDisk(bench);
  const lines = path.join(directory, 'requirements.txt');
  await writeFile(lines, requirements.join('\n'));
  const env = { ...process.env, UV_CACHE_DIR: path.join(directory, 'cache'), ...(fromIndex ? {} : { UV_NO_CONFIG: '1' }) };
  const from = fromIndex ? '' : `--no-index --find-links ${bench.wheels}`;
  const install = `uv pip install -q --python ${directory}/venv --no-deps ${from} -r ${lines}`;
  const { ms } = await mustRun('sh', ['-ec', `uv venv -q --python python3 ${directory}/venv; ${install}`], { env });
  return ms;
}

async function restoring(bench) {
  const { scratch, cloud, bucket, report } = bench;
  const secret = newSecret();
  const { directory } = await layer(bench, bench.base, { secret });
  const archive = path.join(scratch, 'archive.tar.zst');
  await mustRun('sh', ['-ec', `tar -C ${directory}/layers/python -c --exclude __pycache__ venv | zstd -q -1 -T2 -o ${archive}`]);
  const { stdout: size } = await mustRun('sh', ['-ec', `du -sm --apparent-size ${directory}/layers/python/venv | cut -f1`]);
  const key = 'v1/environments/bench/archive';
  await layer(bench, [], { put: { file: archive, key } });
  const { accessKeyId, secretAccessKey } = cloud.credentials;
  const signed = `--aws-sigv4 aws:amz:${cloud.region}:s3 --user ${accessKeyId}:${secretAccessKey} -H x-amz-content-sha256:${EMPTY}`;
  const pipe = (out) => `curl -sf ${signed} ${cloud.url}/${bucket}/${key} | zstd -q -d | tar -x -C ${out}`;
  const rows = [];
  for (let pair = 0; pair <= bench.pairs; pair++) {
    const tar = await mustRun('bash', ['-o', 'pipefail', '-c', pipe(await freshDisk(bench))]);
    const ours = await layer(bench, bench.base, { secret });
    if (!ours.notices[0]?.startsWith('environment restored')) throw new Error(`nothing was restored: ${ours.notices}`);
    const sync = await byUv(bench, bench.base);
    // The first of all has read nothing yet.
    if (pair > 0)
      rows.push({ ratio: ours.ms / tar.ms, ms: ours.ms, baselineMs: tar.ms, ratioToUv: ours.ms / sync, uvMs: sync, peakMiB: ours.peakMiB });
  }
  report(
    `restore of an environment of ${size.trim()} MiB`,
    medians(rows),
    'curl | zstd -d | tar -x of the same; uv pip install without a cache',
    1.1,
  );
}

async function building(bench) {
  const rows = [];
  for (let pair = 0; pair < bench.pairs; pair++) {
    const uv = await byUv(bench, bench.base);
    const ours = await layer(bench, bench.base, { secret: newSecret() });
    rows.push({ ratio: ours.ms / uv, ms: ours.ms, baselineMs: uv, keptBesideMs: ours.keptMs, sentMiB: ours.out / 2 ** 20 });
  }
  bench.report('first build, until the command could start', medians(rows), 'uv venv, uv pip install of the same', 1.2);
}

async function extending(bench) {
  const rows = [];
  const added = bench.more.filter((line) => !bench.base.includes(line));
  for (let pair = 0; pair < bench.pairs; pair++) {
    const secret = newSecret();
    await layer(bench, bench.base, { secret });
    const restored = await layer(bench, bench.base, { secret });
    const ours = await layer(bench, bench.more, { secret });
    const anew = await layer(bench, bench.more, { secret: newSecret() });
    const indexMs = await byUv(bench, bench.more, { fromIndex: true });
    const bytes = await wheelBytes(bench, added);
    const [all, baseline] = [ours.ms + ours.keptMs, anew.ms + anew.keptMs];
    rows.push({
      ratio: all / baseline,
      ms: all,
      baselineMs: baseline,
      beyondRatio: (all - restored.ms) / baseline,
      restoredMs: restored.ms,
      indexRatio: ours.ms / indexMs,
      indexMs,
      startRatio: ours.ms / anew.ms,
      startMs: ours.ms,
      baselineStartMs: anew.ms,
      sentRatio: ours.out / bytes,
      sentMiB: ours.out / 2 ** 20,
    });
  }
  const { ratio, ms, baselineMs, beyondRatio, restoredMs, indexRatio, indexMs, startRatio, startMs, baselineStartMs, sentRatio, sentMiB } =
    medians(rows);
  const name = `${added.join(' and ')} added`;
  bench.report(`${name}, until it is kept`, { ratio, ms, baselineMs }, 'a build from nothing', 0.3);
  const beyond = { beyondRatio, restoredMs, baselineMs };
  bench.report(`${name}, what it takes beyond restoring the rest`, beyond, 'a build from nothing, until it is kept', 0.3, 'beyondRatio');
  const start = { startRatio, startMs, baselineStartMs };
  bench.report(`${name}, until the command could start`, start, 'a build from nothing, of packages that lie here', 0.3, 'startRatio');
  const besideIndex = { indexRatio, startMs, indexMs };
  bench.report(`${name}, until the command could start`, besideIndex, 'uv pip install of all from the index, without a cache');
  bench.report('bytes that are sent for it', { sentRatio, sentMiB }, 'its wheels', 1.2, 'sentRatio');
}

async function wholeRuns(bench) {
  const small = path.join(bench.project, '.venv');
  const line = bench.base.filter((one) => /^(six|python-dateutil|packaging|joblib)==/.test(one));
  await mustRun('sh', [
    '-ec',
    `uv venv -q --python python3 ${small}; uv pip install -q --python ${small} --no-deps --no-index --find-links ${bench.wheels} ${line.join(' ')}`,
  ]);
  // A script of the tree may need what is active, whatever is in it.
  await writeFile(path.join(bench.project, 'job.sh'), 'true\n');
  const command = ['run', '--quiet', '--', 'sh', 'job.sh'];
  const bare = () => bench.rawcloud(command);
  // From the index, once: what lies on this machine a VM does not see.
  const env = { ...bench.env, VIRTUAL_ENV: small };
  const withOne = () => bench.rawcloud(command, { env });
  await withOne();
  const { stderr } = await bench.rawcloud(['run', '--', 'sh', 'job.sh'], { env });
  if (!stderr.includes('environment restored')) throw new Error(`nothing was restored: ${stderr}`);
  const rows = [];
  for (let pair = 0; pair < bench.pairs; pair++) {
    const [a, b] = [(await withOne()).ms, (await bare()).ms];
    rows.push({ ratio: a / b, ms: a, baselineMs: b });
  }
  bench.report('run -- sh job.sh, which does nothing, with a small cached environment', medians(rows), 'the same without one', 1.3);
  const before = (await cacheCalls(bench)).length;
  await withOne();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const calls = (await cacheCalls(bench)).slice(before);
  const requests = calls.filter(({ principal }) => !principal.includes(':assumed-role/')).length;
  bench.report('requests of an unchanged environment', { requests, byTheVm: calls.length - requests }, 'none', 2, 'requests');
}

/** Calls that an environment costs. */
async function cacheCalls({ calls }) {
  return (await calls()).filter(({ service, resource }) => service === 's3' && resource.includes('environments/'));
}

async function wheelBytes({ wheels }, lines) {
  const sizes = await Promise.all(
    lines.map(async (line) => {
      const [name, version] = line.split('==');
      const { stdout } = await mustRun('sh', ['-c', `ls ${wheels}/${name.replace(/[-.]/g, '_')}-${version}-*.whl`]);
      return (await stat(stdout.trim())).size;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
