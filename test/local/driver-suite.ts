import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { InstanceDriver, Machine, MachineSpec } from '../../lib/contract';
import { lineOf } from '../fakes/local-cloud';
import { processesWith } from '../setup/processes';
import { until } from './until';

export interface DriverOptions {
  readonly imageDir?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Started {
  readonly machine: Machine;
  readonly spec: MachineSpec;
  readonly driver: InstanceDriver;
  readonly file: (name: string) => string;
  readonly line: (name: string) => Promise<string>;
}

/** Machines of one driver for the tests of a file, each gone with what it started after its test. */
export class Machines {
  directory = '';
  #count = 0;
  readonly #machines: Machine[] = [];
  readonly #drivers: InstanceDriver[] = [];

  constructor(readonly create: (options?: DriverOptions) => InstanceDriver) {
    beforeEach(async () => {
      this.directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-driver-'));
    });
    afterEach(async () => {
      for (const machine of this.#machines.splice(0)) await machine.kill();
      for (const driver of this.#drivers.splice(0)) await driver.close?.();
      const left = this.processes();
      await rm(this.directory, { recursive: true });
      expect(left).toEqual([]);
    });
  }

  /** @param userData a script without its first line, or bytes as they are */
  async start(
    userData: string | Uint8Array,
    { spec: changes = {}, ...options }: DriverOptions & { spec?: Partial<MachineSpec> } = {},
  ): Promise<Started> {
    const id = `i-${String(++this.#count).padStart(17, '0')}`;
    const root = path.join(this.directory, "it's a root", id);
    const data = typeof userData === 'string' ? Buffer.from(`#!/bin/bash\n${userData}\n`) : userData;
    const spec = { id, root, userData: data, imdsUrl: 'http://127.0.0.1:1', endpointUrl: 'http://127.0.0.1:2', ...changes };
    const driver = this.driver(options);
    const machine = this.own(await driver.start(spec));
    const file = (name: string): string => path.join(root, name);
    return { machine, spec, driver, file, line: (name) => lineOf(file(name), this.directory) };
  }

  /** Another process's driver, as it were: the machine is let go of and found again. */
  async adopt({ spec, driver }: Pick<Started, 'spec' | 'driver'>, changes: Partial<MachineSpec> = {}): Promise<Machine> {
    await driver.close?.();
    const adopted = await this.driver().adopt({ ...spec, ...changes });
    if (!adopted) throw new Error(`${spec.id} was not found again`);
    return this.own(adopted);
  }

  driver(options: DriverOptions = {}): InstanceDriver {
    const driver = this.create(options);
    this.#drivers.push(driver);
    return driver;
  }

  /** Killed at the end. */
  own(machine: Machine): Machine {
    this.#machines.push(machine);
    return machine;
  }

  /** Living processes that carry the path of a machine, or of all, in environment or arguments. */
  processes(text = `${this.directory}/it's a root`): string[] {
    return processesWith(text).map(({ pid, command, traces }) => `${pid} ${command}\0${traces}`);
  }
}

export async function consoleText(machine: Machine): Promise<string> {
  return Buffer.from(await machine.consoleOutput()).toString();
}

/** Programs that try to get away, each with `mark` in its arguments; goes on when all are up. */
export function runaways(mark: string): string {
  return `
  (setsid env -i HOME="$HOME" PATH="$PATH" bash -c 'echo $$ >daemon; while :; do sleep 100; done' ${mark}-daemon &)
  (setsid env -i PATH="$PATH" bash -c 'echo $$ >session; setsid sleep 1000; true' ${mark}-session & wait) &
  bash -c 'trap "" TERM; echo $$ >deaf; while :; do sleep 100; done' ${mark}-deaf &
  bash -c 'echo $$ >stopped; kill -STOP $$; sleep 1000' ${mark}-stopped &
  until [ -s daemon ] && [ -s session ] && [ -s deaf ] && [ -s stopped ]; do sleep 0.01; done`;
}

const RUNAWAYS = 4;

/** What the port promises of every machine that is made of processes. */
export function keepsTheDriverContract(machines: Machines): void {
  const start: Machines['start'] = (...args) => machines.start(...args);
  const newMark = (): string => `runaway-of-${path.basename(machines.directory)}`;

  test.each(['poweroff', 'halt', 'shutdown now', 'shutdown -h +0', 'poweroff -ff'])('%s ends the machine', async (command) => {
    const { machine } = await start(`${command}; sleep 1000`);
    expect(await machine.exited).toBe('poweroff');
  });

  test('user data speaks on the console, and its end does not end the machine', async () => {
    const { machine, line } = await start('echo hello; echo oops >&2; (sleep 0.01; echo later >later) & exit 3');
    expect(await line('later')).toBe('later');
    expect(await consoleText(machine)).toBe('hello\noops\nlocal cloud: user data ended with exit code 3\n');
    await machine.powerOff(1000);
    expect(await machine.exited).toBe('poweroff');
  });

  test('power-off ends every process, whatever it did to get away', async () => {
    const mark = newMark();
    const { machine, line } = await start(`${runaways(mark)}; echo up >up; sleep 1000`);
    await line('up');
    expect(machines.processes(mark)).toHaveLength(RUNAWAYS);
    await machine.powerOff(300);
    expect(await machine.exited).toBe('poweroff');
    expect(machines.processes(mark)).toEqual([]);
  });

  test('a killed machine gets nothing more to run', async () => {
    const mark = newMark();
    const { machine, line, file } = await start(`trap 'echo farewell >farewell' TERM EXIT; ${runaways(mark)}; echo up >up; sleep 1000`);
    await line('up');
    await machine.kill();
    expect(await machine.exited).toBe('killed');
    expect(machines.processes(mark)).toEqual([]);
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

  test('a machine whose init is killed has crashed, and nothing of it is left', async () => {
    const mark = newMark();
    const { machine, line, file } = await start(`${runaways(mark)}; echo up >up; sleep 1000`);
    await line('up');
    process.kill(Number(await readFile(file('.machine/pid'), 'utf8')), 'SIGKILL');
    expect(await machine.exited).toBe('crashed');
    expect([...machines.processes(), ...machines.processes(mark)]).toEqual([]);
  });

  test('units run at every boot, user data at the first only; a reboot forgets wishes from before', async () => {
    const unit = `printf '#!/bin/bash\\necho unit >>"$PLACE/units"\\necho "unit $(wc -l <"$PLACE/units")"\\n' | sed "s|\\$PLACE|$PWD|g" >etc/rc.d/unit; chmod +x etc/rc.d/unit`;
    const { machine, line, spec, driver } = await start(
      `trap 'poweroff; exit' TERM; ${unit}; echo run >>runs; echo up >up; while :; do sleep 0.01; done`,
    );
    await line('up');
    await machine.reboot();
    await line('units');
    await machine.powerOff(1000);
    const again = machines.own(await driver.start(spec));
    await until('the unit runs again', async () => (await consoleText(again)).includes('unit'));
    expect(await line('runs')).toBe('run');
    await again.powerOff(1000);
    expect(await again.exited).toBe('poweroff');
  });

  test.each(['powerOff', 'kill'] as const)('an adopted machine ends by %s, and tells its end', async (end) => {
    const started = await start('echo up >up; sleep 1000');
    await started.line('up');
    const adopted = await machines.adopt(started);
    await (end === 'kill' ? adopted.kill() : adopted.powerOff(1000));
    expect(await adopted.exited).toBe(end === 'kill' ? 'killed' : 'poweroff');
  });

  test('an adopted machine that powers itself off is seen to do so', async () => {
    const started = await start('echo up >up; until [ -e go ]; do sleep 0.01; done; poweroff');
    await started.line('up');
    const adopted = await machines.adopt(started);
    await writeFile(started.file('go'), '');
    expect(await adopted.exited).toBe('poweroff');
    expect(await (await machines.adopt(started)).exited).toBe('poweroff');
  });

  test('there is nothing to adopt where no machine ever was', async () => {
    const root = path.join(machines.directory, 'none');
    expect(await machines.driver().adopt({ id: 'i-1', root, userData: Buffer.of(), imdsUrl: '', endpointUrl: '' })).toBeUndefined();
  });

  test('gzipped user data runs; what is no script does not', async () => {
    const zipped = await start(gzipSync('#!/bin/bash\necho zipped >out\n'));
    expect(await zipped.line('out')).toBe('zipped');
    const { machine } = await start(Buffer.from('#cloud-config\n'));
    await until('the console says so', async () => (await consoleText(machine)).includes('is not run'));
  });

  test('what the image ships is there; what a machine adds stays its own', async () => {
    const imageDir = path.join(machines.directory, 'image');
    await mkdir(path.join(imageDir, 'opt/rawcloud/node/abc/bin'), { recursive: true });
    await writeFile(path.join(imageDir, 'opt/rawcloud/node/abc/bin/node'), '#!/bin/bash\necho shipped\n', { mode: 0o755 });
    const { line } = await start(
      '"$PWD/opt/rawcloud/node/abc/bin/node" >ran; mkdir -p opt/rawcloud/node/def; touch opt/rawcloud/node/abc/mine; echo ok >ok',
      { imageDir },
    );
    await line('ok');
    expect(await line('ran')).toBe('shipped');
    expect(execFileSync('ls', ['-R', imageDir], { encoding: 'utf8' })).not.toMatch(/def|mine/);
  });
}
