import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { python3, pythonTest, writeVenv } from '../capture/package-fixtures';
import { Wheels } from '../agent/wheels';
import { House } from './house';
import type { Ended } from './house';

let house: House;
let wheels: Wheels;
const before = process.env['PATH'];
const command = ['run', '--', 'python', '-c', 'import one, two; print(one.VERSION, two.VERSION)'];

beforeEach(async () => {
  wheels = new Wheels(path.join(process.env['TMPDIR']!, 'wheels'));
  // The machines of the local cloud have the PATH of this process.
  process.env['PATH'] = [wheels.bin, before].join(':');
  house = await House.open();
  const packages = ['one', 'two'].map((name) => ({ name, version: '1.0' }));
  for (const { name, version } of packages) wheels.add(name, version);
  writeVenv(path.join(house.project, '.venv'), packages, python3?.minor);
});

afterEach(async () => {
  process.env['PATH'] = before;
  wheels.letGo();
  await house.close();
  rmSync(wheels.directory, { recursive: true });
});

const options = (): { env: Record<string, string> } => ({ env: { VIRTUAL_ENV: path.join(house.project, '.venv') } });
const run = (): Promise<Ended> => house.rawcloud(command, options());
const installed = (): string[] => readFileSync(wheels.log, 'utf8').split('\n').filter(Boolean);

describe('an environment whose making is broken off', () => {
  pythonTest('by a killed agent while it is built, is built anew by the next VM, from nothing', async () => {
    wheels.hold();
    const running = house.start(command, options());
    while (installed().length === 0) await wait(50);
    house.killAgents();
    expect((await running.ended).code).toBe(123);
    wheels.letGo();
    const next = await run();
    expect(next).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
    expect(next.stderr).not.toContain('restored from cache');
    expect(installed()).toEqual(['one==1.0', 'one==1.0', 'two==1.0']);
    expect((await run()).stderr).toContain('environment restored from cache (2 packages,');
    await house.allGone();
  });

  pythonTest('by a bucket that fails while it is kept, is whole for the next VM or not there', async () => {
    house.cloud.faults.arm({
      operation: 'PutObject',
      resource: 'v1/environments/',
      count: 1000,
      effect: { kind: 'error', status: 403, code: 'AccessDenied' },
    });
    expect(await run()).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
    house.cloud.faults.clear();
    const next = await run();
    expect(next).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
    expect(next.stderr).not.toContain('restored from cache');
    expect(installed()).toHaveLength(4);
    expect((await run()).stderr).toContain('environment restored from cache (2 packages,');
    await house.allGone();
  });
});
