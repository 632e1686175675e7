import { pythonTest } from '../capture/package-fixtures';
import { PythonProject } from './python-project';

let project: PythonProject;

beforeAll(async () => {
  project = await PythonProject.open();
});

afterAll(() => project.close());

pythonTest('the second run restores what the first has built, and asks no registry', async () => {
  const command = ['python', '-c', 'import one, two; print(one.VERSION, two.VERSION)'];
  const first = await project.rawcloud(['run', '--', ...command]);
  expect(first).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
  expect(project.installed()).toHaveLength(2);
  const gets = project.house.calls('GetObject');
  const second = await project.rawcloud(['run', '--', ...command]);
  expect(second).toMatchObject({ code: 0, stdout: Buffer.from('1.0 1.0\n') });
  expect(second.stderr).toMatch(/environment restored from cache \(2 packages, \d+ B\)/);
  expect(project.installed()).toHaveLength(2);
  expect(project.house.calls('GetObject')).toBeGreaterThan(gets);
  const third = await project.rawcloud(['run', '--no-cache', '--', ...command]);
  expect(third.stderr).not.toContain('restored from cache');
  expect(project.installed()).toHaveLength(4);
  await project.house.allGone();
});

test('env build fails before any launch where there is nothing to build', async () => {
  const launches = project.house.calls('RunInstances');
  const ended = await project.house.rawcloud(['env', 'build', '--', 'true']);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain("there is no environment to build: 'true' needs neither Python nor Node packages");
  expect(project.house.calls('RunInstances')).toBe(launches);
});

/** Setups are for root alone: where the machines of the local cloud are processes of somebody else, that is said. */
const isRoot = process.getuid?.() === 0;

describe('a setup', () => {
  test('is run as root on the VM before the command, and told in the log of the environment', async () => {
    await project.house.write({ 'setup.sh': 'echo "from the script in $PWD as $(id -u)"; echo script >> made.txt\n' });
    const setup = [
      '--setup-script',
      'setup.sh',
      '--setup',
      'echo one >> made.txt',
      '--setup',
      'echo "$TOKEN" >> made.txt; echo "got $TOKEN"',
    ];
    const ended = await project.house.rawcloud([
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
    const log = (await project.house.rawcloud(['logs', '--environment', 'set-up'])).stdout.toString();
    expect(log).toMatch(/^from the script in .*tree as 0$/m);
    expect(log).toMatch(/^got \*\*\*$/m);
    expect(log).not.toContain('a-secret-of-mine');
    await project.house.allGone();
  });
});
