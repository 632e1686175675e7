import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createProcessDriver } from '../../lib/local/drivers/process';
import { isAlive } from '../setup/processes';
import { keepsTheDriverContract, Machines } from './driver-suite';

const machines = new Machines(createProcessDriver);

describe('a process machine', () => keepsTheDriverContract(machines));

test('user data runs in a fresh environment', async () => {
  const env = {
    PATH: '/venv/bin:/venv2/bin:/usr/bin:/bin:relative:/x/node_modules/.bin',
    VIRTUAL_ENV: '/venv',
    AWS_SECRET_ACCESS_KEY: 'x',
    HTTPS_PROXY: 'http://proxy:1',
    NO_PROXY: 'intern',
    SSL_CERT_FILE: '/ca.pem',
  };
  const { spec, file, line } = await machines.start('env | sort >env; echo up >up', { env });
  await line('up');
  const seen = (await readFile(file('env'), 'utf8'))
    .trim()
    .split('\n')
    .filter((l) => !/^(_|SHLVL|PWD|OLDPWD)=/.test(l));
  expect(seen).toEqual([
    'AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1',
    'AWS_ENDPOINT_URL=http://127.0.0.1:2',
    `HOME=${spec.root}/root`,
    'HTTPS_PROXY=http://proxy:1',
    'LANG=C.UTF-8',
    'NO_PROXY=intern,127.0.0.1,localhost,::1',
    `PATH=${spec.root}/sbin:/venv2/bin:/usr/bin:/bin`,
    `RAWCLOUD_MACHINE=${spec.id}`,
    `RAWCLOUD_ROOT=${spec.root}`,
    'SSL_CERT_FILE=/ca.pem',
    'no_proxy=intern,127.0.0.1,localhost,::1',
  ]);
});

test('a shutdown that is planned can be called off', async () => {
  const { line, file } = await machines.start('shutdown -h +1; cp .machine/shutdown.pid planned; shutdown -c; echo ok >ok; sleep 1000');
  await line('ok');
  expect(isAlive(Number(await readFile(file('planned'), 'utf8')))).toBe(false);
});

test('what runs beside the machine is left alone, even with its HOME', async () => {
  const { machine, spec, line } = await machines.start('echo up >up; sleep 1000');
  await line('up');
  const neighbour = await machines.start('echo up >up; sleep 1000');
  await neighbour.line('up');
  // Somebody of this terminal, with the machine's HOME: ends. Its siblings and this process do not.
  const script = `HOME='${spec.root.replaceAll("'", "'\\''")}/root' sleep 1000 >/dev/null 2>&1 & sleep 1000 >/dev/null 2>&1 & echo $!`;
  const other = execFileSync('/bin/bash', ['-c', script], { encoding: 'utf8' }).trim();
  await machine.kill();
  expect(isAlive(Number(other))).toBe(true);
  process.kill(Number(other), 'SIGKILL');
  expect(machines.processes().some((l) => l.includes(neighbour.spec.id))).toBe(true);
});
