import path from 'node:path';
import { condaRunIn } from '../../contract';
import type { CaptureContext } from '../../contract';
import { condaMeta, prefixOfPython } from '../conda/environment';
import { findExecutable, isDirectory, isFile } from '../executables';
import type { Need } from '../needs';
import { environmentOf, RUNNERS } from './tool-environments';
import type { Runner } from './tool-environments';
import { askInterpreter, readVenv } from './interpreter';
import type { Interpreter } from './interpreter';

/**
 * The Python that the command would run with, in this order: the one that it names by path, the active virtual
 * environment, the first on PATH, `.venv` in the working directory or the root. `uv run` looks at `.venv` first;
 * `poetry run` and its like have environments of their own.
 * A command that merely may need Python gets one only when an environment is active.
 * That of a conda environment travels with it, and counts as none.
 * @throws E_PACKAGE when the environment that is meant is not there
 */
export async function findPython(need: Need, context: CaptureContext): Promise<Interpreter | undefined> {
  if (need.commands.some(({ words }) => condaRunIn(words))) return undefined;
  const [runner] = runnersOf(need);
  if (runner) return readVenv(await environmentOf(runner, context), context);
  const named = await venvOfPath(need.executable, context);
  if (named) return readVenv(named, context);
  const project = await projectVenv(context);
  if (project && callsUv(need)) return readVenv(project, context);
  const active = context.env['VIRTUAL_ENV'];
  if (active) return readVenv(path.resolve(context.cwd, active), context);
  if (need.kind === 'possible') return undefined;
  const first = await firstOnPath(need, context);
  if (first) return (await prefixOfPython(first, context)) === undefined ? ofExecutable(first, context) : undefined;
  return project ? readVenv(project, context) : undefined;
}

/** Tools of which the command calls `run`: what stands after it is started in their environment, without the tool. */
export function runnersOf(need: Need): Runner[] {
  const called = need.commands.map(({ program }) => path.basename(program));
  return RUNNERS.filter((runner) => called.includes(runner));
}

/** True when the command calls uv itself: it must be there on the VM too. */
export function callsUv(need: Need): boolean {
  return need.commands.some(({ program }) => ['uv', 'uvx'].includes(path.basename(program)));
}

/** A word with a path to the bin directory of a virtual environment: `.venv/bin/python`. */
async function venvOfPath(executable: string | undefined, { cwd }: CaptureContext): Promise<string | undefined> {
  if (!executable?.includes('/')) return undefined;
  const prefix = path.dirname(path.dirname(path.resolve(cwd, executable)));
  // One of conda that some tool has taken for its own is still conda's.
  const isVenv = (await isFile(path.join(prefix, 'pyvenv.cfg'))) && !(await isDirectory(condaMeta(prefix)));
  return isVenv ? prefix : undefined;
}

async function projectVenv({ cwd, root }: CaptureContext): Promise<string | undefined> {
  for (const directory of [cwd, root]) {
    const prefix = path.join(directory, '.venv');
    if (await isFile(path.join(prefix, 'pyvenv.cfg'))) return prefix;
  }
  return undefined;
}

async function firstOnPath(need: Need, context: CaptureContext): Promise<string | undefined> {
  for (const name of new Set([need.executable, 'python3', 'python'])) {
    const found = name === undefined ? undefined : await findExecutable(name, context);
    if (found) return found;
  }
  return undefined;
}

/** The bin directory of a virtual environment may be on PATH though nothing was activated. */
async function ofExecutable(executable: string, context: CaptureContext): Promise<Interpreter> {
  const prefix = await venvOfPath(executable, context);
  return prefix ? readVenv(prefix, context) : askInterpreter(executable, context);
}
