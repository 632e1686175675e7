import type { Usage } from './judge';

/** Reads a file of the kernel; undefined when it is not there. */
export type ReadText = (file: string) => Promise<string | undefined>;

/** Source: kernel documentation, "I/O statistics fields": sectors of 512 bytes, whatever the disk's own are. */
const SECTOR_BYTES = 512;

/** Parts of disks, and what is no disk, would count bytes twice. */
const NO_DISK = /^(loop|ram|zram|dm-|md|sr|fd)|^(sd|xvd|vd|hd)[a-z]+\d+$|^(nvme\d+n\d+|mmcblk\d+)p\d+$/;

/**
 * Of a command that has a control group of its own (v2), as on a VM with systemd: its processes' CPU time, and disk and
 * network of the machine, which is there for it alone.
 * @param group as `/proc/<pid>/cgroup` names it @returns undefined where there is no such group
 */
export async function machineUsage(group: string, read: ReadText): Promise<Usage | undefined> {
  const [cpu, disks, devices] = await Promise.all([
    read(`/sys/fs/cgroup${group}/cpu.stat`),
    read('/proc/diskstats'),
    read('/proc/net/dev'),
  ]);
  const micros = /^usage_usec (\d+)$/m.exec(cpu ?? '')?.[1];
  if (micros === undefined) return undefined;
  return {
    cpuMs: Number(micros) / 1000,
    ...(disks === undefined ? {} : { diskBytes: diskBytes(disks) }),
    ...(devices === undefined ? {} : { networkBytes: networkBytes(devices) }),
  };
}

/** Read and written on all disks. */
export function diskBytes(diskstats: string): number {
  return diskstats.split('\n').reduce((sum, line) => {
    const fields = line.trim().split(/\s+/);
    if (fields.length < 10 || NO_DISK.test(fields[2]!)) return sum;
    return sum + (Number(fields[5]) + Number(fields[9])) * SECTOR_BYTES;
  }, 0);
}

/** Received and sent on all interfaces but loopback. */
export function networkBytes(dev: string): number {
  return dev.split('\n').reduce((sum, line) => {
    const [, name, numbers] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || name === 'lo') return sum;
    const fields = numbers!.trim().split(/\s+/);
    return sum + Number(fields[0]) + Number(fields[8]);
  }, 0);
}
