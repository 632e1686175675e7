import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { CONDA_SECRETS, RawcloudError, unlessMissing } from '../../../contract';
import type { BuildIo } from '../../../contract';

/** What `conda activate` changes. */
export interface Activated {
  /** Directories before PATH. */
  readonly path: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What scripts of packages print goes to stderr, and so to the log; after them the variables stand on stdout. */
const SCRIPT = 'for script in "$@"; do . "$script" >&2; done; env -0';

/** A script that waits for somebody to type. */
const TIMEOUT_MS = 60_000;

/** Variables that the shell itself sets. */
const OF_SHELL = new Set(['_', 'SHLVL', 'PWD', 'OLDPWD', 'BASHOPTS', 'SHELLOPTS']);

/**
 * Does what `conda activate` does: variables of conda, of packages and of the developer, then the scripts of packages in order of
 * their names, in one shell. Source: conda's documentation "Activation", `conda/activate.py`.
 * @throws E_ENVIRONMENT when a script fails
 */
export async function activate(prefix: string, name: string, io: BuildIo): Promise<Activated> {
  const bin = path.join(prefix, 'bin');
  const set = {
    CONDA_PREFIX: prefix,
    CONDA_DEFAULT_ENV: name,
    CONDA_SHLVL: '1',
    ...(await variablesOfPackages(prefix)),
    ...chosenVariables(io),
  };
  const scripts = await scriptsOf(prefix);
  if (scripts.length === 0) return { path: [bin], env: set };
  const before = { ...io.env, ...set, PATH: [bin, io.env['PATH'] ?? ''].join(path.delimiter) };
  const after = await run(scripts, before, prefix, io);
  const changed = Object.entries(after).filter(
    ([key, value]) => key !== 'PATH' && !OF_SHELL.has(key) && (io.env as Variables)[key] !== value,
  );
  return { path: addedTo(after['PATH'] ?? bin, io.env['PATH'] ?? ''), env: Object.fromEntries(changed) };
}

type Variables = Readonly<Record<string, string | undefined>>;

async function scriptsOf(prefix: string): Promise<string[]> {
  const directory = path.join(prefix, 'etc', 'conda', 'activate.d');
  const names = (await unlessMissing(readdir(directory), [])).filter((name) => name.endsWith('.sh'));
  return names.sort().map((name) => path.join(directory, name));
}

/** `etc/conda/env_vars.d/<package>.json` */
async function variablesOfPackages(prefix: string): Promise<Record<string, string>> {
  const directory = path.join(prefix, 'etc', 'conda', 'env_vars.d');
  const names = (await unlessMissing(readdir(directory), [])).filter((name) => name.endsWith('.json')).sort();
  const all: Record<string, string>[] = [];
  for (const name of names) all.push(variablesIn(await readFile(path.join(directory, name), 'utf8'), name));
  return Object.assign({}, ...all) as Record<string, string>;
}

function chosenVariables({ secrets }: BuildIo): Record<string, string> {
  const text = secrets[CONDA_SECRETS.variables];
  return text === undefined ? {} : variablesIn(text, 'what activation sets');
}

function variablesIn(text: string, name: string): Record<string, string> {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.string())), text);
  if (result.success) return result.output;
  throw new RawcloudError('E_ENVIRONMENT', `the conda environment's variables cannot be read: ${name}`);
}

async function run(scripts: readonly string[], env: NodeJS.ProcessEnv, prefix: string, io: BuildIo): Promise<Record<string, string>> {
  const options = { env, cwd: prefix, signal: io.signal, timeout: TIMEOUT_MS, maxBuffer: 2 ** 24 };
  try {
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', SCRIPT, 'activate', ...scripts], options);
    for (const line of stderr.split('\n').filter((said) => said !== '')) io.log(line);
    return Object.fromEntries(
      stdout
        .split('\0')
        .flatMap((entry) => (entry.includes('=') ? [[entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]] : [])),
    );
  } catch (cause) {
    io.signal.throwIfAborted();
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    for (const line of said.split('\n').filter((text) => text !== '')) io.log(line);
    const names = scripts.map((script) => path.basename(script)).join(', ');
    throw new RawcloudError('E_ENVIRONMENT', `the conda environment cannot be activated on the VM: one of ${names} failed`, {
      remedy: 'The environment log has what it said (rawcloud logs --environment).',
      cause,
    });
  }
}

/** Directories that a script put before PATH. What it put after is left where it cannot hide the machine's own. */
function addedTo(after: string, before: string): string[] {
  const old = new Set(before.split(path.delimiter));
  return after.split(path.delimiter).filter((directory) => directory !== '' && !old.has(directory));
}
