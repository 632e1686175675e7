import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** This machine lacks what ring 2 needs. The message is one line that says what. */
export class Unavailable extends Error {}

/**
 * A virtual environment with moto's server, made when it is not there: in the user's cache, under a name that changes
 * with the pins and with the Python, so that it never has to be brought up to date.
 * @returns {Promise<string>} its python
 * @throws {Unavailable} without python3, its module venv, or PyPI
 */
export async function ensureMoto() {
  const version = await python('python3', '--version', '--version');
  const id = createHash('sha256').update(readFileSync(REQUIREMENTS)).update(version).digest('hex').slice(0, 16);
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'rawcloud', 'moto');
  const directory = path.join(cache, id);
  if (!existsSync(directory)) {
    process.stderr.write(`moto is not there yet: installing it into ${directory}\n`);
    mkdirSync(cache, { recursive: true });
    await make(directory);
  }
  return pythonOf(directory);
}

/** Made aside and renamed: what is there is whole, and of two that make it at once the second takes the first's. */
async function make(directory) {
  const aside = `${directory}.${process.pid}`;
  try {
    await python('python3', '-m', 'venv', aside);
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    await python(pythonOf(aside), '-m', 'pip', 'install', ...quiet, '--requirement', REQUIREMENTS);
    if (!existsSync(directory)) renameSync(aside, directory);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** @returns {Promise<string>} what it printed */
async function python(program, ...args) {
  try {
    return (await promisify(execFile)(program, args)).stdout;
  } catch (error) {
    if (error.code === 'ENOENT') throw new Unavailable(`there is no ${program}`);
    const said = (error.stderr ?? '').trim().split('\n').at(-1);
    throw new Unavailable(`${args.slice(0, 3).join(' ')} of ${program} failed: ${said || error.message}`);
  }
}

function pythonOf(directory) {
  return process.platform === 'win32' ? path.join(directory, 'Scripts', 'python.exe') : path.join(directory, 'bin', 'python');
}
