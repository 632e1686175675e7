import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawcloudError } from '../contract';
import type { Notice, Ref } from '../contract';
import { readCloudFile } from './cloud-file';
import type { CloudFile } from './cloud-file';
import { askShutdown, askStatus } from './control-client';
import type { CloudStatus } from './control';
import { DRIVER_VARIABLE, parseDriverChoice } from './drivers/driver-choice';
import type { DriverChoice } from './drivers/driver-choice';
import { shippedNode } from './image';
import { lockHolder } from './lock';
import { defaultStateDir, openStateDir, removeStateDir } from './state-directory';

/** Where a local cloud lives and what starts it. */
export interface DaemonOptions {
  /** The process environment, or what stands for it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @default - $RAWCLOUD_LOCAL_DIR, else under the user's state directory */
  readonly stateDir?: string;
  /** The CLI's script, run as `node <entry> local serve`. @default - this package's */
  readonly entry?: string;
  /** What machines shall be: auto, namespace or process. @default - $RAWCLOUD_LOCAL_DRIVER, else auto */
  readonly driver?: string;
  readonly signal?: AbortSignal;
}

/** What is known of a local cloud. */
export interface LocalStatus {
  readonly running: boolean;
  readonly directory: string;
  readonly endpoint?: string;
  readonly pid?: number;
  /** What new VMs are: `namespace` or `process`. */
  readonly driver?: string;
  /** Why they are processes, when namespaces were to be had if possible. */
  readonly driverWhy?: string;
  /** VMs that are on. */
  readonly vms?: number;
  readonly machines?: CloudStatus['machines'];
}

/** How to use a local cloud that runs. */
export interface LocalConnection {
  readonly url: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly stateDir: string;
  /** What every VM finds on its disk of this executable of the host; undefined when it must fetch it. */
  readonly shippedNode: (executable: string) => Promise<Ref | undefined>;
  /** What the user should know; only when this call started it. */
  readonly notices: readonly Notice[];
}

const READY_WITHIN_MS = 20_000;
const GONE_WITHIN_MS = 30_000;

/** Between looks at files of another process that has no way to tell us. */
const LOOK_MS = 25;

/** How far apart jobs are from the developer's own things. */
const APART: Readonly<Record<string, string>> = {
  namespace: 'jobs run on this machine in namespaces of their own, out of reach of your files',
  process: 'jobs run on this machine as your own user, with your network and in reach of your files',
};

function noticesOf({ driver = 'process' }: CloudFile): readonly Notice[] {
  const apart = APART[driver] ?? APART['process']!;
  return [{ level: 'info', text: `Local cloud: ${apart}. Nothing is billed; prices shown are those of AWS.` }];
}

/** Starts the local cloud as a process of its own unless it runs. Two who start at once get the same one. @throws E_LOCAL_CLOUD, E_USAGE */
export async function localStart(
  options: DaemonOptions,
): Promise<LocalStatus & { readonly started: boolean; readonly notices: readonly Notice[] }> {
  const { cloud, started } = await startOrFind(options);
  mustBe(options.driver, cloud);
  return { ...(await localStatus(options)), started, notices: started ? noticesOf(cloud) : [] };
}

/** @throws E_USAGE when one runs that was started otherwise */
function mustBe(wanted: string | undefined, { driver = 'process' }: CloudFile): void {
  if (wanted === undefined || wanted === 'auto' || wanted === driver) return;
  throw new RawcloudError('E_USAGE', `the local cloud runs already, with the driver '${driver}' and not '${wanted}'`, {
    remedy: "Run 'rawcloud local stop' first; its state stays.",
  });
}

/** A connection to the local cloud, which is started when it does not run. @throws E_LOCAL_CLOUD */
export async function ensureLocalCloud(options: DaemonOptions): Promise<LocalConnection> {
  const { cloud, started } = await startOrFind(options);
  const { url, region, credentials } = cloud;
  const stateDir = stateDirOf(options);
  return {
    url,
    region,
    credentials,
    stateDir,
    shippedNode: (executable) => shippedNode(stateDir, executable),
    notices: started ? noticesOf(cloud) : [],
  };
}

/** Ends the local cloud and powers its machines off; its state stays. */
export async function localStop(options: DaemonOptions): Promise<{ readonly stopped: boolean; readonly machines: readonly string[] }> {
  const directory = stateDirOf(options);
  const cloud = await find(directory);
  if (!cloud) return { stopped: false, machines: [] };
  const machines = await askShutdown(cloud, { keepMachines: false });
  await untilFree(directory, GONE_WITHIN_MS, options.signal);
  return { stopped: true, machines };
}

export async function localStatus(options: DaemonOptions): Promise<LocalStatus> {
  const directory = stateDirOf(options);
  const cloud = await readCloudFile(directory);
  const status = cloud && (await askStatus(cloud));
  if (!status) return { running: false, directory };
  const vms = status.machines.filter((m) => m.on).length;
  const { url: endpoint, pid, machines } = status;
  return { running: true, directory, endpoint, pid, ...driverOf(status), vms, machines };
}

function driverOf({ driver }: CloudStatus): Pick<LocalStatus, 'driver' | 'driverWhy'> {
  return driver === undefined ? {} : { driver: driver.kind, ...(driver.why === undefined ? {} : { driverWhy: driver.why }) };
}

/** Ends the local cloud and deletes its state. @throws E_LOCAL_CLOUD when the directory was not made by it */
export async function localReset(options: DaemonOptions): Promise<{ readonly machines: readonly string[] }> {
  const { stopped, machines } = await localStop(options);
  const directory = stateDirOf(options);
  // Machines may live on without a local cloud: one that starts finds and ends them.
  if (!stopped && existsSync(path.join(directory, 'machines'))) {
    await startOrFind(options);
    await localStop(options);
  }
  await removeStateDir(directory);
  return { machines };
}

async function startOrFind(options: DaemonOptions): Promise<{ cloud: CloudFile; started: boolean }> {
  const driver = parseDriverChoice(options.driver ?? options.env[DRIVER_VARIABLE]);
  const directory = stateDirOf(options);
  const running = await find(directory);
  if (running) return { cloud: running, started: false };
  await openStateDir(directory);
  // One that is on its way down or up holds the lock without being reachable.
  if (await lockHolder(directory)) await untilFree(directory, GONE_WITHIN_MS, options.signal, () => find(directory));
  const child = await spawnServer(directory, { ...options, driver });
  try {
    const cloud = await untilReady(child, directory, options.signal);
    return { cloud, started: cloud.pid === child.pid };
  } finally {
    await letGo(child, directory);
  }
}

async function find(directory: string): Promise<CloudFile | undefined> {
  const cloud = await readCloudFile(directory);
  return cloud && (await askStatus(cloud)) ? cloud : undefined;
}

async function spawnServer(
  directory: string,
  { env, driver, entry = ownEntry() }: DaemonOptions & { readonly driver: DriverChoice },
): Promise<ChildProcess> {
  const log = await open(logFile(directory), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [entry, 'local', 'serve'], {
      detached: true,
      cwd: directory,
      env: { ...env, RAWCLOUD_LOCAL_DIR: directory, [DRIVER_VARIABLE]: driver },
      stdio: ['ignore', log.fd, log.fd],
    });
    child.on('error', () => undefined);
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

/** Its own child, or the one of somebody who was quicker: then the child ends, because the lock is taken. */
async function untilReady(child: ChildProcess, directory: string, signal: AbortSignal | undefined): Promise<CloudFile> {
  const late = AbortSignal.timeout(READY_WITHIN_MS);
  for (;;) {
    const ended = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    const cloud = await find(directory);
    if (cloud) return cloud;
    if ((ended && !(await lockHolder(directory))) || late.aborted) throw await notStarted(directory, ended);
    await sleep(LOOK_MS, undefined, signal ? { signal } : {});
  }
}

/** A child that does not serve must not begin to once the one that does has ended. */
async function letGo(child: ChildProcess, directory: string): Promise<void> {
  if (child.pid === undefined || (await lockHolder(directory)) === child.pid) return;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function notStarted(directory: string, ended: boolean): Promise<RawcloudError> {
  const said = (await readFile(logFile(directory), 'utf8').catch(() => '')).trimEnd().split('\n').slice(-5).join('\n');
  const what = ended ? 'ended at once' : `was not ready within ${READY_WITHIN_MS / 1000} s`;
  return new RawcloudError('E_LOCAL_CLOUD', `the local cloud ${what}; the end of its log: ${said || '(empty)'}`, {
    remedy: `Its whole log is ${logFile(directory)}.`,
  });
}

/** Until nobody serves the directory, or `enough` gives something. @throws E_LOCAL_CLOUD when it takes too long */
async function untilFree(directory: string, withinMs: number, signal?: AbortSignal, enough?: () => Promise<unknown>): Promise<void> {
  const late = AbortSignal.timeout(withinMs);
  for (let pid = await lockHolder(directory); pid !== undefined; pid = await lockHolder(directory)) {
    if (await enough?.()) return;
    if (late.aborted)
      throw new RawcloudError('E_LOCAL_CLOUD', `process ${pid} still serves ${directory} after ${withinMs / 1000} s`, { data: { pid } });
    await sleep(LOOK_MS, undefined, signal ? { signal } : {});
  }
}

function logFile(directory: string): string {
  return path.join(directory, 'cloud.log');
}

function stateDirOf({ env, stateDir }: DaemonOptions): string {
  return stateDir ?? defaultStateDir(env);
}

/** The CLI in the package that this file is part of, whether it runs from sources, from dist/lib or from a bundle in dist/bin. */
function ownEntry(): string {
  const entry = path.join(packageRoot(__dirname), 'dist', 'bin', 'rawcloud.js');
  if (existsSync(entry)) return entry;
  throw new RawcloudError('E_LOCAL_CLOUD', `what starts the local cloud is not there: ${entry}`, {
    remedy: "In a checkout, run 'npm run build'; otherwise install the package anew.",
  });
}

function packageRoot(from: string): string {
  const above = path.dirname(from);
  return existsSync(path.join(from, 'package.json')) || above === from ? from : packageRoot(above);
}
