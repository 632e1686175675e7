import { createHash } from 'node:crypto';

/** What a VM is made of. */
export interface QemuMachine {
  /** Of the instance, `i-…`. */
  readonly id: string;
  readonly mac: string;
  readonly kernel: string;
  readonly initrd: string;
  /** Its own disk, a qcow2 overlay. */
  readonly disk: string;
  readonly console: string;
  readonly pidFile: string;
  /** Control socket, relative to the working directory of QEMU. */
  readonly socket: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly kvm: boolean;
  /** Ports on the host's loopback. */
  readonly ports: { readonly imds: number; readonly endpoint: number };
}

/** Where the guest finds the metadata service, as on EC2. */
const IMDS = '169.254.169.254';

/** Where the guest finds the endpoint of all AWS services: what is forwarded must lie in the guest's own network. */
const ENDPOINT = '169.254.169.250';

/** What the guest takes for AWS's endpoint. */
export const GUEST_ENDPOINT_URL = `http://${ENDPOINT}`;

/**
 * Arguments of qemu-system-x86_64. The machine type is `pc`: `microvm` has no SMBIOS, without which cloud-init does not
 * take the VM for an EC2 instance, and `q35` boots slower. `restrict` shuts the guest in: without it, its DNS would
 * reach the host's resolver.
 */
export function qemuArguments(machine: QemuMachine): string[] {
  return [
    ...['-M', 'pc', ...processor(machine), '-m', String(machine.memoryMiB), '-smp', String(machine.cpus)],
    ...['-display', 'none', '-nodefaults', '-no-user-config', '-pidfile', machine.pidFile],
    ...['-chardev', `file,id=console,path=${word(machine.console)},append=on`, '-serial', 'chardev:console'],
    ...['-qmp', `unix:${word(machine.socket)},server=on,wait=off`],
    ...['-kernel', machine.kernel, '-initrd', machine.initrd, '-append', KERNEL_ARGUMENTS.join(' ')],
    ...['-drive', `id=disk,file=${word(machine.disk)},format=qcow2,if=none,cache=unsafe`, '-device', 'virtio-blk-pci,drive=disk'],
    ...['-netdev', network(machine), '-device', `virtio-net-pci,netdev=net,mac=${machine.mac},romfile=`],
    ...['-device', 'virtio-rng-pci', '-smbios', smbios(machine.id)],
  ];
}

/** In software, the plainest processor is the fastest: each feature of a newer one has to be imitated. */
function processor({ kvm }: QemuMachine): string[] {
  return kvm ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg,thread=multi,tb-size=256', '-cpu', 'qemu64,+rdrand'];
}

const KERNEL_ARGUMENTS = [
  'console=ttyS0',
  'root=/dev/vda rw',
  // A kernel that panics boots again at once, as on EC2: the guard ends that boot.
  'panic=-1',
  'net.ifnames=0',
  'mitigations=off nokaslr audit=0 tsc=reliable random.trust_cpu=on quiet loglevel=4',
  // The environment of every service, cloud-init's and so the user data's too.
  `systemd.setenv=AWS_ENDPOINT_URL=${GUEST_ENDPOINT_URL}`,
];

/** A connection of the guest starts an nc on the host: the form of guestfwd that serves more than one. */
function network({ ports }: QemuMachine): string {
  const forward = (address: string, port: number): string => `guestfwd=tcp:${address}:80-cmd:nc -N 127.0.0.1 ${port}`;
  return [
    'user,id=net,restrict=on,ipv6=off,net=169.254.169.0/24,dhcpstart=169.254.169.15',
    forward(IMDS, ports.imds),
    forward(ENDPOINT, ports.endpoint),
  ].join(',');
}

/** By these cloud-init knows an instance of EC2. Source: EC2 user guide, "Identify instances": the UUID begins with ec2. */
function smbios(id: string): string {
  const hex = `ec2${createHash('sha256').update(id).digest('hex').slice(0, 29)}`;
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  return `type=1,uuid=${uuid},serial=${uuid},manufacturer=Amazon EC2,product=rawcloud`;
}

/** In QEMU's option lists a comma is written twice. */
function word(text: string): string {
  return text.replaceAll(',', ',,');
}
