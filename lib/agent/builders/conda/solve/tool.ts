import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isRawcloudError, RawcloudError } from '../../../../contract';
import type { BuildIo, CondaSolve } from '../../../../contract';
import { answerOf } from '../../programs';
import { findUv, pipInstaller, uvInstaller } from '../../python-installer';
import type { Installer } from '../../python-installer';
import { fetchInterpreter, findInterpreter } from '../../python-interpreter';
import { SOLVER, SOLVER_PYTHONS } from './script';

/** A Python with the solver in it, in a directory of its own: nothing of it is seen by the job, or kept. @throws E_ENVIRONMENT */
export async function withSolver<T>(index: CondaSolve['index'], io: BuildIo, use: (python: string) => Promise<T>): Promise<T> {
  const directory = path.join(io.directory, 'solver');
  try {
    return await use(await install(index, directory, io));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function install(index: CondaSolve['index'], directory: string, io: BuildIo): Promise<string> {
  const file = path.join(io.directory, 'solver.txt');
  try {
    const uv = await findUv(index, io);
    const installer: Installer = uv === undefined ? pipInstaller(index, io) : uvInstaller(uv, index, io);
    await installer.createVenv(await interpreterFor(uv, io), directory);
    await writeFile(file, `${SOLVER}\n`);
    await installer.install(directory, file, { isHashed: false, onLine: () => undefined });
    return path.join(directory, 'bin', 'python');
  } catch (cause) {
    io.signal.throwIfAborted();
    if (!isRawcloudError(cause)) throw cause;
    throw new RawcloudError('E_ENVIRONMENT', `the solver for the conda environment, ${SOLVER}, cannot be had on the VM: ${cause.message}`, {
      remedy:
        'A VM takes it from PyPI, or the index that pip or uv is configured with here: see that its subnet reaches that. A lockfile that has the ' +
        "VM's platform needs no solver: 'pixi workspace platform add linux-64', 'conda-lock lock -p linux-64'.",
      cause,
    });
  } finally {
    await rm(file, { force: true });
  }
}

async function interpreterFor(uv: string | undefined, io: BuildIo): Promise<string> {
  for (const minor of SOLVER_PYTHONS) {
    const there = await findInterpreter(minor, io);
    if (there !== undefined && (uv !== undefined || (await answerOf(there, ['-m', 'ensurepip', '--version'], io)) !== undefined))
      return there;
  }
  return fetchInterpreter(SOLVER_PYTHONS[0], async () => uv, io);
}
