import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { mustRun, run } from './measure.mjs';

/**
 * What the parts of the bench share: the built CLI with a local cloud of its own in a scratch directory, and the list of
 * figures.
 */
export async function openContext({ pairs, json }) {
  const cli = path.resolve(import.meta.dirname, '../dist/bin/rawcloud.js');
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-bench-'));
  const project = path.join(scratch, 'project');
  await mkdir(project);
  const stateDir = path.join(scratch, 'cloud');
  const env = {
    ...process.env,
    RAWCLOUD_LOCAL: '1',
    RAWCLOUD_LOCAL_DIR: stateDir,
    XDG_CACHE_HOME: path.join(scratch, 'cache'),
    NO_COLOR: '1',
  };
  const rows = [];
  const lines = async (file) => (await readFile(path.join(stateDir, file), 'utf8')).trim().split('\n');

  return {
    pairs,
    scratch,
    project,
    env,
    cli,
    rows,
    rawcloud: (args, more = {}) => mustRun(process.execPath, [cli, ...args], { cwd: project, env, ...more }),
    /** Every call that the local cloud has seen, oldest first; it writes them down within half a second. */
    calls: async () => (await lines('calls.jsonl')).map((line) => JSON.parse(line)),
    cloud: async () => JSON.parse(await readFile(path.join(stateDir, 'cloud.json'), 'utf8')),
    /** Environment of a program that speaks to the local cloud by the AWS SDK. */
    awsEnv: ({ url, region, credentials }) => ({
      ...process.env,
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }),
    /** One of the baseline programs beside this file, as one minified file. @returns its path */
    bundle: async (name) => {
      const outfile = path.join(scratch, name);
      await build({
        entryPoints: [path.join(import.meta.dirname, name)],
        outfile,
        bundle: true,
        minify: true,
        platform: 'node',
        format: 'esm',
        target: 'node20',
        banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      });
      return outfile;
    },
    /** @param value numbers by name; `ratio` is what a gate is for unless `of` names another */
    report(name, value, baseline, gate, of = 'ratio') {
      const row = { name, ...value, baseline, ...(gate === undefined ? {} : { gate, ok: value[of] <= gate }) };
      rows.push(row);
      if (json) return;
      const shown = Object.entries(value).map(([key, v]) => `${key} ${typeof v === 'number' ? v.toFixed(/ratio/i.test(key) ? 2 : 1) : v}`);
      const judged = gate === undefined ? '' : `, gate ${of === 'ratio' ? '' : `${of} `}${gate}: ${row.ok ? 'kept' : 'MISSED'}`;
      console.log(`${name}: ${shown.join(', ')} (baseline: ${baseline})${judged}`);
    },
    close: async () => {
      await run(process.execPath, [cli, 'local', 'stop'], { cwd: scratch, env });
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
