import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** This machine lacks what a ring needs. The message is one line that says what. */
export class Unavailable extends Error {}

/**
 * A virtual environment with programs from PyPI, made when it is not there: in the user's cache, under a name that changes
 * with the pins and with the Python, so that it never has to be brought up to date.
 * @param {{ name: string, requirements: string }} tools what it is called, and the file with the pins
 * @returns {Promise<string>} its python
 * @throws {Unavailable} without python3, its module venv, or PyPI
 */
export async function ensurePythonTools({ name, requirements }) {
  const version = await python('python3', '--version', '--version');
  const id = createHash('sha256').update(readFileSync(requirements)).update(version).digest('hex').slice(0, 16);
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'rawcloud', name);
  const directory = path.join(cache, id);
  if (!existsSync(directory)) {
    process.stderr.write(`${name} is not there yet: installing it into ${directory}\n`);
    mkdirSync(cache, { recursive: true });
    await make(directory, requirements);
  }
  return pythonOf(directory);
}

/**
 * Made under a name of its own, which the programs have in their first lines, and linked when it is whole; of two that make it at
 * once the second takes the first's.
 */
async function make(directory, requirements) {
  const own = `${directory}.${process.pid}`;
  let taken = false;
  try {
    await python('python3', '-m', 'venv', own);
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    await python(pythonOf(own), '-m', 'pip', 'install', ...quiet, '--requirement', requirements);
    taken = link(own, directory);
  } finally {
    if (!taken) rmSync(own, { recursive: true, force: true });
  }
}

function link(target, place) {
  try {
    symlinkSync(target, place);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
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
