import path from 'node:path';
import { python3, pythonTest, writeVenv } from '../capture/package-fixtures';
import { PythonProject } from './python-project';

let project: PythonProject;

beforeAll(async () => {
  project = await PythonProject.open();
});

afterAll(() => project.close());

pythonTest('one that was built ahead is restored by the first run; it is listed, and once deleted it is built anew', async () => {
  const { house, wheels } = project;
  wheels.add('three', '1.0');
  await house.write({ 'in.txt': 'in' });
  const venv = path.join(house.project, '.other');
  writeVenv(venv, [{ name: 'three', version: '1.0' }], python3?.minor);
  const env = { VIRTUAL_ENV: venv };
  const command = ['--', 'python', '-c', 'import three; print(three.VERSION)'];
  const installed = (): number => project.installed().filter((name) => name.startsWith('three')).length;
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

pythonTest('what keys of environments are made with is in no output, log or record but the sealed ones', async () => {
  const ended = await project.rawcloud(['run', '--json', '--', 'python', '-c', 'import one']);
  const files = await project.house.everything();
  const sealed = files.find(({ content }) => content.toString().includes('"secret":"'));
  const secret = /"secret":"([0-9a-f]{64})"/.exec(sealed!.content.toString())![1]!;
  expect(ended.stdout.toString() + ended.stderr).not.toContain(secret);
  await project.house.allGone();
  const holders = (await project.house.everything()).filter(({ content }) => content.includes(secret)).map(({ name }) => name);
  expect(holders.length).toBe(1);
});

/** Setups are for root alone: where the machines of the local cloud are processes of somebody else, that is said. */
const isRoot = process.getuid?.() === 0;

test('a setup fails the job before its command starts when one of its commands fails', async () => {
  const setup = ['--setup', 'echo fine', '--setup', 'echo "no package gdal" >&2; exit 3', '--setup', 'touch never'];
  const plan = await project.house.rawcloud(['run', '--dry-run', ...setup, 'echo', 'started']);
  expect(plan.stdout.toString()).toMatch(/^setup +as root: echo fine; echo "no package gdal"/m);
  const ended = await project.house.rawcloud(['run', ...setup, '--', 'echo', 'started']);
  expect(ended.code).toBe(119);
  expect(ended.stdout.toString()).toBe('');
  if (isRoot) expect(ended.stderr).toMatch(/the setup command 'echo "no package gdal" >&2; exit 3' exited with 3: no package gdal/);
  else expect(ended.stderr).toContain('a setup runs as root');
  await project.house.allGone();
});
