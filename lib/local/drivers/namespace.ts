import { getServers } from 'node:dns';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { InstanceDriver, Machine, MachineSpec } from '../../contract';
import { findInit, readInitPid } from './init-process';
import { machineDirectory } from './machine-directory';
import type { MachineDirectory } from './machine-directory';
import { WELL_KNOWN_PORTS } from './namespace-addresses';
import type { Destination, NetworkMap } from './namespace-addresses';
import { bootNamespace } from './namespace-boot';
import { namespaceEnvironment } from './namespace-environment';
import type { NamespaceEnvironment } from './namespace-environment';
import { imageFiles, layOutNamespace } from './namespace-layout';
import { openNetwork } from './namespace-network';
import type { MachineNetwork } from './namespace-network';
import { exitedMachine, killMachine, ProcessMachine, readExit } from './process-machine';

export interface NamespaceDriverOptions {
  /** What every machine finds under its own root from the beginning. @default - nothing */
  readonly imageDir?: string;
  /** Environment that proxies and certificates are taken from. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Machines as processes in namespaces of their own (Linux): own root, own process numbers, own host name, own network
 * with the metadata service at its real address, and, when the local cloud is root, own users. See docs/local-cloud.md.
 * `start` and `adopt` are as with the process driver; {@link findWhyNoNamespaces} tells whether the machine allows it.
 */
export function createNamespaceDriver(options: NamespaceDriverOptions = {}): InstanceDriver {
  const { imageDir, env = process.env } = options;
  const networks = new Networks();
  return {
    kind: 'namespace',
    start: async (instance) => {
      const directory = machineDirectory(instance.root);
      const surroundings = namespaceEnvironment(instance, env);
      layOutNamespace(instance, directory, { ...(imageDir ? await imageFiles(imageDir) : {}), ...surroundings.files });
      await writeFile(endpointFile(directory), instance.endpointUrl);
      const map = networkMap(instance, instance.endpointUrl, surroundings);
      const booting = bootNamespace(directory, surroundings.env, (pid) => networks.open(instance.id, pid, map));
      return networks.closeAfter(instance.id, await booting.catch((error: unknown) => networks.fail(instance.id, error)));
    },
    adopt: async (instance) => {
      const directory = machineDirectory(instance.root);
      const exit = await readExit(directory);
      if (exit) return exitedMachine(directory, exit);
      const pid = (await readInitPid(directory)) ?? (existsSync(directory.init) ? await findInit(directory) : undefined);
      if (pid === undefined) return undefined;
      const told = await readFile(endpointFile(directory), 'utf8');
      const map = networkMap(instance, told, namespaceEnvironment(instance, env));
      // One that went off in this moment, or that took an address for itself: without its network it is none any more.
      return networks.open(instance.id, pid, map).then(
        () => networks.closeAfter(instance.id, ProcessMachine.ofProcess(directory, pid)),
        async () => {
          await killMachine(directory, pid, 'crashed');
          return exitedMachine(directory, 'crashed');
        },
      );
    },
    entrance: async (instance) => {
      const supervisor = await readInitPid(machineDirectory(instance.root));
      const init = supervisor === undefined ? undefined : await firstProcess(supervisor);
      if (init === undefined) return undefined;
      const prefix = ['nsenter', `--target=${init}`, '--user', '--mount', '--net', '--pid', '--uts', '--ipc', '--root', '--wd', '--'];
      return { prefix, env: namespaceEnvironment(instance, env).env, cwd: '/' };
    },
    close: async () => networks.close(),
  };
}

/** Process 1 of a machine, below its supervisor and `unshare`. */
async function firstProcess(supervisor: number): Promise<number | undefined> {
  const child = async (pid: number): Promise<number | undefined> => {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    return Number(text.trim().split(' ')[0]) || undefined;
  };
  const between = await child(supervisor);
  return between === undefined ? undefined : child(between);
}

/** Of the machines that are on. */
class Networks {
  readonly #open = new Map<string, MachineNetwork>();

  async open(id: string, pid: number, map: NetworkMap): Promise<void> {
    this.#open.set(id, await openNetwork(pid, map));
  }

  closeAfter(id: string, machine: Machine): Machine {
    const network = this.#open.get(id);
    // How it ended is the affair of who waits for it.
    const end = (): void => this.#close(id, network);
    machine.exited.then(end, end);
    return machine;
  }

  fail(id: string, error: unknown): never {
    this.#close(id, this.#open.get(id));
    throw error;
  }

  close(): void {
    for (const [id, network] of this.#open) this.#close(id, network);
  }

  /** A machine that was started again meanwhile has another network. */
  #close(id: string, network: MachineNetwork | undefined): void {
    if (this.#open.get(id) === network) this.#open.delete(id);
    network?.close();
  }
}

/** The endpoint's URL as the machine was told it, once: the local cloud may have another one by now. */
function endpointFile(directory: MachineDirectory): string {
  return path.join(directory.own, 'endpoint');
}

function networkMap(instance: MachineSpec, toldEndpoint: string, { proxies }: NamespaceEnvironment): NetworkMap {
  const isLoopback = ({ host }: Destination): boolean => /^(127\.|localhost$)/.test(host);
  return {
    imds: addressOf(instance.imdsUrl),
    loopback: {
      ...Object.fromEntries(proxies.filter(isLoopback).map((proxy) => [proxy.port, { host: '127.0.0.1', port: proxy.port }])),
      [addressOf(toldEndpoint).port]: addressOf(instance.endpointUrl),
    },
    ports: [...new Set([...WELL_KNOWN_PORTS, ...proxies.filter((proxy) => !isLoopback(proxy)).map(({ port }) => port)])],
    nameServer: nameServer(),
  };
}

function addressOf(url: string): Destination {
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port) || 80 };
}

/** The first that this machine asks itself: `10.0.0.2`, `[::1]:5353`. */
function nameServer(): Destination {
  const first = getServers()[0] ?? '127.0.0.1';
  const [, host = first, port = '53'] = /^\[(.*)\]:(\d+)$/.exec(first) ?? /^([\d.]+):(\d+)$/.exec(first) ?? [];
  return { host, port: Number(port) };
}
