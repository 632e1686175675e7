import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { InstanceDriver, Machine, MachineSpec } from '../../lib/contract';
import { createProcessDriver } from '../../lib/local/drivers/process';
import { lineOf } from '../fakes/local-cloud';
import { until } from './until';

let directory: string;
let count = 0;
const started: Machine[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-driver-'));
});

afterEach(async () => {
  for (const machine of started.splice(0)) await machine.kill();
  const left = processesOf(directory);
  await rm(directory, { recursive: true });
  expect(left).toEqual([]);
});

interface Started {
  readonly machine: Machine;
  readonly spec: MachineSpec;
  readonly driver: InstanceDriver;
  readonly file: (name: string) => string;
  readonly line: (name: string) => Promise<string>;
}

async function start(userData: string | Uint8Array, options: Parameters<typeof createProcessDriver>[0] = {}): Promise<Started> {
  const id = `i-${String(++count).padStart(17, '0')}`;
  const root = path.join(directory, "it's a root", id);
  const data = typeof userData === 'string' ? Buffer.from(`#!/bin/bash\n${userData}\n`) : userData;
  const spec: MachineSpec = { id, root, userData: data, imdsUrl: 'http://127.0.0.1:1', endpointUrl: 'http://127.0.0.1:2' };
  const driver = createProcessDriver(options);
  const machine = await driver.start(spec);
  started.push(machine);
  const file = (name: string): string => path.join(root, name);
  return { machine, spec, driver, file, line: (name) => lineOf(file(name), directory) };
}

async function consoleText(machine: Machine): Promise<string> {
  return Buffer.from(await machine.consoleOutput()).toString();
}

/** Living processes that carry the text in their environment or arguments. */
function processesOf(text: string): string[] {
  const lines = execFileSync('ps', ['axeww', '-o', 'pid=,stat=,command='], { encoding: 'utf8', maxBuffer: 256 << 20 }).split('\n');
  return lines.filter((line) => line.includes(`${text}/it's a root`) && !/^\s*\d+\s+Z/.test(line));
}

function isAlive(pid: string): boolean {
  try {
    return !/^Z/.test(execFileSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }));
  } catch {
    return false;
  }
}

/** Processes that try to get away: each writes its number to `<name>` and is worth waiting for. */
const RUNAWAYS = `
  (setsid env -i HOME="$HOME" PATH="$PATH" bash -c 'echo $$ >daemon; while :; do sleep 100; done' &)
  (setsid env -i PATH="$PATH" bash -c 'echo $$ >session; setsid sleep 1000; true' & wait) &
  bash -c 'trap "" TERM; echo $$ >deaf; while :; do sleep 100; done' &
  (exec -a quiet bash -c 'echo $$ >stopped; kill -STOP $$; sleep 1000') &
  until [ -s daemon ] && [ -s session ] && [ -s deaf ] && [ -s stopped ]; do sleep 0.01; done`;
const NAMES = ['daemon', 'session', 'deaf', 'stopped'];

test('user data runs in a fresh environment, its output on the console, and its end does not end the machine', async () => {
  const env = {
    PATH: '/venv/bin:/venv2/bin:/usr/bin:/bin:relative:/x/node_modules/.bin',
    VIRTUAL_ENV: '/venv',
    AWS_SECRET_ACCESS_KEY: 'x',
    HTTPS_PROXY: 'http://proxy:1',
    NO_PROXY: 'intern',
    SSL_CERT_FILE: '/ca.pem',
  };
  const { machine, spec, file, line } = await start(
    'env | sort >env; echo hello; echo oops >&2; (sleep 0.01; echo later >later) & exit 3',
    { env },
  );
  expect(await line('later')).toBe('later');
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
  expect(await consoleText(machine)).toBe('hello\noops\nlocal cloud: user data ended with exit code 3\n');
  await machine.powerOff(1000);
  expect(await machine.exited).toBe('poweroff');
});

test.each(['poweroff', 'halt', 'shutdown now', 'shutdown -h +0', 'poweroff -ff'])('%s ends the machine', async (command) => {
  const { machine } = await start(`${command}; sleep 1000`);
  expect(await machine.exited).toBe('poweroff');
});

test('a shutdown that is planned can be called off', async () => {
  const { machine, line, file } = await start('shutdown -h +1; cp .machine/shutdown.pid planned; shutdown -c; echo ok >ok; sleep 1000');
  await line('ok');
  expect(isAlive((await readFile(file('planned'), 'utf8')).trim())).toBe(false);
  await machine.kill();
});

test('power-off ends every process, whatever it did to get away', async () => {
  const { machine, line } = await start(`${RUNAWAYS}; echo up >up; sleep 1000`);
  await line('up');
  const pids = await Promise.all(NAMES.map(line));
  expect(pids.map(isAlive)).toEqual([true, true, true, true]);
  await machine.powerOff(300);
  expect(await machine.exited).toBe('poweroff');
  expect(pids.map(isAlive)).toEqual([false, false, false, false]);
});

test('a killed machine gets nothing more to run', async () => {
  const { machine, line, file } = await start(`trap 'echo farewell >farewell' TERM EXIT; ${RUNAWAYS}; echo up >up; sleep 1000`);
  await line('up');
  const pids = await Promise.all(NAMES.map(line));
  await machine.kill();
  expect(await machine.exited).toBe('killed');
  expect(pids.map(isAlive)).toEqual([false, false, false, false]);
  await expect(readFile(file('farewell'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('programs get their time to end, and no more', async () => {
  const { machine, line } = await start(
    `bash -c 'trap "sleep 0.1; echo done >done; exit" TERM; echo up >up; while :; do sleep 0.01; done' & wait`,
  );
  await line('up');
  await machine.powerOff(5000);
  expect(await line('done')).toBe('done');
});

test('what runs beside the machine is left alone, even with its HOME', async () => {
  const { machine, spec, line } = await start('echo up >up; sleep 1000');
  await line('up');
  const neighbour = await start('echo up >up; sleep 1000');
  await neighbour.line('up');
  // Somebody of this terminal, with the machine's HOME: ends. Its siblings and this process do not.
  const other = execFileSync(
    '/bin/bash',
    ['-c', `HOME='${spec.root.replaceAll("'", "'\\''")}/root' sleep 1000 >/dev/null 2>&1 & sleep 1000 >/dev/null 2>&1 & echo $!`],
    {
      encoding: 'utf8',
    },
  ).trim();
  await machine.kill();
  expect(isAlive(other)).toBe(true);
  process.kill(Number(other), 'SIGKILL');
  expect(processesOf(directory).some((l) => l.includes(neighbour.spec.id))).toBe(true);
});

test('a machine whose init is killed has crashed, and nothing of it is left', async () => {
  const { machine, line, file } = await start(`${RUNAWAYS}; echo up >up; sleep 1000`);
  await line('up');
  process.kill(Number(await readFile(file('.machine/pid'), 'utf8')), 'SIGKILL');
  expect(await machine.exited).toBe('crashed');
  expect(processesOf(directory)).toEqual([]);
});

test('units run at every boot, user data at the first only; a reboot forgets wishes from before', async () => {
  const unit = `printf '#!/bin/bash\\necho unit >>"$RAWCLOUD_ROOT/units"\\necho "unit $(wc -l <"$RAWCLOUD_ROOT/units")"\\n' >etc/rc.d/unit; chmod +x etc/rc.d/unit`;
  const { machine, line, spec, driver } = await start(
    `trap 'poweroff; exit' TERM; ${unit}; echo run >>runs; echo up >up; while :; do sleep 0.01; done`,
  );
  await line('up');
  await machine.reboot();
  await line('units');
  await machine.powerOff(1000);
  const again = await driver.start(spec);
  started.push(again);
  await until('the unit runs again', async () => (await consoleText(again)).includes('unit'));
  expect(await line('runs')).toBe('run');
  await again.powerOff(1000);
  expect(await again.exited).toBe('poweroff');
});

test('an adopted machine can be powered off and killed, and tells its end', async () => {
  for (const end of ['powerOff', 'kill'] as const) {
    const { spec, line } = await start('echo up >up; sleep 1000');
    await line('up');
    const adopted = (await createProcessDriver().adopt(spec))!;
    await (end === 'kill' ? adopted.kill() : adopted.powerOff(1000));
    expect(await adopted.exited).toBe(end === 'kill' ? 'killed' : 'poweroff');
  }
});

test('an adopted machine that powers itself off is seen to do so', async () => {
  const { spec, line, file } = await start('echo up >up; until [ -e go ]; do sleep 0.01; done; poweroff');
  await line('up');
  const adopted = (await createProcessDriver().adopt(spec))!;
  await writeFile(file('go'), '');
  expect(await adopted.exited).toBe('poweroff');
  expect(await (await createProcessDriver().adopt(spec))!.exited).toBe('poweroff');
});

test('there is nothing to adopt where no machine ever was', async () => {
  const spec: MachineSpec = { id: 'i-1', root: path.join(directory, 'none'), userData: Buffer.of(), imdsUrl: '', endpointUrl: '' };
  expect(await createProcessDriver().adopt(spec)).toBeUndefined();
});

test('gzipped user data runs; what is no script does not', async () => {
  const zipped = await start(gzipSync('#!/bin/bash\necho zipped >out\n'));
  expect(await zipped.line('out')).toBe('zipped');
  const { machine } = await start(Buffer.from('#cloud-config\n'));
  await until('the console says so', async () => (await consoleText(machine)).includes('is not run'));
});

test('what the image ships is there; what a machine adds stays its own', async () => {
  const imageDir = path.join(directory, 'image');
  await mkdir(path.join(imageDir, 'opt/rawcloud/node/abc/bin'), { recursive: true });
  await writeFile(path.join(imageDir, 'opt/rawcloud/node/abc/bin/node'), '#!/bin/bash\necho shipped\n', { mode: 0o755 });
  const { line } = await start(
    '"$RAWCLOUD_ROOT/opt/rawcloud/node/abc/bin/node" >ran; mkdir -p opt/rawcloud/node/def; touch opt/rawcloud/node/abc/mine; echo ok >ok',
    { imageDir },
  );
  await line('ok');
  expect(await line('ran')).toBe('shipped');
  expect(execFileSync('ls', ['-R', imageDir], { encoding: 'utf8' })).not.toMatch(/def|mine/);
});
