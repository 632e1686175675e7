import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError, unlessMissing } from '../../contract';
import type { BuildIo } from '../../contract';
import { answerOf, findProgram } from './programs';

/** Where interpreters that uv fetches lie in the layer's directory. */
export const PYTHONS_PLACE = 'pythons';

/** Prints version and the executable itself, which a shim on PATH would hide. Without `site`: nothing installed is run. */
const QUESTION = 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)';

/** An interpreter of the given minor version on PATH; undefined when there is none. */
export async function findInterpreter(minor: string, io: BuildIo): Promise<string | undefined> {
  for (const name of [`python${minor}`, 'python3', 'python']) {
    const program = findProgram(name, io);
    const real = program && (await interpreterAt(program, minor, io));
    if (real) return real;
  }
  return undefined;
}

/** Any Python 3 on PATH, to run tools with. */
export async function findAnyPython(io: BuildIo): Promise<string | undefined> {
  return findProgram('python3', io) ?? findProgram('python', io);
}

async function interpreterAt(program: string, minor: string, io: BuildIo): Promise<string | undefined> {
  const real = await realpath(program);
  // Linux distributions link python3 to an executable that carries its version: no need to start it, which costs 20 ms.
  if (real === `/usr/bin/python${minor}`) return real;
  const [version, executable] = ((await answerOf(program, ['-I', '-S', '-c', QUESTION], io)) ?? '').split('\n');
  return version === minor && executable ? executable : undefined;
}

/**
 * Has uv find an interpreter in the places it knows, or fetch one.
 * @throws E_ENVIRONMENT when neither works
 */
export async function fetchInterpreter(minor: string, findUv: () => Promise<string | undefined>, io: BuildIo): Promise<string> {
  const restored = io.restored && (await restoredInterpreter(minor, io));
  if (restored) return restored;
  const uv = await findUv();
  if (uv === undefined) throw noInterpreter(minor, io, 'uv, which could fetch it, is not there and could not be installed');
  const env = uvEnvironment(io);
  const asked = { ...io, env: { ...io.env, ...env } };
  const find = (): Promise<string | undefined> => answerOf(uv, ['python', 'find', '--no-project', minor], asked);
  const found = await find();
  if (found) return found;
  io.log(`Python ${minor} is not on this VM: uv fetches it`);
  try {
    await io.run(uv, ['python', 'install', '--no-bin', minor], { env });
  } catch (cause) {
    throw noInterpreter(minor, io, 'uv could not fetch it, which takes access to the internet', cause);
  }
  const fetched = await find();
  if (fetched) return fetched;
  throw noInterpreter(minor, io, 'uv fetched it and does not find it');
}

/** One that uv has fetched for an earlier VM. */
async function restoredInterpreter(minor: string, io: BuildIo): Promise<string | undefined> {
  const home = path.join(io.directory, PYTHONS_PLACE);
  const names = await unlessMissing(readdir(home), []);
  return names.map((name) => path.join(home, name, 'bin', `python${minor}`)).find((file) => existsSync(file));
}

function noInterpreter(minor: string, io: BuildIo, why: string, cause?: unknown): RawcloudError {
  const looked = `python${minor}, python3 and python on ${io.env['PATH'] ?? 'an empty PATH'}`;
  return new RawcloudError(
    'E_ENVIRONMENT',
    `the VM has no Python ${minor}, the version of the captured environment: looked for ${looked}; ${why}`,
    {
      remedy: `Use an image that has Python ${minor} (--image), or a subnet with access to the internet, from where uv would fetch it.`,
      cause,
    },
  );
}

/** uv keeps everything in the layer's directory, reads no configuration, trusts what the VM's image trusts, and logs line by line. */
export function uvEnvironment(io: BuildIo): Record<string, string> {
  return {
    UV_CACHE_DIR: path.join(io.directory, 'uv-cache'),
    UV_PYTHON_INSTALL_DIR: path.join(io.directory, PYTHONS_PLACE),
    UV_NO_CONFIG: '1',
    UV_SYSTEM_CERTS: '1',
    // An index that is down shall be a failure, not a hang.
    UV_HTTP_TIMEOUT: '20',
    UV_HTTP_RETRIES: '2',
    UV_NO_PROGRESS: '1',
    NO_COLOR: '1',
  };
}
