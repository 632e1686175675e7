import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawcloudError } from '../../contract';
import type { Machine } from '../../contract';
import type { MachineDirectory } from './machine-directory';
import { isInit } from './init-process';
import { hasCode } from '../errno';

export type MachineExit = 'poweroff' | 'killed' | 'crashed';

/** What GetConsoleOutput gives at most, bytes. Source: EC2 API reference, GetConsoleOutput. */
const CONSOLE_BYTES = 64 * 1024;

/** Added to the grace of a power-off before the machine is killed from outside: init needs a moment, longer on a busy computer. */
const INIT_GRACE_MS = 5_000;

/** How often an adopted machine, which is nobody's child, is looked at when its directory tells nothing. */
const POLL_MS = 1_000;

/**
 * A machine that is on. Ends in one of three ways: init wrote how (`poweroff`), we killed it (`killed`), or init
 * vanished (`crashed`; what it left behind is killed then).
 */
export class ProcessMachine implements Machine {
  readonly exited: Promise<MachineExit>;
  readonly #directory: MachineDirectory;
  readonly #pid: number;
  #killing: Promise<void> | undefined;

  /** @param gone resolves when init has ended */
  constructor(directory: MachineDirectory, pid: number, gone: Promise<void>) {
    this.#directory = directory;
    this.#pid = pid;
    this.exited = gone.then(() => this.#settle());
  }

  /** A machine whose init is a child of this process. */
  static ofChild(directory: MachineDirectory, child: ChildProcess, pid: number): ProcessMachine {
    const gone = child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit').then(() => undefined);
    return new ProcessMachine(directory, pid, gone);
  }

  /** A machine that an earlier process of the local cloud started. */
  static ofProcess(directory: MachineDirectory, pid: number): ProcessMachine {
    return new ProcessMachine(directory, pid, endOfProcess(directory, pid));
  }

  async powerOff(graceMs: number): Promise<void> {
    if (!(await this.#ask(`poweroff ${Math.max(0, Math.round(graceMs))}`))) return void (await this.exited);
    const patience = new AbortController();
    const overdue = sleep(graceMs + INIT_GRACE_MS, 'overdue' as const, { signal: patience.signal, ref: false }).catch(() => undefined);
    const first = await Promise.race([this.exited, overdue]);
    patience.abort();
    if (first === 'overdue') await this.kill();
  }

  async kill(): Promise<void> {
    this.#killing ??= killMachine(this.#directory, this.#pid, 'killed');
    await this.#killing;
    await this.exited;
  }

  async reboot(): Promise<void> {
    await this.#ask('reboot');
  }

  consoleOutput(): Promise<Uint8Array> {
    return readConsole(this.#directory.console);
  }

  /** Hands a wish to init. @returns false when init is gone */
  async #ask(request: string): Promise<boolean> {
    try {
      // Not waiting for a reader: without one, init is gone.
      const pipe = await open(this.#directory.requests, constants.O_WRONLY | constants.O_NONBLOCK);
      await pipe.write(`${request}\n`).finally(() => pipe.close());
      return true;
    } catch (error) {
      if (hasCode(error, 'ENXIO') || hasCode(error, 'ENOENT')) return false;
      throw error;
    }
  }

  async #settle(): Promise<MachineExit> {
    await this.#killing;
    const exit = await readExit(this.#directory);
    if (exit) return exit;
    await killMachine(this.#directory, this.#pid, 'crashed');
    return 'crashed';
  }
}

/** A machine that went off while nobody looked. */
export function exitedMachine(directory: MachineDirectory, exit: MachineExit): Machine {
  const nothing = async (): Promise<void> => undefined;
  return {
    powerOff: nothing,
    kill: nothing,
    reboot: nothing,
    consoleOutput: () => readConsole(directory.console),
    exited: Promise.resolve(exit),
  };
}

/** SIGKILL to everything that belongs to the machine; `exit` then holds `how`. */
export async function killMachine(directory: MachineDirectory, pid: number, how: MachineExit): Promise<void> {
  const init = (await isInit(pid, directory)) ? pid : 0;
  const child = spawn('/bin/bash', [directory.init, 'kill', String(init), how], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new RawcloudError('E_LOCAL_CLOUD', `killing the machine in ${directory.root} failed with exit code ${code}`);
}

/** How the machine ended; undefined while it is on, or when it vanished without a word. */
export async function readExit(directory: MachineDirectory): Promise<MachineExit | undefined> {
  const text = await readFile(directory.exit, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  });
  return (['poweroff', 'killed', 'crashed'] as const).find((how) => how === text.trim());
}

/** The last 64 KiB of the console; empty when there is none. */
export async function readConsole(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const bytes = Buffer.alloc(Math.min(size, CONSOLE_BYTES));
      const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, size - bytes.byteLength);
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return new Uint8Array();
    throw error;
  }
}

/** Resolves when the process is no longer the machine's init: told by the directory, else found out by looking. */
async function endOfProcess(directory: MachineDirectory, pid: number): Promise<void> {
  const stop = new AbortController();
  let wake = (): void => undefined;
  const watcher = watch(directory.own, { persistent: false, signal: stop.signal }, () => wake());
  watcher.on('error', () => wake());
  try {
    while (await isInit(pid, directory)) {
      const told = new Promise<void>((resolve) => (wake = resolve));
      // The exit file is written a moment before init ends.
      const moment = (await readExit(directory)) ? 10 : POLL_MS;
      const timer = new AbortController();
      await Promise.race([told, sleep(moment, undefined, { ref: false, signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
    }
  } finally {
    stop.abort();
  }
}
