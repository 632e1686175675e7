import { rmSync } from 'node:fs';
import path from 'node:path';
import { problemsOf } from '../../bin/json/check';
import { createMemoryStore } from '../../lib/store/memory';
import { rememberRun } from '../../lib/runtime/environment/last-run';
import { capture } from '../../lib/runtime/run/capture';
import type { KeptEnvironment, RunRequest } from '../../lib/runtime';
import { syncTree } from '../../lib/runtime/sync/sync';
import { scratch, write, writeDistribution, writeVenv } from '../capture/package-fixtures';
import { Cli, StillClock } from './cli';
import { KEPT, NOW } from './fake-client';

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

const OLD: KeptEnvironment = { ...KEPT, id: '77aa00bb11', kind: 'node', usedAt: NOW - 45 * 86_400_000, isHere: false };
const OTHERS: KeptEnvironment = { id: '0123456789', storedBytes: 5_000, builtAt: NOW, usedAt: NOW, isYours: false, isHere: false };

function withKept(terminal?: string): Cli {
  const stdin = terminal === undefined ? {} : { isTTY: true, ask: async () => terminal };
  return new Cli({ env, cwd: root, script: { kept: [KEPT, OLD, OTHERS] }, stdin });
}

test('env list tells what is kept of yours, and with --all of others', async () => {
  const own = withKept();
  expect(await own.run('env', 'list')).toBe(0);
  expect(own.stdout.split('\n')).toEqual([
    'ID          KIND    PLATFORM      PACKAGES  SIZE     STORED    BUILT         USED          HERE',
    '3f9a0c12de  python  linux-x86_64  142       210 MiB  66.8 MiB  40 d 0 h ago  3 d 0 h ago   yes',
    '77aa00bb11  node    linux-x86_64  142       210 MiB  66.8 MiB  40 d 0 h ago  45 d 0 h ago',
    '',
  ]);
  const all = withKept();
  expect(await all.run('env', 'list', '--all')).toBe(0);
  expect(all.stdout).toMatch(/^0123456789 +unknown +4\.9 KiB .* unknown$/m);
  const none = cli();
  expect(await none.run('env', 'list')).toBe(0);
  expect(none.stderr).toContain('No environment of yours is kept');
});

test('env delete deletes what is named, or old, or all of yours, once that is confirmed', async () => {
  const named = withKept('y');
  expect(await named.run('env', 'delete', '3f9', '0123456789')).toBe(0);
  expect(named.client.calls).toContain('delete 3f9a0c12de 0123456789');
  expect(named.stdout).toMatch(/^Deleted 2 environments \(3f9a0c12de, 0123456789\): 66\.8 MiB freed$/m);
  const old = withKept();
  expect(await old.run('env', 'delete', '--unused-for', '30d', '--yes')).toBe(0);
  expect(old.client.calls).toContain('delete 77aa00bb11');
  const all = withKept();
  expect(await all.run('env', 'delete', '--all', '--yes')).toBe(0);
  expect(all.client.calls).toContain('delete 3f9a0c12de 77aa00bb11');
  const none = withKept();
  expect(await none.run('env', 'delete', '--unused-for', '90d')).toBe(0);
  expect(none.stderr).toContain('nothing was deleted');
});

test.each<[string, string | undefined, readonly string[], number, RegExp]>([
  ['without a choice', undefined, [], 2, /nothing says which environments/],
  ['with two', undefined, ['--all', '3f9a'], 2, /exclude one another/],
  ['on what is no environment', undefined, ['ffff', '--yes'], 2, /'ffff': no environment, or more than one/],
  ['without a terminal to ask at', undefined, ['--all'], 2, /no terminal to ask at.*3f9a0c12de, 77aa00bb11/],
  ['when the answer is no', 'n', ['--all'], 130, /nothing was deleted/],
  ['on a duration that is none', undefined, ['--unused-for', 'long'], 2, /--unused-for/],
])('env delete fails %s, and deletes nothing', async (_what, terminal, words, code, text) => {
  const wrong = withKept(terminal);
  expect(await wrong.run('env', 'delete', ...words)).toBe(code);
  expect(wrong.stderr).toMatch(text);
  expect(wrong.client.calls.filter((call) => call.startsWith('delete'))).toEqual([]);
});

test('env build is a run of its own kind, and tells what is kept; it fails when nothing is', async () => {
  const built = withKept();
  expect(await built.run('env', 'build', '--cpu', '8', '--setup', 'dnf install -y gcc', '--', ...COMMAND)).toBe(0);
  expect(built.client.requests[0]).toMatchObject({
    command: COMMAND,
    environmentOnly: true,
    credentials: 'none',
    cpu: { min: 8 },
    setup: ['dnf install -y gcc'],
  });
  expect(built.stderr).toMatch(/^3f9a0c12de +python/m);
  expect(built.stderr).not.toContain(OLD.id);
  const lost = cli();
  expect(await lost.run('env', 'build')).toBe(119);
  expect(lost.stderr).toContain('not kept for later jobs');
});

test('fails on a login and an architecture that are not known', async () => {
  const wrong = cli();
  expect(await wrong.run('env', 'show', '--forward', 'ssh')).toBe(2);
  expect(wrong.stderr).toContain('SSH keys and agents never travel');
  const arch = cli();
  expect(await arch.run('env', 'diff', '--arch', 'mips')).toBe(2);
  expect(arch.stderr).toContain('allowed are x86_64 and arm64');
});
