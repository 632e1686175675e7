import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { diskBytes, machineUsage, networkBytes } from '../../../lib/agent/idle/machine-usage';
import { parseStat, processUsage } from '../../../lib/agent/idle/process-usage';
import { measureUsage } from '../../../lib/agent/idle/usage';

const DISKSTATS = `
 259       0 nvme0n1 100 0 1000 5 200 0 2000 9 0 10 20
 259       1 nvme0n1p1 90 0 900 5 190 0 1900 9 0 10 20
 202       0 xvda 1 0 10 1 1 0 20 1 0 1 1
 202       1 xvda1 1 0 10 1 1 0 20 1 0 1 1
   7       0 loop0 1 0 500 1 1 0 500 1 0 1 1
 253       0 dm-0 1 0 500 1 1 0 500 1 0 1 1
`;

const NET = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9999999    100    0    0    0     0          0         0  9999999     100    0    0    0     0       0          0
  ens5: 1000    10    0    0    0     0          0         0  300     3    0    0    0     0       0          0
docker0:7    1    0    0    0     0          0         0  1     1    0    0    0     0       0          0
`;

test('bytes of disks are counted once: no partitions, loops or mapped devices', () => {
  expect(diskBytes(DISKSTATS)).toBe((1000 + 2000 + 10 + 20) * 512);
});

test('bytes of the network are counted without loopback', () => {
  expect(networkBytes(NET)).toBe(1000 + 300 + 7 + 1);
});

test('a command with a control group of its own is measured by it', async () => {
  const files: Record<string, string> = {
    '/sys/fs/cgroup/system.slice/rawcloud-task.scope/cpu.stat': 'usage_usec 1234567\nuser_usec 1\nsystem_usec 2\n',
    '/proc/diskstats': DISKSTATS,
  };
  const read = async (file: string): Promise<string | undefined> => files[file];
  expect(await machineUsage('/system.slice/rawcloud-task.scope', read)).toEqual({ cpuMs: 1234.567, diskBytes: 3030 * 512 });
  expect(await machineUsage('/elsewhere', read)).toBeUndefined();
});

test('a process is read whatever its name holds', () => {
  const stat = '42 (a) R (b 7) S 1 40 41 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0 100 0 0';
  expect(parseStat(42, stat)).toEqual({ pid: 42, parent: 1, group: 40, session: 41, cpuMs: 1000 });
  expect(parseStat(42, '')).toBeUndefined();
});

test('a command’s own are those of its group and session, and what descends from them', async () => {
  const stat = (parent: number, group: number, session: number): string =>
    `0 (x) S ${parent} ${group} ${session} 0 0 0 0 0 0 0 1 0 0 0 0 0`;
  const processes: Record<number, string> = {
    10: stat(1, 10, 10),
    11: stat(10, 10, 10),
    12: stat(1, 10, 10),
    13: stat(11, 13, 13),
    14: stat(13, 14, 14),
    20: stat(1, 20, 20),
  };
  const read = async (file: string): Promise<string | undefined> => {
    const [, pid, what] = /^\/proc\/(\d+)\/(stat|io)$/.exec(file) ?? [];
    return what === 'io' ? 'rchar: 100\nwchar: 1\n' : processes[Number(pid)];
  };
  expect(await processUsage(10, Object.keys(processes).map(Number), read)).toEqual({ cpuMs: 50, diskBytes: 505 });
  expect(await processUsage(10, [], read)).toBeUndefined();
});

test('this machine tells the CPU time and the bytes of a real command', async () => {
  const script = 'let n = 0; while (process.cpuUsage().user < 300e3) n++; console.log(n); setInterval(() => undefined, 1e9)';
  const child = spawn(process.execPath, ['-e', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await once(child.stdout, 'data');
    const usage = await measureUsage('')(child.pid!);
    expect(usage!.cpuMs).toBeGreaterThanOrEqual(290);
    expect(usage!.diskBytes).toBeGreaterThan(0);
    const again = await measureUsage('')(child.pid!);
    expect(again!.cpuMs - usage!.cpuMs).toBeLessThan(200);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});
