import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createNamespaceDriver } from '../../lib/local/drivers/namespace';
import { keepsTheDriverContract, Machines, runaways } from './driver-suite';
import { namespaces } from './namespaces';

const machines = new Machines(createNamespaceDriver);

namespaces.describe('a namespace machine', () => {
  keepsTheDriverContract(machines);

  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer((request, response) => response.end(`${request.headers.host} ${request.url}\n`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const startOnline = (script: string, adds: object = {}) =>
    machines.start(`${script}\necho up >up; sleep 1000`, { spec: { imdsUrl: url, endpointUrl: url, privateIp: '172.31.4.5', ...adds } });

  test('finds the metadata service at its address on EC2, and the endpoint at the host’s', async () => {
    const { line } = await startOnline(
      'curl -sS http://169.254.169.254/latest >imds; curl -sS "$AWS_ENDPOINT_URL/bucket" >endpoint; hostname >name; ip -4 -o address >own',
    );
    await line('up');
    expect(await line('imds')).toBe('169.254.169.254 /latest');
    expect(await line('endpoint')).toBe(`${url.slice('http://'.length)} /bucket`);
    expect(await line('name')).toBe('ip-172-31-4-5');
    expect(await line('own')).toContain('172.31.4.5/32');
  });

  test('finds both again when another process has adopted it, on other ports', async () => {
    const started = await startOnline(
      'until [ -e go ]; do sleep 0.01; done; curl -sS http://169.254.169.254/x >imds; curl -sS "$AWS_ENDPOINT_URL/x" >endpoint',
      { imdsUrl: 'http://127.0.0.1:1', endpointUrl: 'http://127.0.0.1:2' },
    );
    await machines.adopt(started, { imdsUrl: url, endpointUrl: url });
    await writeFile(started.file('go'), '');
    expect(await started.line('imds')).toBe('169.254.169.254 /x');
    expect(await started.line('endpoint')).toBe('127.0.0.1:2 /x');
  });

  test('reaches a proxy of the developer, on the loopback of the host, too', async () => {
    const env = { http_proxy: url, no_proxy: 'intern' };
    const { line } = await machines.start('curl -sS http://registry.test/x >page; curl -sS http://169.254.169.254/y >imds', {
      env,
      spec: { imdsUrl: url, endpointUrl: url },
    });
    expect(await line('page')).toBe('registry.test http://registry.test/x');
    expect(await line('imds')).toBe('169.254.169.254 /y');
  });

  test('does not reach the host’s own loopback, nor anybody where nothing is carried', async () => {
    const { line } = await startOnline(
      `for to in 127.0.0.1:1 127.0.0.1:80 0.0.0.0:443 169.254.169.1:80 192.0.2.1:5432; do
         curl -s -m 5 -o /dev/null "http://$to/" && echo "reached $to"; done >reached; echo end >>reached`,
    );
    expect(await line('reached')).toBe('end');
  });

  test('writes nothing outside its own directory, and sees neither the home nor the state of its host', async () => {
    const name = `rawcloud-${path.basename(machines.directory)}`;
    const { line } = await startOnline(
      `touch /etc/${name} /tmp/${name} /usr/bin/${name} /home/${name} "$HOME/${name}" && echo written >written
       ls -d '${machines.directory}' '${process.cwd()}' 2>/dev/null >seen; echo end >>seen; ls -A /home >homes`,
    );
    await line('up');
    expect(await line('written')).toBe('written');
    expect(await line('seen')).toBe('end');
    expect(await line('homes')).toBe(name);
    for (const place of ['/etc', '/tmp', '/usr/bin', '/home', os.homedir()]) expect(existsSync(path.join(place, name))).toBe(false);
  });

  test('sees its own processes alone', async () => {
    const { line, file } = await startOnline('ps -eo pid=,args= >processes');
    await line('up');
    const seen = (await readFile(file('processes'), 'utf8')).trim().split('\n');
    expect(seen[0]).toMatch(/^ *1 .*\/\.machine\/init main 0$/);
    expect(seen.length).toBeLessThanOrEqual(4);
  });

  test('has a kernel whose settings are not its own', async () => {
    const { line } = await startOnline(
      '(echo 1 >/proc/sys/kernel/sysrq) 2>/dev/null && echo set >set; (echo 0 >/proc/sys/vm/swappiness) 2>/dev/null && echo set >set; ls set 2>/dev/null >got; echo end >>got',
    );
    expect(await line('got')).toBe('end');
  });

  test('a daemon with a cleaned environment and a session of its own dies with its machine', async () => {
    const mark = `daemon-of-${path.basename(machines.directory)}`;
    const { machine, line } = await startOnline(runaways(mark));
    await line('up');
    const before = machines.processes(mark);
    await machine.kill();
    expect(before).toHaveLength(4);
    expect(machines.processes(mark)).toEqual([]);
  });

  namespaces.withUsers('a user is not root, and reads neither root’s files nor the metadata', async () => {
    const { line } = await startOnline(
      `useradd --system --user-group --no-create-home jobs && umask 077 && echo secret >/run/secret
       curl -sS http://169.254.169.254/x >as-root
       setpriv --reuid=jobs --regid=jobs --init-groups -- bash -c 'id -un; cat /run/secret /.machine/init; curl -s -m 5 http://169.254.169.254/x; poweroff' >as-user 2>/dev/null`,
    );
    await line('up');
    expect(await line('as-root')).toBe('169.254.169.254 /x');
    expect(await line('as-user')).toBe('jobs');
    expect(execFileSync('getent', ['passwd'], { encoding: 'utf8' })).not.toContain('jobs:');
  });

  test('what a machine left on its disk cannot lead the host astray at the next start', async () => {
    const outside = mkdtempSync(path.join(os.tmpdir(), 'rawcloud-outside-'));
    const { machine, spec, driver } = await startOnline(
      `rm -rf /etc/resolv.conf /var/lib/cloud; ln -s '${outside}/resolv' /etc/resolv.conf; ln -s '${outside}' /var/lib/cloud`,
    );
    await machine.powerOff(1000);
    machines.own(await driver.start(spec));
    expect(execFileSync('ls', ['-A', outside], { encoding: 'utf8' })).toBe('');
    rmSync(outside, { recursive: true });
  });
});
