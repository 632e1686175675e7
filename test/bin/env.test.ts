import { rmSync } from 'node:fs';
import path from 'node:path';
import { problemsOf } from '../../bin/json/check';
import { createMemoryStore } from '../../lib/store/memory';
import { rememberRun } from '../../lib/runtime/environment/last-run';
import { capture } from '../../lib/runtime/run/capture';
import type { RunRequest } from '../../lib/runtime';
import { syncTree } from '../../lib/runtime/sync/sync';
import { scratch, write, writeDistribution, writeVenv } from '../capture/package-fixtures';
import { Cli, StillClock } from './cli';

let base: string;
let root: string;
let site: string;
let env: Record<string, string>;
const COMMAND = ['.venv/bin/python', 'a.py'];
const BUCKET = 'b-1';

beforeEach(() => {
  base = scratch();
  root = path.join(base, 'project');
  env = { HOME: base, PATH: '/nowhere', XDG_CACHE_HOME: path.join(base, 'cache'), AWS_PROFILE: 'team' };
  site = writeVenv(path.join(root, '.venv'), [
    { name: 'numpy', version: '2.1.0' },
    { name: 'mine', version: '0.1', directUrl: { url: 'https://example.com/mine-0.1.tar.gz', archive_info: {} } },
  ]);
  write(root, { 'a.py': 'print(1)\n', 'data/b.txt': 'b\n', 'data/c.txt': 'c\n' });
});

function cli(): Cli {
  return new Cli({ env, cwd: root });
}

/** As a run does it, as far as it concerns this machine. */
async function run(setup: Pick<RunRequest, 'setup' | 'setupScript'> = {}): Promise<void> {
  const store = createMemoryStore({ now: Date.now });
  const cacheDir = path.join(base, 'cache', 'rawcloud');
  const here = { home: base, env, vmSystem: 'linux' as const, local: false, cacheDir, here: 'linux-x86_64' };
  const captured = await capture(here, { command: COMMAND, cwd: root, ...setup }, 'x86_64');
  await syncTree({
    store,
    root,
    include: captured.include,
    home: base,
    env,
    cacheFile: path.join(cacheDir, 'blobs', 'b'),
    treeCacheDirectory: path.join(cacheDir, 'trees', BUCKET),
    now: Date.now,
  });
  const scaffold = { bucket: BUCKET } as Parameters<typeof rememberRun>[0]['scaffold'];
  await rememberRun({ cacheDir, clock: new StillClock(), scaffold }, 'j1', { command: COMMAND, ...setup }, captured);
}

test('env show tells packages and where they come from, files and logins by name, and asks no account', async () => {
  const shown = cli();
  expect(await shown.run('env', 'show', '--', ...COMMAND)).toBe(0);
  expect(shown.stdout).toMatch(/^python +Python 3\.11 \(\.venv\): 2 packages$/m);
  expect(shown.stdout).toMatch(/^ +numpy +2\.1\.0 +PyPI$/m);
  expect(shown.stdout).toMatch(/3 files/);
  expect(shown.stdout).toMatch(/profile team/);
  expect(shown.connections).toEqual([]);
});

test('env show without a command takes the environment that lies here', async () => {
  const shown = cli();
  expect(await shown.run('env', 'show')).toBe(0);
  expect(shown.stdout).toContain('numpy');
});

test('env diff tells packages and files that are not as they were, by content', async () => {
  await run();
  const same = cli();
  expect(await same.run('env', 'diff')).toBe(0);
  expect(same.stdout).toMatch(/^Nothing has changed since job j1/);

  rmSync(path.join(site, 'numpy-2.1.0.dist-info'), { recursive: true });
  writeDistribution(site, { name: 'numpy', version: '2.2.0' });
  writeDistribution(site, { name: 'attrs', version: '24.1' });
  // The same content at another time is no change.
  write(root, { 'a.py': 'print(1)\n', 'data/b.txt': 'other\n', 'new.txt': '' });
  rmSync(path.join(root, 'data/c.txt'));
  const changed = cli();
  expect(await changed.run('env', 'diff')).toBe(0);
  expect(changed.stdout.split('\n').slice(1)).toEqual([
    '~ python: numpy  2.1.0 → 2.2.0',
    '+ python: attrs  24.1  PyPI',
    '~ 1 file changed: data/b.txt',
    '+ 1 file new: new.txt',
    '- 1 file gone: data/c.txt',
    '',
  ]);
});

test('setups are shown, and env diff tells when a command or the script has changed', async () => {
  write(root, { 'setup.sh': 'dnf install -y gdal\n' });
  const shown = cli();
  expect(await shown.run('env', 'show', '--setup', 'echo  one', '--setup', 'two', '--setup-script', 'setup.sh', '--', ...COMMAND)).toBe(0);
  expect(shown.stdout).toMatch(/^setup +as root: setup\.sh \([0-9a-f]{10}\); echo one; two$/m);
  expect(shown.stdout).toMatch(/^python +Python 3\.11/m);

  await run({ setup: ['one'], setupScript: 'setup.sh' });
  const same = cli();
  expect(await same.run('env', 'diff')).toBe(0);
  expect(same.stdout).toMatch(/^Nothing has changed/);
  write(root, { 'setup.sh': 'dnf install -y gdal-devel\n' });
  const changed = cli();
  expect(await changed.run('env', 'diff')).toBe(0);
  expect(changed.stdout).toMatch(/^~ setup {2}as root: setup\.sh \(\w+\); one → as root: setup\.sh \(\w+\); one$/m);
  const other = cli();
  expect(await other.run('env', 'diff', '--setup', 'two')).toBe(0);
  expect(other.stdout).toMatch(/^~ setup {2}as root: setup\.sh \(\w+\); one → as root: two$/m);
});

test('fails on a setup script that is not there', async () => {
  const wrong = cli();
  expect(await wrong.run('env', 'show', '--setup-script', 'nowhere.sh')).toBe(2);
  expect(wrong.stderr).toContain("the setup script 'nowhere.sh' cannot be read");
});

test('env diff says when there was no run', async () => {
  const none = cli();
  expect(await none.run('env', 'diff')).toBe(0);
  expect(none.stdout).toContain('No run of');
});

test.each(['show', 'diff'])('env %s --json is as documented', async (verb) => {
  await run();
  const json = cli();
  expect(await json.run('env', verb, '--json')).toBe(0);
  expect(json.lines.flatMap((line) => problemsOf(line, `env ${verb}`))).toEqual([]);
});

test('fails on a login and an architecture that are not known', async () => {
  const wrong = cli();
  expect(await wrong.run('env', 'show', '--forward', 'ssh')).toBe(2);
  expect(wrong.stderr).toContain('SSH keys and agents never travel');
  const arch = cli();
  expect(await arch.run('env', 'diff', '--arch', 'mips')).toBe(2);
  expect(arch.stderr).toContain('allowed are x86_64 and arm64');
});
