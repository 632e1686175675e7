import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { RawcloudError } from '../../contract';
import type { MachineDirectory } from './machine-directory';
import { mapUsers } from './namespace-users';
import { killMachine, ProcessMachine, readConsole } from './process-machine';

/**
 * Starts a machine's init and goes with it through its beginning: it is born without rights, gets its ids, makes its
 * network, which `serve` then serves, and boots. Returns when user data is on its way.
 * @throws E_LOCAL_CLOUD with what init said
 */
export async function bootNamespace(
  directory: MachineDirectory,
  env: Readonly<Record<string, string>>,
  serve: (pid: number) => Promise<void>,
): Promise<ProcessMachine> {
  const child = await spawnInit(directory, env);
  const pid = child.pid;
  if (pid === undefined) throw new RawcloudError('E_LOCAL_CLOUD', `unshare could not be started for the machine in ${directory.root}`);
  const steps = createInterface({ input: child.stdio[3] as Readable })[Symbol.asyncIterator]();
  const goOn = (): void => void child.stdin!.write('\n');
  try {
    await hear('born', steps, directory);
    await mapUsers(pid);
    goOn();
    await hear('network', steps, directory);
    await serve(pid);
    goOn();
    await hear('ready', steps, directory);
    return ProcessMachine.ofChild(directory, child, pid);
  } catch (error) {
    await killMachine(directory, pid, 'crashed');
    throw error;
  } finally {
    child.stdin!.destroy();
    child.stdio[3]!.destroy();
    child.unref();
  }
}

async function spawnInit(directory: MachineDirectory, env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const console = await open(directory.console, 'a', 0o600);
  try {
    const child = spawn('unshare', ['--user', '--net', '--', '/bin/bash', directory.init, 'wait'], {
      detached: true,
      cwd: '/',
      env,
      stdio: ['pipe', console.fd, console.fd, 'pipe'],
    });
    child.on('error', () => undefined);
    // An init that ended has closed it.
    child.stdin!.on('error', () => undefined);
    return child;
  } finally {
    await console.close();
  }
}

/** Until init has come so far; its end closes the pipe. */
async function hear(step: string, steps: AsyncIterator<string>, directory: MachineDirectory): Promise<void> {
  const heard = await steps.next();
  if (heard.done !== true && heard.value === step) return;
  const text = Buffer.from(await readConsole(directory.console)).toString('utf8');
  const said = text.slice(-500);
  throw new RawcloudError('E_LOCAL_CLOUD', `the machine in ${directory.root} did not come to '${step}'; it said: ${said || '(nothing)'}`, {
    data: { said },
  });
}
