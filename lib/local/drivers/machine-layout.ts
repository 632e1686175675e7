import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { mapBounded } from '../../contract';
import type { MachineSpec } from '../../contract';
import type { MachineDirectory } from './machine-directory';
import { initScript, POWER_COMMANDS, powerScript } from './process-scripts';
import { hasCode } from '../errno';

/** Makes the root of a machine; one that is there already only gets its scripts anew. */
export async function layOutMachine(machine: MachineSpec, directory: MachineDirectory, imageDir: string | undefined): Promise<void> {
  const { root, own } = directory;
  for (const part of [own, 'root', 'tmp', 'sbin', 'etc/rc.d', 'opt/rawcloud', 'var/log']) {
    await mkdir(path.resolve(root, part), { recursive: true, mode: 0o700 });
  }
  await writeFile(directory.init, initScript(machine.id, directory), { mode: 0o700 });
  await writeFile(directory.userData, unpacked(machine.userData), { mode: 0o700 });
  await writeFile(
    path.join(root, 'sbin', 'power'),
    powerScript({ requests: directory.requests, pending: path.join(own, 'shutdown.pid') }),
    { mode: 0o755 },
  );
  for (const name of POWER_COMMANDS) await link('power', path.join(root, 'sbin', name));
  if (imageDir) await linkTree(imageDir, root);
}

/** cloud-init takes gzipped user data too. */
export function unpacked(userData: Uint8Array): Uint8Array {
  return userData[0] === 0x1f && userData[1] === 0x8b ? gunzipSync(userData) : userData;
}

/** Directories of its own with links to the image's files: what a machine adds stays its own, what ships costs nothing. */
async function linkTree(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true });
  await mapBounded(entries, 8, async (entry) => {
    const target = path.join(to, entry.name);
    if (!entry.isDirectory()) return link(path.join(from, entry.name), target);
    await mkdir(target, { recursive: true, mode: 0o755 });
    return linkTree(path.join(from, entry.name), target);
  });
}

async function link(to: string, at: string): Promise<void> {
  await symlink(to, at).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
  });
}
