import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { mapBounded } from '../../contract';
import type { MachineSpec } from '../../contract';
import type { MachineDirectory } from './machine-directory';
import { unpacked } from './machine-layout';
import { DEVICES, hostRoot, mountTable, OWN } from './namespace-mounts';
import type { HostRoot } from './namespace-mounts';
import { NAME_SERVER, networkTable } from './namespace-addresses';
import { namespaceInit } from './namespace-scripts';
import { canMapUsers } from './namespace-users';
import { POWER_COMMANDS, powerScript } from './process-scripts';
import { hasCode } from '../errno';

/** First on a machine's PATH: poweroff and its like, which ask init and not a systemd. */
export const POWER_DIRECTORY = '/opt/rawcloud/sbin';

/** Files of the host that appear in a machine: from path there to path here. */
export type ShownFiles = Readonly<Record<string, string>>;

/**
 * Makes the directory of a machine, which is its disk; what is there already only gets its scripts anew.
 * At one go: a hundred small things that each wait for their turn take five times as long.
 */
export function layOutNamespace(machine: MachineSpec, directory: MachineDirectory, shown: ShownFiles): void {
  const { root, own } = directory;
  const table = path.join(own, 'fstab');
  const host = hostRoot();
  // Once only: later the disk is the machine's, and what it put there may lead out of it.
  if (!existsSync(table)) makeDisk(machine, directory, host, Object.keys(shown));
  writeFileSync(path.join(own, 'network'), networkTable(machine.privateIp));
  writeFileSync(directory.init, namespaceInit(machine.id, directory, hostName(machine)), { mode: 0o700 });
  writeFileSync(table, mountTable({ root, files: shown, shared: host.directories }));
}

function makeDisk(machine: MachineSpec, { root, own }: MachineDirectory, host: HostRoot, places: readonly string[]): void {
  const at = (name: string): string => path.join(root, name);
  makeDirectories(root, host.directories);
  for (const name of host.directories) mkdirSync(path.join(own, 'work', name), { recursive: true, mode: 0o700 });
  for (const [name, target] of Object.entries(host.links)) linkTo(target, at(name));
  makeDevices(at('dev'));
  writeFileSync(at(`${POWER_DIRECTORY}/power`), powerScript({ requests: '/dev/initctl', pending: '/run/shutdown.pid' }), { mode: 0o755 });
  for (const name of POWER_COMMANDS) linkTo('power', at(`${POWER_DIRECTORY}/${name}`));
  writeFileSync(at('etc/resolv.conf'), `nameserver ${NAME_SERVER}\n`);
  if (!canMapUsers()) nameOnlyUser(at('etc'));
  makePlaces(root, places);
  writeFileSync(at('var/lib/cloud/user-data'), unpacked(machine.userData), { mode: 0o700 });
}

/** The files of an image, each as it is found behind its links. */
export async function imageFiles(imageDir: string): Promise<ShownFiles> {
  const entries = await readdir(imageDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => !e.isDirectory()).map((e) => path.join(e.parentPath, e.name));
  const found = await mapBounded(files, 8, async (file) => [path.join('/', path.relative(imageDir, file)), await realpath(file)] as const);
  return Object.fromEntries(found);
}

/** As Amazon Linux calls itself. */
function hostName({ id, privateIp }: MachineSpec): string {
  return privateIp === undefined ? id : `ip-${privateIp.replaceAll('.', '-')}`;
}

const MODES: Readonly<Record<string, number>> = { '.machine': 0o700, root: 0o700, tmp: 0o1777, 'var/tmp': 0o1777 };

/** Everybody can walk `/`, whatever our umask. */
function makeDirectories(root: string, shared: readonly string[]): void {
  const below = ['etc/rc.d', POWER_DIRECTORY, 'var/cache', 'var/lib', 'var/lib/cloud', 'var/log', 'var/spool', 'var/tmp'];
  for (const name of ['.', '.machine', ...shared, ...OWN, ...below]) {
    const directory = path.join(root, name);
    if (mkdirSync(directory, { recursive: true, mode: 0o755 }) !== undefined) chmodSync(directory, MODES[name] ?? 0o755);
  }
}

function makeDevices(dev: string): void {
  makePlaces(dev, [...DEVICES, 'console', 'initctl']);
  const links = { ptmx: 'pts/ptmx', fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2' };
  for (const [name, target] of Object.entries(links)) linkTo(target, path.join(dev, name));
}

/** Empty files, over which something is mounted. */
function makePlaces(root: string, names: readonly string[]): void {
  for (const name of names) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, '', { flag: 'a' });
  }
}

/** Where there is but one id, the job's user is another name of root, so that whoever asks for it gets what there is. */
function nameOnlyUser(etc: string): void {
  extend(path.join(etc, 'passwd'), '/etc/passwd', 'rawcloud-job:x:0:0::/root:/bin/bash\n');
  extend(path.join(etc, 'group'), '/etc/group', 'rawcloud-job:x:0:\n');
}

function extend(file: string, original: string, line: string): void {
  unlessThere(() => writeFileSync(file, readFileSync(original, 'utf8') + line, { flag: 'wx', mode: 0o644 }));
}

function linkTo(target: string, at: string): void {
  unlessThere(() => symlinkSync(target, at));
}

function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}
