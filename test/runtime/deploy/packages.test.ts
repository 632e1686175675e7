import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import lock from '../../../package-lock.json';
import type { CdkTools } from '../../../lib/contract';
import { cdkPackages } from '../../../lib/runtime/deploy/packages';
import { CDK_PINS } from '../../../lib/runtime/deploy/pins';

let home: string;
let opened: string | undefined;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'packages-'));
  await mkdir(path.join(home, 'package'));
  opened = undefined;
});
afterEach(() => rm(home, { recursive: true }));

/** With an npm that is a script; the user's settings are in its environment. */
async function packagesWith(npm: string | undefined): Promise<ReturnType<typeof cdkPackages>> {
  await mkdir(path.join(home, 'bin'));
  if (npm !== undefined) {
    await writeFile(path.join(home, 'bin/npm'), `#!/bin/sh\n${npm}\n`);
    await chmod(path.join(home, 'bin/npm'), 0o755);
  }
  const PATH = npm === undefined ? path.join(home, 'bin') : `${path.join(home, 'bin')}:/usr/bin:/bin`;
  const open = async (modules: string): Promise<CdkTools> => {
    opened = modules;
    throw new Error('not here');
  };
  const env = { PATH, npm_config_registry: 'their-own' };
  return cdkPackages({ packageRoot: path.join(home, 'package'), cacheDir: path.join(home, 'cache'), env, open });
}

test('what is pinned is what is tested with', () => {
  const versions: Readonly<Record<string, { readonly version?: string }>> = lock.packages;
  for (const [name, version] of Object.entries(CDK_PINS))
    expect([name, versions[`node_modules/${name}`]?.version]).toEqual([name, version]);
});

test("npm installs the pinned versions once, with the user's settings and without scripts of packages", async () => {
  const packages = await packagesWith('cp package.json asked.json; echo "$@" "$npm_config_registry" > said; mkdir node_modules');
  expect(await packages.isThere()).toBe(false);
  await packages.install();
  expect(await packages.isThere()).toBe(true);
  expect(packages.directory.startsWith(path.join(home, 'cache', 'cdk'))).toBe(true);
  expect(await readdir(path.join(home, 'cache', 'cdk'))).toEqual([path.basename(packages.directory)]);
  expect(JSON.parse(await readFile(path.join(packages.directory, 'asked.json'), 'utf8'))).toMatchObject({ dependencies: CDK_PINS });
  expect(await readFile(path.join(packages.directory, 'said'), 'utf8')).toMatch(/^install --ignore-scripts .* their-own\n$/);
  await expect(packages.open()).rejects.toThrow('not here');
  expect(opened).toBe(path.join(packages.directory, 'node_modules'));
});

test('what lies beside the package is taken, where all of it does', async () => {
  const packages = await packagesWith('exit 1');
  const modules = path.join(home, 'node_modules');
  for (const name of Object.keys(CDK_PINS)) {
    await mkdir(path.join(modules, name), { recursive: true });
    await writeFile(path.join(modules, name, 'package.json'), '{}');
  }
  expect(await packages.isThere()).toBe(false);
  const beside = cdkPackages({
    packageRoot: path.join(home, 'package'),
    cacheDir: home,
    env: {},
    open: () => Promise.reject(new Error('no')),
  });
  expect([await beside.isThere(), beside.directory]).toEqual([true, modules]);
});

test.each([
  ['npm cannot reach the registry', 'echo "npm error code ENOTFOUND" >&2; exit 1', /could not install.*ENOTFOUND/],
  ['there is no npm', undefined, /no npm on PATH/],
])('fails when %s, and leaves nothing half done', async (_, npm, message) => {
  const packages = await packagesWith(npm);
  await expect(packages.install()).rejects.toMatchObject({ code: 'E_ENVIRONMENT', message: expect.stringMatching(message) as string });
  expect(await readdir(path.join(home, 'cache', 'cdk'))).toEqual([]);
});
