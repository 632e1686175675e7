import { symlinkSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { openWorkshop, pythonOfVms } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
let bin: string;
beforeAll(async () => {
  shop = await openWorkshop();
  bin = path.join(shop.house.directory, 'own-bin');
  await mkdir(bin);
  symlinkSync(pythonOfVms()['python3']!, path.join(bin, 'python3'));
});
afterAll(() => shop.close());

const MAIN =
  'import importlib.metadata as m, idna, numpy\n' +
  'print(idna.encode("münchen.de"), numpy.arange(4).mean(), [m.version(n) for n in ("idna", "numpy")])\n';
const PACKAGES = ['idna==3.7', 'numpy'];
const QUIET = ['--quiet', '--disable-pip-version-check'];

test('an environment of virtualenv, filled by its own pip, active by PATH alone: the same versions and output', async () => {
  const { house, tool, run } = shop;
  const cwd = path.join(house.project, 'virtualenv');
  await house.write({ 'virtualenv/main.py': MAIN });
  await tool('virtualenv', ['--quiet', 'own'], { cwd });
  await tool('own/bin/pip', ['install', ...QUIET, ...PACKAGES], { cwd });
  const env = { PATH: `${path.join(cwd, 'own', 'bin')}:/usr/bin:/bin` };
  expect(await run(['--', 'python', 'main.py'], { cwd, env })).toBe(await tool('own/bin/python', ['main.py'], { cwd }));
});

test('a Python of the machine without a virtual environment: what pip has put into the user site travels', async () => {
  const { house, tool, run } = shop;
  const cwd = path.join(house.project, 'system');
  await house.write({ 'system/main.py': MAIN });
  const env = { PATH: `${bin}:/usr/bin:/bin`, PIP_BREAK_SYSTEM_PACKAGES: '1', PYTHONUSERBASE: path.join(house.directory, 'user-base') };
  await tool(path.join(bin, 'python3'), ['-m', 'pip', 'install', ...QUIET, '--user', '--ignore-installed', ...PACKAGES], { cwd, env });
  expect(await run(['--', 'python3', 'main.py'], { cwd, env })).toBe(await tool(path.join(bin, 'python3'), ['main.py'], { cwd, env }));
});

test('a Python behind a shim, as pyenv lays them out: the version that the shim starts travels, with its packages', async () => {
  const { house, tool, run } = shop;
  const cwd = path.join(house.project, 'shimmed');
  const root = path.join(house.directory, 'pyenv');
  const own = path.join(root, 'versions', 'own-1');
  await house.write({ 'shimmed/main.py': MAIN, 'shimmed/.python-version': 'own-1\n' });
  // As pyenv-virtualenv makes them: an environment among the versions.
  await tool('virtualenv', ['--quiet', own]);
  await tool(path.join(own, 'bin', 'pip'), ['install', ...QUIET, ...PACKAGES], { cwd });
  const shim = path.join(root, 'shims', 'python');
  // pyenv's own shims ask pyenv, which does this.
  await house.write({ '../pyenv/shims/python': `#!/bin/sh\nexec ${root}/versions/"$(cat .python-version)"/bin/\${0##*/} "$@"\n` });
  await chmod(shim, 0o755);
  const env = { PATH: `${path.dirname(shim)}:/usr/bin:/bin`, PYENV_ROOT: root };
  expect(await run(['--', 'python', 'main.py'], { cwd, env })).toBe(await tool(shim, ['main.py'], { cwd, env }));
});
