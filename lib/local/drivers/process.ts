import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { RawcloudError } from '../../contract';
import type { InstanceDriver, Machine, MachineSpec } from '../../contract';
import { guestEnvironment } from './guest-environment';
import { findInit, readInitPid } from './init-process';
import { machineDirectory } from './machine-directory';
import type { MachineDirectory } from './machine-directory';
import { layOutMachine } from './machine-layout';
import { exitedMachine, ProcessMachine, readConsole, readExit } from './process-machine';

export interface ProcessDriverOptions {
  /** What every machine finds under its own root from the beginning. @default - nothing */
  readonly imageDir?: string;
  /** Environment that PATH, proxies and certificates are taken from. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Machines as process trees of the developer's own user: no namespaces, no privileges, works on Linux and macOS.
 * A machine is detached from the local cloud; it lives on when that ends, and is adopted by the next one.
 * What it is not: it has no network, no users and no file system of its own. It only looks at `root` by agreement.
 *
 * `start` of a directory that was started before boots it again, without user data.
 * `adopt` of a machine that went off meanwhile gives a machine that has exited, so that how it ended is known;
 * undefined only when there never was one.
 */
export function createProcessDriver(options: ProcessDriverOptions = {}): InstanceDriver {
  const { imageDir, env = process.env } = options;
  return {
    kind: 'process',
    start: async (instance) => {
      const directory = machineDirectory(instance.root);
      await layOutMachine(instance, directory, imageDir);
      return startInit(directory, guestEnvironment(instance, env));
    },
    adopt: (instance) => adopt(instance),
    entrance: async (instance) => {
      const { root } = instance;
      const marks = { RAWCLOUD_MACHINE: instance.id, RAWCLOUD_ROOT: root };
      return { prefix: [], env: { ...guestEnvironment(instance, env), ...marks }, cwd: root };
    },
  };
}

async function startInit(directory: MachineDirectory, env: Record<string, string>): Promise<Machine> {
  const console = await open(directory.console, 'a', 0o600);
  try {
    const child = spawn('/bin/bash', [directory.init, 'boot'], {
      detached: true,
      cwd: directory.root,
      env,
      stdio: ['ignore', console.fd, console.fd, 'pipe'],
    });
    await ready(child, directory);
    child.unref();
    return ProcessMachine.ofChild(directory, child, child.pid!);
  } finally {
    await console.close();
  }
}

/** Waits until init listens for requests and user data is on its way. */
async function ready(child: ChildProcess, directory: MachineDirectory): Promise<void> {
  const signal = child.stdio[3]!;
  const first = await Promise.race([once(signal, 'data').then(() => 'ready' as const), once(child, 'exit').then(() => 'exit' as const)]);
  signal.destroy();
  if (first === 'ready') return;
  const said = Buffer.from(await readConsole(directory.console))
    .toString('utf8')
    .slice(-500);
  throw new RawcloudError('E_LOCAL_CLOUD', `the machine in ${directory.root} did not start; it said: ${said || '(nothing)'}`);
}

async function adopt({ root }: MachineSpec): Promise<Machine | undefined> {
  const directory = machineDirectory(root);
  const exit = await readExit(directory);
  if (exit) return exitedMachine(directory, exit);
  const pid = (await readInitPid(directory)) ?? (existsSync(directory.init) ? await findInit(directory) : undefined);
  return pid === undefined ? undefined : ProcessMachine.ofProcess(directory, pid);
}
