import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from '../../contract';
import { hasCode } from '../errno';
import type { MachineDirectory } from './machine-directory';
import { readConsole, readExit } from './process-machine';
import type { MachineExit } from './process-machine';
import { qmp } from './qmp';

/** Name of the control socket in the machine's directory. */
export const QMP_SOCKET = 'qmp';

/** Between two presses of the power button: a guest that is still booting does not feel the first. */
const PRESS_EVERY_MS = 2_000;

/** A VM that is on. Its hypervisor writes `exit` when QEMU ends: 'killed' stands there before when it was us. */
export class QemuMachine implements Machine {
  readonly exited: Promise<MachineExit>;
  readonly #directory: MachineDirectory;

  /** @param gone resolves when the hypervisor has ended */
  constructor(directory: MachineDirectory, gone: Promise<void>) {
    this.#directory = directory;
    this.exited = gone.then(async () => (await readExit(directory)) ?? 'crashed');
  }

  async powerOff(graceMs: number): Promise<void> {
    const over = new AbortController();
    const overdue = sleep(graceMs, undefined, { signal: over.signal, ref: false }).then(
      () => this.kill(),
      () => undefined,
    );
    void this.exited.then(() => over.abort());
    await Promise.all([this.#press(over.signal), overdue, this.exited]);
  }

  async kill(): Promise<void> {
    const pid = await qemuPid(this.#directory);
    if (pid !== undefined) {
      await writeExit(this.#directory, 'killed');
      endProcess(pid);
    }
    await this.exited;
  }

  async reboot(): Promise<void> {
    await qmp(path.join(this.#directory.own, QMP_SOCKET), 'system_reset');
  }

  consoleOutput(): Promise<Uint8Array> {
    return readConsole(this.#directory.console);
  }

  async #press(over: AbortSignal): Promise<void> {
    while (!over.aborted && (await qmp(path.join(this.#directory.own, QMP_SOCKET), 'system_powerdown'))) {
      await sleep(PRESS_EVERY_MS, undefined, { signal: over, ref: false }).catch(() => undefined);
    }
  }
}

/** Number of the machine's QEMU while it runs. Numbers are used again: its arguments name its own file. */
export async function qemuPid(directory: MachineDirectory): Promise<number | undefined> {
  const pid = Number(await readFile(directory.pid, 'utf8').catch(() => ''));
  if (!(pid > 1)) return undefined;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.split('\0').includes(directory.pid) ? pid : undefined;
}

async function writeExit(directory: MachineDirectory, how: MachineExit): Promise<void> {
  await writeFile(`${directory.exit}.killed`, `${how}\n`);
  await rename(`${directory.exit}.killed`, directory.exit);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
