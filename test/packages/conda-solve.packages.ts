import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CondaChannel } from '../agent/conda-channel';
import type { CondaPackageSpec } from '../agent/conda-channel';
import { INSTALL_BY_RATTLER } from './rattler';
import { openWorkshop, pythonOfVms, toolsOfPython } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
let forge: CondaChannel;
let prefix: string;
let env: Record<string, string>;
const TOKEN = 'tk-0123456789abcdef';

const tells = (text: string): CondaPackageSpec['files'] => ({ 'bin/tell': { content: `#!/bin/sh\necho ${text} "$@"\n`, mode: 0o755 } });

/** As channels are: versions in step, builds and some packages of one system alone, and one that a system has never had. */
function addPackages(): void {
  const mac = { subdir: 'osx-arm64' };
  forge.add({
    name: 'tell',
    version: '1.0',
    build: 'mac_0',
    ...mac,
    depends: ['libcxx', 'words >=3', 'libfortran'],
    files: tells('on macOS'),
  });
  forge.add({ name: 'libcxx', version: '17.0', ...mac, files: { 'lib/libc++.dylib': '' } });
  forge.add({ name: 'libfortran', version: '5.0', ...mac, files: { 'lib/libfortran.dylib': '' } });
  forge.add({ name: 'tune', version: '2.1.0', ...mac, files: { 'lib/tune': '' } });
  forge.add({ name: 'words', version: '3.1', build: 'py_0', subdir: 'noarch', files: { 'share/words': 'of all\n' } });
  forge.add({ name: 'words', version: '3.2', build: 'py_0', subdir: 'noarch', files: { 'share/words': 'newer\n' } });
  const needs = ['_libgcc_mutex', 'words >=3', 'libfortran', '__glibc >=2.17'];
  for (const version of ['1.0', '1.1'])
    forge.add({ name: 'tell', version, build: 'linux_0', depends: needs, files: tells(`${version} on Linux`) });
  forge.add({ name: '_libgcc_mutex', version: '0.1', files: { 'lib/mutex': '' } });
  forge.add({ name: 'libfortran', version: '15.2', files: { 'lib/libfortran.so': '' } });
  forge.add({ name: 'tune', version: '2.1.4', files: { 'lib/tune': '' } });
  forge.add({ name: 'tune', version: '2.2.0', files: { 'lib/tune': '' } });
  forge.add({ name: 'extra', version: '1.5', depends: ['tell >=1.1'], files: { 'share/extra': 'more\n' } });
  forge.writeRepodata(['linux-64', 'osx-arm64', 'noarch']);
}

beforeAll(async () => {
  // Fetching uv for each VM is tested elsewhere.
  shop = await openWorkshop({ vm: { ...pythonOfVms(), uv: path.join(toolsOfPython(), 'uv') } });
  forge = await CondaChannel.open(mkdtempSync(path.join(os.tmpdir(), 'rawcloud-channel-')));
  addPackages();
  prefix = path.join(shop.house.project, 'lab');
  env = {
    CONDA_PREFIX: prefix,
    CONDA_DEFAULT_ENV: 'lab',
    CONDA_CHANNEL_ALIAS: forge.url.replace('/shop', `/t/${TOKEN}`),
    PATH: `${prefix}/bin:/usr/bin:/bin`,
  };
  await shop.tool(path.join(toolsOfPython(), 'python'), [
    '-c',
    INSTALL_BY_RATTLER,
    'osx-arm64',
    forge.url,
    prefix,
    'tell',
    'tune',
    'words=3.1',
  ]);
  forge.token = TOKEN;
});
afterAll(async () => {
  await shop.close();
  await forge.close();
});

const isRepodata = (at: string): boolean => at.includes('repodata');

test('an environment of macOS without a lockfile is solved on the VM, each change is said, and later VMs restore it without solving', async () => {
  const { tryRun } = shop;
  const ended = await tryRun(['--', 'tell', 'it'], { env });
  expect(ended).toMatchObject({ code: 0, stdout: Buffer.from('1.0 on Linux it\n') });
  expect(ended.stderr).toContain('conda lab (lab) is made for osx-arm64: the VM solves it for linux-64, and says what changes');
  const changed =
    'changed for linux-64: left out libcxx (nothing needs it there); libfortran 5.0 → 15.2 (not to be had as it is here); ' +
    'tune 2.1.0 → 2.1.4 (not to be had as it is here); added _libgcc_mutex 0.1 (needed there)';
  expect(ended.stderr).toContain(changed);
  expect(ended.stderr).not.toContain(TOKEN);
  expect(forge.asked.some(isRepodata)).toBe(true);

  forge.asked.length = 0;
  const again = await tryRun(['--', 'tell', 'again'], { env });
  expect(again).toMatchObject({ code: 0, stdout: Buffer.from('1.0 on Linux again\n') });
  expect(again.stderr).toMatch(/restored from cache/);
  expect(again.stderr).toContain(changed);
  expect(forge.asked).toEqual([]);
});

test('loose, what moves is another version; a package of a channel is added; one is left out though others need it', async () => {
  const { tryRun } = shop;
  const words = ['--package-strictness', 'tell=loose', '--package-add', 'shop::extra>=1,<2', '--package-ignore', 'libfortran'];
  const ended = await tryRun([...words, '--', 'sh', '-c', 'tell; cat $CONDA_PREFIX/share/*; ls $CONDA_PREFIX/lib'], { env });
  expect(ended).toMatchObject({ code: 0, stdout: Buffer.from('1.1 on Linux\nmore\nof all\nmutex\ntune\n') });
  expect(ended.stderr).toContain('left out as asked: libfortran, which tell needs');
  expect(ended.stderr).toContain('tell 1.0 → 1.1 (as solved there)');
  expect(ended.stderr).toContain('added extra 1.5 (as asked)');
});

test('fails by name when it must be exact, when what is added does not fit, and when the channel refuses', async () => {
  const { tryRun } = shop;
  const exact = await tryRun(['--package-strictness', 'exact', '--', 'tell'], { env });
  expect(exact).toMatchObject({ code: 119 });
  expect(exact.stderr).toContain('cannot be made exactly as it is on linux-64: ');
  const unfit = await tryRun(['--package-add', 'shop::extra', '--', 'tell'], { env });
  expect(unfit).toMatchObject({ code: 119 });
  expect(unfit.stderr).toMatch(/no set of packages for linux-64 fits what is asked for: .*extra/);
  const wrong = await tryRun(['--no-cache', '--', 'tell'], {
    env: { ...env, CONDA_CHANNEL_ALIAS: forge.url.replace('/shop', '/t/wrong-0123456789') },
  });
  expect(wrong).toMatchObject({ code: 119 });
  expect(wrong.stderr).toContain(`the conda channels cannot be read (${forge.url})`);
  expect(wrong.stderr).not.toContain('wrong-0123456789');
});
