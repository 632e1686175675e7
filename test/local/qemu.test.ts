import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { qemuArguments } from '../../lib/local/drivers/qemu-command';
import { qmp } from '../../lib/local/drivers/qmp';

describe('the arguments of QEMU', () => {
  const MACHINE = {
    id: 'i-0123456789abcdef0',
    mac: '02:45:67:89:ab:cd',
    kernel: '/image/vmlinuz',
    initrd: '/image/initrd.img',
    disk: '/machines/a,b/disk.qcow2',
    console: '/machines/a,b/console.log',
    pidFile: '/machines/a,b/pid',
    socket: 'qmp',
    memoryMiB: 512,
    cpus: 2,
    kvm: false,
    ports: { imds: 1111, endpoint: 2222 },
  };
  const joined = (machine = MACHINE): string => qemuArguments(machine).join(' ');

  test('let the guest see an instance of EC2, by the same name each time', () => {
    expect(joined()).toMatch(/-smbios type=1,uuid=(ec2[0-9a-f]{5}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}),serial=\1,/);
    expect(joined()).toBe(joined());
    expect(joined({ ...MACHINE, id: 'i-0123456789abcdef1' })).not.toBe(joined());
  });

  test('shut the guest in: it reaches its metadata service and its endpoint', () => {
    const network = qemuArguments(MACHINE).find((argument) => argument.startsWith('user,'));
    expect(network).toMatch(/restrict=on/);
    expect(network?.match(/guestfwd=tcp:[^,]*/g)).toEqual([
      'guestfwd=tcp:169.254.169.254:80-cmd:nc -N 127.0.0.1 1111',
      'guestfwd=tcp:169.254.169.250:80-cmd:nc -N 127.0.0.1 2222',
    ]);
  });

  test('survive a comma in a path', () => {
    expect(joined()).toContain('file=/machines/a,,b/disk.qcow2,format=qcow2');
    expect(joined()).toContain('path=/machines/a,,b/console.log,append=on');
    // Not an option list.
    expect(joined()).toContain('-pidfile /machines/a,b/pid ');
  });

  test('let a kernel that panics boot again, as on EC2', () => {
    expect(joined()).toContain('panic=-1');
    expect(joined()).not.toContain('-no-reboot');
  });
});

describe('the control socket of QEMU', () => {
  let directory: string;
  let socketFile: string;
  let server: Server;
  const sockets = new Set<Socket>();
  const heard: string[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-qmp-'));
    heard.length = 0;
    // Longer than the address of a Unix socket may be.
    const deep = path.join(directory, 'd'.repeat(120));
    await mkdir(deep);
    socketFile = path.join(deep, 'qmp');
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });

  /** A QEMU that answers each command with what `answer` makes of it. */
  function listen(answer: (command: string) => object): Promise<void> {
    return listenAs((socket) => {
      socket.write('{"QMP": {"version": {}, "capabilities": []}}\n');
      socket.resume().on('data', (data) => {
        const { execute } = JSON.parse(data.toString()) as { execute: string };
        heard.push(execute);
        socket.write(`{"event": "POWERDOWN"}\n${JSON.stringify(answer(execute))}\n`);
      });
    });
  }

  async function listenAs(serve: (socket: Socket) => void): Promise<void> {
    server = createServer({ pauseOnConnect: true }, (socket) => {
      sockets.add(socket);
      serve(socket);
    });
    const cwd = process.cwd();
    process.chdir(path.dirname(socketFile));
    await new Promise<void>((resolve) => server.listen('qmp', resolve));
    process.chdir(cwd);
  }

  const linux = process.platform === 'linux' ? test : test.skip;

  linux('is spoken to as it wants, at a path of any length', async () => {
    await listen(() => ({ return: {} }));
    expect(await qmp(socketFile, 'system_powerdown')).toBe(true);
    expect(heard).toEqual(['qmp_capabilities', 'system_powerdown']);
  });

  linux('fails with what QEMU says against a command', async () => {
    await listen((command) => (command === 'system_reset' ? { error: { class: 'GenericError', desc: 'not now' } } : { return: {} }));
    await expect(qmp(socketFile, 'system_reset')).rejects.toMatchObject({
      code: 'E_LOCAL_CLOUD',
      message: expect.stringContaining('system_reset: not now') as string,
    });
  });

  linux('takes one that dies while it is spoken to for off', async () => {
    await listenAs((socket) => {
      socket.write('{"QMP": {"version": {}, "capabilities": []}}\n');
      // What it was told stays unread, for the server hands connections on paused: so the other side's is reset, not closed.
      setTimeout(() => socket.destroy(), 50);
    });
    expect(await qmp(socketFile, 'system_powerdown')).toBe(false);
  });

  linux('tells that nobody listens', async () => {
    await listen(() => ({ return: {} }));
    expect(await qmp(path.join(directory, 'nothing'), 'system_powerdown')).toBe(false);
    expect(await qmp(path.join(directory, 'no-directory', 'qmp'), 'system_powerdown')).toBe(false);
  });
});
