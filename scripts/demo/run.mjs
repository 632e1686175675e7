/*
 * The demo: a real job over a data file of 5 MB in the local cloud, in Node and, where there is a python3, in Python.
 * Everything it makes, the local cloud's state and the caches included, lies in one temporary directory, which is
 * removed at the end, also after Ctrl-C.
 */
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { run } from '../house/command.mjs';
import { ROOT } from '../house/root.mjs';
import { heading, say } from './say.mjs';

const CLI = path.join(ROOT, 'dist/bin/rawcloud.js');

let interrupted = 0;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.on(signal, () => void (interrupted = code));

const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-demo-'));
const project = path.join(directory, 'project');
const env = {
  ...withoutAws(process.env),
  RAWCLOUD_LOCAL: '1',
  RAWCLOUD_LOCAL_DIR: path.join(directory, 'cloud'),
  XDG_CACHE_HOME: path.join(directory, 'cache'),
};

try {
  process.exitCode = interrupted || (await demo());
} finally {
  const stopped = await run(process.execPath, [CLI, 'local', 'stop'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (stopped === 0) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  else say(`The local cloud could not be stopped; it and all else of the demo lie in ${directory}`);
}
if (interrupted) process.exitCode = interrupted;

/** @returns {Promise<number>} exit code of the first step that failed, else 0 */
async function demo() {
  await mkdir(project);
  await cp(path.join(ROOT, 'examples/run'), project, { recursive: true });
  await run(process.execPath, ['make-data.mjs'], { cwd: project, env });

  heading('1. A Node script over data.csv, on a VM of its own in the local cloud');
  const node = await rawcloud('run', '--download', 'node', 'stats.js', 'data.csv');
  if (node !== 0 || interrupted) return node;
  say(`out/summary.json came home: ${(await readFile(path.join(project, 'out/summary.json'), 'utf8')).length} bytes`);

  const python = await pythonEnvironment();
  if (interrupted) return interrupted;
  if (python === undefined) say('There is no python3 here: the Python half is left out.');
  else {
    heading('2. The same in Python');
    const code = await rawcloud('run', 'python3', 'stats.py', 'data.csv', { env: python });
    if (code !== 0 || interrupted) return code;
  }

  heading('Nothing is left on');
  return rawcloud('ps', '--all');
}

/** Runs the CLI in the demo's project, as a user would type it. */
function rawcloud(...words) {
  const last = words.at(-1);
  const options = typeof last === 'object' ? words.pop() : {};
  say(`$ rawcloud ${words.join(' ')}`);
  return run(process.execPath, [CLI, ...words], { cwd: project, env, stdio: ['ignore', 'inherit', 'inherit'], ...options });
}

/** An active virtual environment without packages: the script needs none, and the demo no network. */
async function pythonEnvironment() {
  const venv = path.join(directory, 'venv');
  const made = await run('python3', ['-m', 'venv', '--without-pip', venv], { stdio: 'ignore' }).catch(() => 1);
  if (made !== 0) return undefined;
  return { ...env, VIRTUAL_ENV: venv, PATH: `${path.join(venv, 'bin')}${path.delimiter}${env.PATH}` };
}

/** The local cloud has credentials of its own; those of the account stay out of the demo. */
function withoutAws(environment) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('AWS_')));
}
