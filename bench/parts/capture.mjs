/* Reading an environment of Python with 300 distributions, beside those who list it. Needs uv on PATH. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { medians, mustRun, run, sideBySide } from '../measure.mjs';

const DISTRIBUTIONS = 300;
/** Of each: files, and kilobytes of description. Chosen to be of a usual size, not taken from a survey. */
const FILES = 40;
const DESCRIPTION_KB = 6;

export async function measure(context) {
  if ((await run('sh', ['-c', 'command -v uv'])).code !== 0) return context.report('capture', { skipped: 'uv' }, 'it is not on PATH');
  const { scratch } = context;
  const names = ['environment-capture', 'compiled-start'];
  const entryPoints = names.map((name) => path.join(import.meta.dirname, `../${name}.ts`));
  const options = { bundle: true, minify: true, platform: 'node', target: 'node20', logLevel: 'error' };
  await build({ ...options, entryPoints, outdir: scratch });
  const [program, start] = names.map((name) => path.join(scratch, `${name}.js`));
  const { cwd, python } = await environment(scratch);
  const ours = async (compiled) => {
    const { ms, stdout } = await mustRun(process.execPath, [start, program, compiled, python, cwd, scratch], { cwd });
    const { ms: inProcessMs, packages, peakMiB } = JSON.parse(stdout);
    if (packages !== DISTRIBUTIONS) throw new Error(`${packages} packages were read, ${DISTRIBUTIONS} are there`);
    return { ms, inProcessMs, peakMiB };
  };
  const listed = async (command, args) => {
    const { ms, stdout } = await mustRun(command, args, { cwd });
    const found = stdout.split('\n').filter((line) => line.startsWith('package-number-')).length;
    if (found !== DISTRIBUTIONS) throw new Error(`${command} found ${found} packages, ${DISTRIBUTIONS} are there`);
    return ms;
  };
  const kept = path.join(scratch, 'compiled');
  const rows = { first: [], later: [] };
  for (let pair = 0; pair <= context.pairs; pair++) {
    const unknown = await ours(path.join(scratch, `compiled-${pair}`));
    const known = await ours(kept);
    const pip = await listed(python, ['-m', 'pip', 'freeze']);
    const uv = await listed('uv', ['pip', 'freeze', '--python', python]);
    // The first of all has read nothing yet, and nothing was kept.
    if (pair === 0) continue;
    for (const [when, { ms, inProcessMs, peakMiB }] of Object.entries({ first: unknown, later: known }))
      rows[when].push({ ratio: ms / pip, ratioToUv: inProcessMs / uv, ms, inProcessMs, pipMs: pip, uvMs: uv, peakMiB });
  }
  for (const [when, name] of [
    ['later', ''],
    ['first', ', the first time with this Node'],
  ]) {
    const { ratioToUv, inProcessMs, uvMs, ...whole } = medians(rows[when]);
    const gates = when === 'later' ? [0.25, 1.5] : [];
    context.report(`capture of ${DISTRIBUTIONS} distributions, with the start of Node${name}`, whole, 'pip freeze', gates[0]);
    context.report(
      `capture without the start of Node${name}`,
      { ratio: ratioToUv, ms: inProcessMs, baselineMs: uvMs },
      'uv pip freeze, a whole process',
      gates[1],
    );
  }
  await besideCoiled(context, { python, ours: () => ours(kept) });
}

/** What coiled does of the same, once it has been imported. Its own environment comes from the index that pip has. */
async function besideCoiled({ scratch, pairs, report }, { python, ours }) {
  const name = "coiled's scan of the same environment";
  const venv = path.join(scratch, 'coiled');
  await mustRun('python3', ['-m', 'venv', venv]);
  const coiled = path.join(venv, 'bin/python');
  const installed = await run(coiled, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'coiled']);
  if (installed.code !== 0)
    return report(name, { skipped: 'coiled' }, `it does not install: ${installed.stderr.trim().split('\n').at(-1)}`);
  const site = await sitePackagesOf(python);
  const scan = async () => {
    const script = path.join(import.meta.dirname, '../coiled-scan.py');
    const { stdout } = await mustRun(coiled, [script, site, path.resolve(python, '../..')]);
    const { ms, packages } = JSON.parse(stdout);
    if (packages !== DISTRIBUTIONS) throw new Error(`coiled found ${packages} packages, ${DISTRIBUTIONS} are there`);
    return ms;
  };
  const { one: ms, baseline: baselineMs, ratio } = await sideBySide(pairs, async () => (await ours()).inProcessMs, scan);
  const { stdout: version } = await mustRun(coiled, ['-c', 'import importlib.metadata as m; print(m.version("coiled"))']);
  report('capture beside coiled', { ratio, ms, baselineMs }, `scan_prefix of coiled ${version.trim()}, without the start of Python`);
}

async function sitePackagesOf(python) {
  return (await mustRun(python, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'])).stdout.trim();
}

/** A virtual environment, with records as pip leaves them. */
async function environment(scratch) {
  const cwd = path.join(scratch, 'captured');
  const venv = path.join(cwd, '.venv');
  await mkdir(cwd);
  await mustRun('python3', ['-m', 'venv', venv]);
  const python = path.join(venv, 'bin/python');
  const site = await sitePackagesOf(python);
  for (let at = 0; at < DISTRIBUTIONS; at++) await distribution(site, `package-number-${at}`);
  await writeFile(path.join(cwd, 'main.py'), '');
  return { cwd, python };
}

async function distribution(site, name) {
  const module = name.replaceAll('-', '_');
  const info = `${module}-1.2.3.dist-info`;
  const files = Array.from({ length: FILES }, (_, at) => `${module}/part_${at}.py`);
  const digest = 'sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';
  const records = {
    METADATA: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.2.3\nRequires-Python: >=3.8\n\n${'word '.repeat(DESCRIPTION_KB * 205)}\n`,
    WHEEL: 'Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    INSTALLER: 'pip\n',
    RECORD: [...files.map((file) => `${file},${digest},0`), `${info}/METADATA,,`, `${info}/RECORD,,`, ''].join('\n'),
  };
  await mkdir(path.join(site, module), { recursive: true });
  await mkdir(path.join(site, info));
  for (const file of files) await writeFile(path.join(site, file), '');
  for (const [file, text] of Object.entries(records)) await writeFile(path.join(site, info, file), text);
}
