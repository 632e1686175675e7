import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { access, constants, mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { RawcloudError } from '../../contract';
import type { InstanceDriver, Machine, MachineSpec } from '../../contract';
import { macAddress } from '../ec2/network';
import { machineDirectory } from './machine-directory';
import type { MachineDirectory } from './machine-directory';
import { readExit } from './process-machine';
import { qemuArguments } from './qemu-command';
import { qemuPid, QemuMachine, QMP_SOCKET } from './qemu-machine';

export interface QemuDriverOptions {
  /** Holds `vmlinuz`, `initrd.img` and `base.raw`: a Linux whose cloud-init takes the EC2 datasource. */
  readonly imageDir: string;
  /** @default 512: Node, its file cache and a job; each VM takes about that much of the host */
  readonly memoryMiB?: number;
  /** @default 2 */
  readonly cpus?: number;
}

/**
 * Real VMs: QEMU boots an image that takes itself for an EC2 instance, with its own kernel, systemd, users and network.
 * They see the metadata service at 169.254.169.254 and the endpoint of all services at {@link GUEST_ENDPOINT_URL}, and
 * nothing else. Linux on x86_64 only; without KVM a boot takes about 20 s. No privilege is needed.
 *
 * Life of a VM: an overlay over the image is its disk; a hypervisor process (bash) runs QEMU, waits for it, and writes
 * how it ended. Both are detached from the local cloud: a VM lives on when that ends, and is adopted by the next one.
 * Starting a directory that was started before boots its disk again; cloud-init then runs no user data.
 */
export function createQemuDriver(options: QemuDriverOptions): InstanceDriver {
  return {
    kind: 'qemu',
    start: (instance) => start(instance, options),
    adopt: (instance) => adopt(instance),
  };
}

/** Runs QEMU to its end. What it was helped by (an nc a connection) goes with it; a `killed` of ours stays. */
const HYPERVISOR = String.raw`
exit_file=$1 pid_file=$2; shift 2
"$@" &
wait $!; code=$?
trap '' TERM; kill -TERM 0
rm -f "$pid_file"
[ -e "$exit_file" ] || { if [ $code -eq 0 ]; then echo poweroff; else echo crashed; fi >"$exit_file.new"; mv -f "$exit_file.new" "$exit_file"; }
`;

async function start(instance: MachineSpec, options: QemuDriverOptions): Promise<Machine> {
  const directory = machineDirectory(instance.root);
  await mkdir(directory.own, { recursive: true, mode: 0o700 });
  await rm(directory.exit, { force: true });
  await rm(path.join(directory.own, QMP_SOCKET), { force: true });
  const command = await compile(instance, directory, options);
  const log = await open(path.join(directory.own, 'qemu.log'), 'a', 0o600);
  try {
    const hypervisor = spawn(
      '/bin/bash',
      ['-c', HYPERVISOR, 'rawcloud-vm', directory.exit, directory.pid, 'qemu-system-x86_64', ...command],
      {
        detached: true,
        cwd: directory.own,
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    const gone = once(hypervisor, 'exit').then(() => undefined);
    hypervisor.unref();
    await isOn(directory, gone);
    return new QemuMachine(directory, gone);
  } finally {
    await log.close();
  }
}

async function compile(
  { id, imdsUrl, endpointUrl }: MachineSpec,
  directory: MachineDirectory,
  options: QemuDriverOptions,
): Promise<string[]> {
  const { imageDir, memoryMiB = 512, cpus = 2 } = options;
  const disk = path.join(directory.own, 'disk.qcow2');
  if (!existsSync(disk)) await makeDisk(disk, path.join(imageDir, 'base.raw'));
  return qemuArguments({
    id,
    mac: macAddress(id),
    kernel: path.join(imageDir, 'vmlinuz'),
    initrd: path.join(imageDir, 'initrd.img'),
    disk,
    console: directory.console,
    pidFile: directory.pid,
    socket: QMP_SOCKET,
    memoryMiB,
    cpus,
    kvm: await hasKvm(),
    ports: { imds: Number(new URL(imdsUrl).port), endpoint: Number(new URL(endpointUrl).port) },
  });
}

const REMEDY = 'The driver needs qemu-system-x86_64, qemu-img and nc on PATH, and an image made by test/vm/build-image.sh.';

/** @throws E_LOCAL_CLOUD */
async function makeDisk(disk: string, base: string): Promise<void> {
  await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', disk]).catch((cause: unknown) => {
    throw new RawcloudError('E_LOCAL_CLOUD', `a VM's disk could not be made from the image ${base}`, { remedy: REMEDY, cause });
  });
}

/** That the device opens proves nothing: on a processor without the feature QEMU then hangs and does not fall back. */
async function hasKvm(): Promise<boolean> {
  const processor = await readFile('/proc/cpuinfo', 'utf8');
  if (!/^flags\b.*\b(vmx|svm)\b/m.test(processor)) return false;
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
}

const LOOK_MS = 25;

/** Until QEMU has written its number, which it does when everything it was given is in order. @throws E_LOCAL_CLOUD */
async function isOn(directory: MachineDirectory, gone: Promise<void>): Promise<void> {
  let ended = false;
  void gone.then(() => (ended = true));
  while ((await qemuPid(directory)) === undefined) {
    if (ended) throw await notStarted(directory);
    await sleep(LOOK_MS);
  }
}

async function notStarted(directory: MachineDirectory): Promise<RawcloudError> {
  const said = (await readFile(path.join(directory.own, 'qemu.log'), 'utf8')).trim().slice(-500);
  return new RawcloudError('E_LOCAL_CLOUD', `QEMU did not start the VM in ${directory.root}; it said: ${said || '(nothing)'}`, {
    remedy: REMEDY,
  });
}

/** @returns a machine that has exited when it went off meanwhile; undefined when there never was one */
async function adopt({ root }: MachineSpec): Promise<Machine | undefined> {
  const directory = machineDirectory(root);
  if ((await qemuPid(directory)) === undefined && !(await readExit(directory)) && !existsSync(directory.console)) return undefined;
  return new QemuMachine(directory, endOf(directory));
}

const POLL_MS = 500;

/** An adopted machine is nobody's child. */
async function endOf(directory: MachineDirectory): Promise<void> {
  while ((await qemuPid(directory)) !== undefined) await sleep(POLL_MS, undefined, { ref: false });
  // The hypervisor writes how it ended a moment later.
  for (let i = 0; i < 20 && !(await readExit(directory)); i += 1) await sleep(LOOK_MS);
}
