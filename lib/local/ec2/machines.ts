import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { mapBounded, RawcloudError } from '../../contract';
import type { InstanceDriver, Machine, MachineEntrance, MachineSpec } from '../../contract';
import { machineDirectory } from '../drivers/machine-directory';
import { readConsole } from '../drivers/process-machine';
import { removeTree } from '../drivers/remove-tree';
import type { Imds } from '../imds/imds';
import type { InstanceRecord } from './records';
import { hasCode } from '../errno';

export interface MachinesOptions {
  readonly driver: InstanceDriver;
  /** Holds `machines/<id>` and `consoles/<id>.log`. */
  readonly directory: string;
  /** Of the local cloud; known once its server listens. */
  readonly endpointUrl: () => string;
  /** Opens an instance's metadata service on a port (0: any), and remembers the port. */
  readonly openImds: (instance: InstanceRecord) => Promise<Imds>;
}

/** Machines of instances, each with its directory and its own metadata service. */
export class Machines {
  readonly #options: MachinesOptions;
  readonly #imds = new Map<string, Imds>();

  constructor(options: MachinesOptions) {
    this.#options = options;
  }

  async start(instance: InstanceRecord): Promise<Machine> {
    return this.#options.driver.start(await this.#connect(instance));
  }

  /** @returns undefined when there never was a machine */
  async adopt(instance: InstanceRecord): Promise<Machine | undefined> {
    const machine = await this.#options.driver.adopt(await this.#connect(instance));
    if (!machine) await this.disconnect(instance.id);
    return machine;
  }

  /** The way onto a machine that is on. */
  async entrance(instance: InstanceRecord): Promise<MachineEntrance | undefined> {
    const imds = this.#imds.get(instance.id);
    return imds && this.#options.driver.entrance?.(this.#specOf(instance, imds));
  }

  /** The instance is off: its metadata service ends. */
  async disconnect(id: string): Promise<void> {
    const imds = this.#imds.get(id);
    this.#imds.delete(id);
    await imds?.close();
  }

  /** Of a machine that is on, off, or whose directory is gone. */
  async consoleOutput(id: string): Promise<Uint8Array> {
    const live = await readConsole(machineDirectory(this.#root(id)).console);
    return live.byteLength > 0 ? live : readConsole(this.#keptConsole(id));
  }

  /** Removes the directory of a machine that is off; its console stays readable. */
  async clear(id: string): Promise<void> {
    await mkdir(path.dirname(this.#keptConsole(id)), { recursive: true, mode: 0o700 });
    await copyFile(machineDirectory(this.#root(id)).console, this.#keptConsole(id)).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    await removeTree(this.#root(id));
  }

  async close(): Promise<void> {
    await mapBounded([...this.#imds.keys()], 16, (id) => this.disconnect(id));
    await this.#options.driver.close?.();
  }

  async #connect(instance: InstanceRecord): Promise<MachineSpec> {
    const { openImds } = this.#options;
    if (this.#imds.has(instance.id)) throw new RawcloudError('E_LOCAL_CLOUD', `instance ${instance.id} is on already`);
    const imds = await openImds(instance);
    this.#imds.set(instance.id, imds);
    return this.#specOf(instance, imds);
  }

  #specOf(instance: InstanceRecord, imds: Imds): MachineSpec {
    return {
      id: instance.id,
      root: this.#root(instance.id),
      userData: Buffer.from(instance.userData, 'base64'),
      imdsUrl: imds.url,
      endpointUrl: this.#options.endpointUrl(),
      privateIp: instance.interface.privateIp,
    };
  }

  #root(id: string): string {
    return path.join(this.#options.directory, 'machines', id);
  }

  #keptConsole(id: string): string {
    return path.join(this.#options.directory, 'consoles', `${id}.log`);
  }
}
