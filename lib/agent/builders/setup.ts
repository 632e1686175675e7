import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findRawcloudError, formatDuration, RawcloudError, SETUP_LIMIT_S, SetupRecipeSchema } from '../../contract';
import type { Builder, BuildIo, Notice, SetupStep } from '../../contract';
import { readRecipe } from './recipe';

/** Characters of a command, and of what it said last, in an error. */
const MOST_SHOWN = 120;

/** Runs what the user asked for as root, on each VM: what it changes lies all over the machine, so there is nothing to keep. */
export const setupBuilder: Builder = {
  kind: 'setup',
  async build(layer, io) {
    const { steps, directory, timeoutS = SETUP_LIMIT_S } = readRecipe(SetupRecipeSchema, layer);
    if (!io.machine.isRoot) throw noRoot(io.machine);
    const cwd = path.join(io.root, directory);
    await mkdir(cwd, { recursive: true });
    for (const step of steps) await runStep(step, { cwd, timeoutS }, io);
    return { path: [], env: {}, notices: noticesOf(io.machine) };
  },
};

async function runStep(step: SetupStep, { cwd, timeoutS }: { cwd: string; timeoutS: number }, io: BuildIo): Promise<void> {
  const name = nameOf(step);
  io.log(`setup: ${step.kind === 'command' ? step.command : step.name}`);
  let last = '';
  const onLine = (line: string): void => void (last = line.trim() === '' ? last : line.trim());
  try {
    const { env, file, args } = await invocationOf(step, io);
    await io.run(file, args, { cwd, env, onLine, timeoutMs: timeoutS * 1000 });
  } catch (error) {
    io.signal.throwIfAborted();
    throw failure(name, { last, timeoutS }, error);
  }
}

/** A command is one of bash, which ends at the first of its commands that fails; a script is what its first line says, else the same. */
async function invocationOf(step: SetupStep, io: BuildIo): Promise<{ file: string; args: string[]; env: BuildIo['env'] }> {
  const env = { ...io.env, ...io.variables };
  if (step.kind === 'command') return { file: '/bin/bash', args: ['-e', '-c', step.command], env };
  const content = await io.source(step.content);
  const file = path.join(io.directory, step.name);
  await writeFile(file, content);
  await chmod(file, 0o700);
  const isProgram = content[0] === 0x23 && content[1] === 0x21;
  return isProgram ? { file, args: [], env } : { file: '/bin/bash', args: ['-e', file], env };
}

function nameOf(step: SetupStep): string {
  return step.kind === 'script' ? `the setup script ${step.name}` : `the setup command '${short(step.command)}'`;
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= MOST_SHOWN ? line : `${line.slice(0, MOST_SHOWN - 1)}…`;
}

function failure(name: string, { last, timeoutS }: { last: string; timeoutS: number }, error: unknown): RawcloudError {
  const { exitCode, timedOut } = findRawcloudError(error)?.data ?? {};
  const said = last === '' ? '' : `: ${short(last)}`;
  if (timedOut === true)
    return new RawcloudError('E_ENVIRONMENT', `${name} took longer than ${formatDuration(timeoutS)}, and was ended${said}`, {
      remedy: `--setup-timeout gives it longer; what always takes so long belongs in an image (--image). ${LOG}`,
      cause: error,
    });
  const how =
    typeof exitCode === 'number' ? `exited with ${exitCode}` : `failed: ${error instanceof Error ? error.message : String(error)}`;
  return new RawcloudError('E_ENVIRONMENT', `${name} ${how}${said}`, { remedy: remedyOf(name, exitCode), cause: error });
}

const LOG = 'rawcloud logs --environment shows all that it said.';

function remedyOf(name: string, exitCode: unknown): string {
  const isForDebian = exitCode === 127 && /\bapt(-get)?\b/.test(name);
  return isForDebian ? `Amazon Linux has dnf; --image takes an image that has apt. ${LOG}` : LOG;
}

function noRoot({ isOwn, user }: BuildIo['machine']): RawcloudError {
  const why = isOwn ? `the agent of this VM is ${user}` : `this VM of the local cloud is a process of ${user}`;
  const remedy = isOwn
    ? 'Let the image start user data as root, as all images of EC2 do.'
    : 'Let the local cloud make machines with a root of their own (rawcloud local start --driver namespace), or leave --setup out here.';
  return new RawcloudError('E_ENVIRONMENT', `a setup runs as root, but ${why}: nothing of it was run`, { remedy });
}

function noticesOf({ isOwn }: BuildIo['machine']): Notice[] {
  if (isOwn) return [];
  return [{ level: 'warning', text: 'this VM of the local cloud is a process: the setup was run as root on your machine itself' }];
}
