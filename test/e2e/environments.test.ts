import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { python3, pythonTest, writeVenv } from '../capture/package-fixtures';
import { Wheels } from '../agent/wheels';
import { House } from './house';
import type { Ended } from './house';

let house: House;
let wheels: Wheels;
const before = process.env['PATH'];

beforeAll(async () => {
  const bin = path.join(process.env['TMPDIR']!, 'wheels');
  wheels = new Wheels(bin);
  // The machines of the local cloud have the PATH of this process.
  process.env['PATH'] = [wheels.bin, before].join(':');
  house = await House.open();
  const packages = ['one', 'two'].map((name) => ({ name, version: '1.0' }));
  for (const { name, version } of packages) wheels.add(name, version);
  writeVenv(path.join(house.project, '.venv'), packages, python3?.minor);
});

afterAll(async () => {
  process.env['PATH'] = before;
  expect(house.alive()).toEqual([]);
  await house.close();
  rmSync(wheels.directory, { recursive: true });
});

const run = (words: readonly string[]): Promise<Ended> =>
  house.rawcloud(['run', ...words], { env: { VIRTUAL_ENV: path.join(house.project, '.venv') } });

pythonTest('the second run restores what the first has built, and asks no registry', async () => {
  const command = ['python', '-c', 'import one, two; print(one.VERSION, two.VERSION)'];
  const installed = (): number =>
    readFileSync(wheels.log, 'utf8')
      .split('\n')
      .filter((line) => /^(one|two)=/.test(line)).length;
  const first = await run(['--', ...command]);
  expect(first).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
  expect(installed()).toBe(2);
  const gets = house.calls('GetObject');
  const second = await run(['--', ...command]);
  expect(second).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
  expect(second.stderr).toMatch(/environment restored from cache \(2 packages, \d+ B\)/);
  expect(installed()).toBe(2);
  expect(house.calls('GetObject')).toBeGreaterThan(gets);
  const third = await run(['--no-cache', '--', ...command]);
  expect(third.stderr).not.toContain('restored from cache');
  expect(installed()).toBe(4);
  await house.allGone();
});

pythonTest('one that was built ahead is restored by the first run; it is listed, and once deleted it is built anew', async () => {
  wheels.add('three', '1.0');
  await house.write({ 'in.txt': 'in' });
  const venv = path.join(house.project, '.other');
  writeVenv(venv, [{ name: 'three', version: '1.0' }], python3?.minor);
  const env = { VIRTUAL_ENV: venv };
  const command = ['--', 'python', '-c', 'import three; print(three.VERSION)'];
  const installed = (): number =>
    readFileSync(wheels.log, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('three')).length;
  const built = await house.rawcloud(['env', 'build', '--name', 'ahead', ...command], { env });
  expect(built).toMatchObject({ code: 0, stdout: Buffer.from('') });
  expect(built.stderr).toContain('the job itself runs nothing but true');
  const [, id] = /^([0-9a-f]{10}) +python +linux-/m.exec(built.stderr) ?? [];
  expect((await house.rawcloud(['status', 'ahead', '--json'])).stdout.toString()).toContain('"argv":["true"]');
  expect(installed()).toBe(1);
  const run = await house.rawcloud(['run', ...command], { env });
  expect(run).toMatchObject({ code: 0, stdout: Buffer.from('1.0\n') });
  expect(run.stderr).toContain('environment restored from cache (1 package,');
  expect(installed()).toBe(1);

  type Kept = { id: string; kind: string; isYours: boolean; isHere: boolean };
  const list = async (): Promise<readonly Kept[]> => (await house.value<{ environments: Kept[] }>(['env', 'list'])).environments;
  expect(await list()).toContainEqual(expect.objectContaining({ id, kind: 'python', isYours: true, isHere: true }));
  const gone = await house.rawcloud(['env', 'delete', id!, '--yes']);
  expect(gone.stdout.toString()).toMatch(new RegExp(`^Deleted 1 environment \\(${id}\\): .* freed$`, 'm'));
  expect((await list()).map((one) => one.id)).not.toContain(id);
  const anew = await house.rawcloud(['run', ...command], { env });
  expect(anew).toMatchObject({ code: 0, stdout: Buffer.from('1.0\n') });
  expect(installed()).toBe(2);
  await house.allGone();
});

test('env build fails before any launch where there is nothing to build', async () => {
  const launches = house.calls('RunInstances');
  const ended = await house.rawcloud(['env', 'build', '--', 'true']);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain("there is no environment to build: 'true' needs neither Python nor Node packages");
  expect(house.calls('RunInstances')).toBe(launches);
});

pythonTest('what keys of environments are made with is in no output, log or record but the sealed ones', async () => {
  const ended = await run(['--json', '--', 'python', '-c', 'import one']);
  const files = await house.everything();
  const sealed = files.find(({ content }) => content.toString().includes('"secret":"'));
  const secret = /"secret":"([0-9a-f]{64})"/.exec(sealed!.content.toString())![1]!;
  expect(ended.stdout.toString() + ended.stderr).not.toContain(secret);
  await house.allGone();
  const holders = (await house.everything()).filter(({ content }) => content.includes(secret)).map(({ name }) => name);
  expect(holders.length).toBe(1);
});

/** Setups are for root alone: where the machines of the local cloud are processes of somebody else, that is said. */
const isRoot = process.getuid?.() === 0;

describe('a setup', () => {
  test('is run as root on the VM before the command, and told in the log of the environment', async () => {
    await house.write({ 'setup.sh': 'echo "from the script in $PWD as $(id -u)"; echo script >> made.txt\n' });
    const setup = [
      '--setup-script',
      'setup.sh',
      '--setup',
      'echo one >> made.txt',
      '--setup',
      'echo "$TOKEN" >> made.txt; echo "got $TOKEN"',
    ];
    const ended = await house.rawcloud([
      'run',
      '--name',
      'set-up',
      '--secret-env',
      'TOKEN=a-secret-of-mine',
      ...setup,
      '--',
      'cat',
      'made.txt',
    ]);
    if (!isRoot) {
      expect(ended.stderr).toMatch(/a setup runs as root, but this VM of the local cloud is a process of \S+: nothing of it was run/);
      expect(ended.code).toBe(119);
      return;
    }
    expect(ended).toMatchObject({ code: 0, stdout: Buffer.from('script\none\na-secret-of-mine\n') });
    expect(ended.stderr).toContain('the setup was run as root on your machine itself');
    const log = (await house.rawcloud(['logs', '--environment', 'set-up'])).stdout.toString();
    expect(log).toMatch(/^from the script in .*tree as 0$/m);
    expect(log).toMatch(/^got \*\*\*$/m);
    expect(log).not.toContain('a-secret-of-mine');
    await house.allGone();
  });

  test('fails the job before its command starts when one of its commands fails', async () => {
    const setup = ['--setup', 'echo fine', '--setup', 'echo "no package gdal" >&2; exit 3', '--setup', 'touch never'];
    const plan = await house.rawcloud(['run', '--dry-run', ...setup, 'echo', 'started']);
    expect(plan.stdout.toString()).toMatch(/^setup +as root: echo fine; echo "no package gdal"/m);
    const ended = await house.rawcloud(['run', ...setup, '--', 'echo', 'started']);
    expect(ended.code).toBe(119);
    expect(ended.stdout.toString()).toBe('');
    if (isRoot) expect(ended.stderr).toMatch(/the setup command 'echo "no package gdal" >&2; exit 3' exited with 3: no package gdal/);
    else expect(ended.stderr).toContain('a setup runs as root');
    await house.allGone();
  });
});
