import { accessSync, constants } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { must } from '../house/command.mjs';

/** What the VMs of ring 3 need of the host, by the Debian package that holds it. */
const RUNS = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  nc: 'netcat-openbsd',
};

/** What making their image needs besides. */
const BUILDS = { mmdebstrap: 'mmdebstrap', mke2fs: 'e2fsprogs', busybox: 'busybox-static', cpio: 'cpio' };

/** Packages that are missing here. */
export function missingPackages({ image }) {
  return Object.entries(image ? { ...RUNS, ...BUILDS } : RUNS).flatMap(([program, debian]) => (find(program) ? [] : [debian]));
}

/** Why nothing can be installed or no image made here; undefined when it can. */
export function whyNotRoot() {
  if (!find('apt-get')) return 'this is no Debian or Ubuntu';
  return process.getuid?.() === 0 ? undefined : 'you are not root';
}

export async function install(packages) {
  process.stderr.write(`ring 3: installing ${packages.join(' ')}\n`);
  const options = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  await must('apt-get', ['update', '-qq'], options);
  await must('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
}

/** Why an x86_64 VM cannot run here. */
export function whyNoVm() {
  if (process.platform !== 'linux') return `VMs of the tests run on Linux, this is ${process.platform}`;
  return os.machine() === 'x86_64' ? undefined : `the image of the tests is for x86_64, this is ${os.machine()}`;
}

function find(program) {
  const directories = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(path.join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
