import { chmod, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { mapBounded } from '../../contract';
import type { MachineSpec } from '../../contract';
import type { MachineDirectory } from './machine-directory';
import { link, unpacked } from './machine-layout';
import { DEVICES, hostRoot, mountTable, OWN } from './namespace-mounts';
import { NAME_SERVER, networkTable } from './namespace-addresses';
import { namespaceInit } from './namespace-scripts';
import { canMapUsers } from './namespace-users';
import { POWER_COMMANDS, powerScript } from './process-scripts';
import { hasCode } from '../errno';

/** First on a machine's PATH: poweroff and its like, which ask init and not a systemd. */
export const POWER_DIRECTORY = '/opt/rawcloud/sbin';

/** Files of the host that appear in a machine: from path there to path here. */
export type ShownFiles = Readonly<Record<string, string>>;

/** Makes the directory of a machine, which is its disk; what is there already only gets its scripts anew. */
export async function layOutNamespace(machine: MachineSpec, directory: MachineDirectory, shown: ShownFiles): Promise<void> {
  const { root, own } = directory;
  const host = hostRoot();
  const at = (name: string): string => path.join(root, name);
  await makeDirectories(root, host.directories);
  for (const name of host.directories) await mkdir(path.join(own, 'work', name), { recursive: true, mode: 0o700 });
  for (const [name, target] of Object.entries(host.links)) await link(target, at(name));
  await makeDevices(at('dev'));
  await writeFile(at(`${POWER_DIRECTORY}/power`), powerScript({ requests: '/dev/initctl', pending: '/run/shutdown.pid' }), { mode: 0o755 });
  for (const name of POWER_COMMANDS) await link('power', at(`${POWER_DIRECTORY}/${name}`));
  await writeFile(at('etc/resolv.conf'), `nameserver ${NAME_SERVER}\n`);
  if (!canMapUsers()) await nameOnlyUser(at('etc'));
  await makePlaces(root, Object.keys(shown));
  await writeFile(path.join(own, 'fstab'), mountTable({ root, files: shown, shared: host.directories }));
  await writeFile(path.join(own, 'network'), networkTable(machine.privateIp));
  await writeFile(directory.init, namespaceInit(machine.id, directory, hostName(machine)), { mode: 0o700 });
  await writeFile(at('var/lib/cloud/user-data'), unpacked(machine.userData), { mode: 0o700 });
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
async function makeDirectories(root: string, shared: readonly string[]): Promise<void> {
  const below = ['etc/rc.d', POWER_DIRECTORY, 'var/cache', 'var/lib', 'var/lib/cloud', 'var/log', 'var/spool', 'var/tmp'];
  for (const name of ['.', '.machine', ...shared, ...OWN, ...below]) {
    const directory = path.join(root, name);
    if ((await mkdir(directory, { recursive: true, mode: 0o755 })) !== undefined) await chmod(directory, MODES[name] ?? 0o755);
  }
}

async function makeDevices(dev: string): Promise<void> {
  await makePlaces(dev, [...DEVICES, 'console', 'initctl']);
  const links = { ptmx: 'pts/ptmx', fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2' };
  for (const [name, target] of Object.entries(links)) await link(target, path.join(dev, name));
}

/** Empty files, over which something is mounted. */
async function makePlaces(root: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, '', { flag: 'a' });
  }
}

/** Where there is but one id, the job's user is another name of root, so that whoever asks for it gets what there is. */
async function nameOnlyUser(etc: string): Promise<void> {
  await extend(path.join(etc, 'passwd'), '/etc/passwd', 'rawcloud-job:x:0:0::/root:/bin/bash\n');
  await extend(path.join(etc, 'group'), '/etc/group', 'rawcloud-job:x:0:\n');
}

async function extend(file: string, original: string, line: string): Promise<void> {
  await writeFile(file, (await readFile(original, 'utf8')) + line, { flag: 'wx', mode: 0o644 }).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
  });
}
