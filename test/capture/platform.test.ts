import path from 'node:path';
import * as v from 'valibot';
import { capturePackages } from '../../lib/capture/packages';
import { PLATFORM_RULES, ruleFor } from '../../lib/capture/python/platform/rules';
import { PythonRecipeSchema } from '../../lib/contract';
import type { PackageChoices, PythonRecipe } from '../../lib/contract';
import { context, scratch, writeVenv } from './package-fixtures';
import type { FakePackage } from './package-fixtures';

const MAC = 'cp311-cp311-macosx_11_0_arm64';
const WINDOWS = 'cp311-cp311-win_amd64';
const LINUX = 'cp311-cp311-manylinux_2_17_x86_64';
const ANY = 'py3-none-any';

const NUMPY: FakePackage = { name: 'numpy', version: '1.26.4', tag: MAC };

interface Captured {
  readonly recipe: PythonRecipe;
  readonly said: readonly string[];
}

/** Captures a virtual environment of these packages for a VM. */
async function capture(
  packages: readonly FakePackage[],
  { platform = 'linux-x86_64', env = {}, ...choices }: PackageChoices & { platform?: string; env?: Record<string, string> } = {},
): Promise<Captured> {
  const root = scratch();
  const venv = path.join(root, '.venv');
  writeVenv(venv, packages);
  const all = { VIRTUAL_ENV: venv, PATH: `${venv}/bin`, HOME: '/nowhere', PIP_CONFIG_FILE: '/dev/null', ...env };
  const given = { env: all, platform, here: 'linux-x86_64', packageChoices: choices };
  const { layers } = await capturePackages(context(root, ['python', 'a.py'], given));
  return { recipe: v.parse(PythonRecipeSchema, layers[0]!.recipe), said: layers[0]!.notices.map(({ text }) => text) };
}

function ofWindows(name: string, version: string, change: Partial<FakePackage> = {}): FakePackage {
  return { name, version, tag: WINDOWS, ...change };
}

describe('an environment of the same platform', () => {
  test('travels as it is, whatever rules say about others, and nothing is left open', async () => {
    const packages = [
      { name: 'numpy', version: '1.26.4', tag: LINUX },
      { name: 'uvloop', version: '0.19.0', tag: LINUX },
    ];
    const { recipe, said } = await capture(packages);
    expect(recipe).toEqual({ python: '3.11', requirements: ['numpy==1.26.4', 'uvloop==0.19.0'], venv: '.venv', uv: false });
    expect(said).toEqual([]);
  });

  test('a build of torch comes from the index of its own', async () => {
    const { recipe } = await capture([{ name: 'torch', version: '2.3.0+cu121', tag: LINUX }]);
    expect(recipe.requirements).toEqual(['torch==2.3.0+cu121']);
    expect(JSON.stringify(recipe)).toContain('https://download.pytorch.org/whl/cu121');
  });

  test('fails before launch for a build that no index can have, and not where another index may', async () => {
    const packages = [{ name: 'mine', version: '1.0+site7', tag: LINUX }];
    await expect(capture(packages)).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: 'builds of Python 3.11 (.venv) are in no index that a VM knows: mine==1.0+site7 (PyPI takes no versions with a local part)',
      remedy: expect.stringContaining('--package-strictness mine=compatible'),
    });
    expect((await capture(packages, { env: { PIP_INDEX_URL: 'https://a.test/simple' } })).recipe.requirements).toEqual(['mine==1.0+site7']);
    const { recipe, said } = await capture(packages, { strictnessOf: { Mine: 'compatible' } });
    expect(recipe).toMatchObject({ requirements: ['mine==1.0'], leeway: { yielding: ['mine'] } });
    expect(said).toEqual(['changed for linux-x86_64: mine 1.0+site7 → 1.0 (the build +site7 is in no public index)']);
  });
});

describe('an environment of another platform', () => {
  test('of a Mac: what is of macOS alone is left out or replaced, what Linux needs besides is added, all is said', async () => {
    const { recipe, said } = await capture(
      [
        NUMPY,
        { name: 'appnope', version: '0.1.4', tag: ANY },
        { name: 'pyobjc-core', version: '10.1', tag: MAC },
        { name: 'tensorflow-macos', version: '2.16.1', tag: MAC, requires: ["tf-io>=0.3; sys_platform == 'linux'", 'numpy>=1.26'] },
        { name: 'colorama', version: '0.4.6', tag: ANY },
      ],
      { platform: 'linux-arm64' },
    );
    expect(recipe.requirements).toEqual(['colorama==0.4.6', 'numpy==1.26.4', 'tensorflow==2.16.1']);
    expect(recipe.leeway).toEqual({
      yielding: ['colorama', 'numpy', 'tensorflow'],
      solve: ['tf-io>=0.3'],
      completes: true,
      without: [],
    });
    expect(said).toEqual([
      'changed for linux-arm64: left out appnope (turns off App Nap of macOS); left out pyobjc-core (Objective-C of macOS); ' +
        "tensorflow-macos 2.16.1 → tensorflow 2.16.1 (Apple's build of tensorflow); added tf-io>=0.3 (tensorflow-macos needs it there)",
    ]);
  });

  test('of Windows, with the directories that it has there', async () => {
    const root = scratch();
    const venv = path.join(root, '.venv');
    const site = writeVenv(venv, []);
    const { cpSync, rmSync } = await import('node:fs');
    writeVenv(venv, [
      ofWindows('pywin32', '306'),
      ofWindows('winloop', '0.1.1'),
      { name: 'uvicorn', version: '0.27', tag: ANY, requires: ['httptools; extra == "standard"', UVLOOP] },
      ofWindows('httptools', '0.6'),
    ]);
    cpSync(site, path.join(venv, 'Lib', 'site-packages'), { recursive: true });
    rmSync(path.join(venv, 'lib'), { recursive: true });
    const env = { VIRTUAL_ENV: venv, PATH: `${venv}/Scripts`, HOME: '/nowhere', PIP_CONFIG_FILE: '/dev/null' };
    const { layers } = await capturePackages(context(root, ['python', 'a.py'], { env, here: 'linux-x86_64' }));
    expect(layers[0]!.recipe).toMatchObject({
      requirements: ['httptools==0.6', 'uvicorn==0.27'],
      leeway: { solve: ['uvloop', 'uvloop>=0.14'] },
    });
    expect(layers[0]!.notices[0]!.text).toBe(
      'changed for linux-x86_64: left out pywin32 (the API of Windows); winloop 0.1.1 → uvloop (uvloop for Windows); added uvloop>=0.14 (uvicorn needs it there)',
    );
  });

  test('CUDA to arm64: the label goes, and with it what only that build needed; what was asked for by name stays', async () => {
    const needs = ['nvidia-cublas-cu12==12.1; platform_machine == "x86_64"', 'triton==2.3.0; platform_machine == "x86_64"'];
    const { recipe, said } = await capture(
      [
        { name: 'torch', version: '2.3.0+cu121', tag: LINUX, requires: needs },
        { name: 'nvidia-cublas-cu12', version: '12.1', tag: 'py3-none-manylinux1_x86_64' },
        { name: 'triton', version: '2.3.0', tag: LINUX, requested: true },
      ],
      { platform: 'linux-arm64' },
    );
    expect(recipe.requirements).toEqual(['torch==2.3.0', 'triton==2.3.0']);
    expect(recipe.index).toBeUndefined();
    expect(said).toEqual([
      'changed for linux-arm64: left out nvidia-cublas-cu12 (nobody needs it there); torch 2.3.0+cu121 → 2.3.0 (+cu121 is not made for it)',
    ]);
  });

  test('fails when it has to be exact and cannot be, naming each package with its reason', async () => {
    const packages = [
      NUMPY,
      { name: 'appnope', version: '0.1.4' },
      { name: 'a', version: '1', requires: ["lin>1; sys_platform == 'linux'"] },
    ];
    await expect(capture(packages, { platform: 'linux-arm64', strictness: 'exact' })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message:
        'Python 3.11 (.venv) cannot be made exactly as it is on linux-arm64: appnope (turns off App Nap of macOS: there is none for linux-arm64), ' +
        'lin (a needs it on linux-arm64, and no version of it is installed here)',
      remedy: expect.stringContaining('--package-ignore appnope'),
    });
    const { recipe } = await capture(packages, { platform: 'linux-arm64', strictness: 'exact', ignore: ['appnope'], add: ['lin==2'] });
    expect(recipe).toMatchObject({
      requirements: ['a==1', 'numpy==1.26.4'],
      leeway: { yielding: [], solve: ['lin==2'], completes: false },
    });
  });

  test('every rule names a reason, and keeps nothing off a platform that it names', () => {
    for (const rule of PLATFORM_RULES) {
      expect(rule.reason).not.toBe('');
      for (const name of rule.names) {
        for (const place of rule.only)
          expect(ruleFor(name.replace('*', 'x'), place.includes('-') ? place : `${place}-x86_64`)).not.toBe(rule);
      }
      if (rule.instead) expect(rule.only).not.toEqual(expect.arrayContaining([...rule.instead.on]));
    }
  });
});

const UVLOOP = "uvloop>=0.14; sys_platform != 'win32' and extra == 'standard'";

describe('choices about packages', () => {
  const APP: readonly FakePackage[] = [
    { name: 'pandas', version: '2.2.1', tag: LINUX, requires: ['numpy>=1.26', 'python-dateutil'] },
    { name: 'numpy', version: '1.26.4', tag: LINUX },
    { name: 'python-dateutil', version: '2.9.0', tag: ANY, requires: ['six>=1.5'] },
    { name: 'six', version: '1.16.0', tag: ANY },
    { name: 'Flask_Login', version: '0.6.3', tag: ANY },
  ];

  test('ignore leaves out, and says so where another package needs it; names are compared as PyPI does', async () => {
    const { recipe, said } = await capture(APP, { ignore: ['flask.login', 'SIX'] });
    expect(recipe.requirements).toEqual(['numpy==1.26.4', 'pandas==2.2.1', 'python-dateutil==2.9.0']);
    expect(said).toEqual(['left out as asked: six, which python-dateutil needs']);
  });

  test('only takes what is named and what that needs', async () => {
    const { recipe, said } = await capture(APP, { only: ['python_dateutil'] });
    expect(recipe.requirements).toEqual(['python-dateutil==2.9.0', 'six==1.16.0']);
    expect(said).toEqual(['only python-dateutil and what they need: 2 of 5 Python packages']);
  });

  test('what is added is solved on the VM, in place of what is installed under its name', async () => {
    const { recipe } = await capture(APP, { only: ['numpy'], add: ['numpy>=2', 'boto3[crt]>=1.34,<2'] });
    expect(recipe).toMatchObject({
      requirements: [],
      leeway: { yielding: [], solve: ['boto3[crt]>=1.34,<2', 'numpy>=2'], completes: false, without: [] },
    });
  });

  test('loose asks for what no other package brings, by its major release, and pins nothing that only that needs', async () => {
    const { recipe } = await capture(APP, { strictness: 'loose' });
    expect(recipe).toMatchObject({ requirements: [], leeway: { solve: ['flask-login>=0.6,<1', 'pandas>=2.2,<3'] } });
    const one = await capture(APP, { strictnessOf: { 'python-dateutil': 'loose' } });
    expect(one.recipe).toMatchObject({
      requirements: ['flask-login==0.6.3', 'numpy==1.26.4', 'pandas==2.2.1'],
      leeway: { solve: ['python-dateutil>=2.9,<3'], yielding: [] },
    });
  });

  test('loose takes extras along, keeps a pre-release in reach, and leaves nobody out of a circle', async () => {
    const { recipe } = await capture(
      [
        { name: 'uvicorn', version: '0.27.1', requires: ["httptools; extra == 'standard'"] },
        { name: 'httptools', version: '0.6' },
        { name: 'beta', version: '2.0.0rc1' },
        { name: 'x', version: '1!3', requires: ['y'] },
        { name: 'y', version: '1.0.2', requires: ['x'] },
      ],
      { strictness: 'loose' },
    );
    expect(recipe.leeway!.solve).toEqual(['beta>=2.0.0rc1,<3', 'uvicorn[standard]>=0.27,<1', 'x>=1!3.0,<1!4', 'y>=1.0,<2']);
  });

  test('fails for a name that is not installed, with the nearest ones', async () => {
    await expect(capture(APP, { ignore: ['panda'], only: ['nowhere'], strictnessOf: { numpi: 'loose' } })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message:
        'Python 3.11 (.venv) has no package panda (--package-ignore; near are pandas), nowhere (--package-only), numpi (--package-strictness; near are numpy)',
      data: { packages: ['panda', 'nowhere', 'numpi'] },
    });
  });

  test('fails when the command brings no packages that could be chosen from', async () => {
    const choices = { packageChoices: { ignore: ['x'] } };
    await expect(capturePackages(context(scratch(), ['true'], choices))).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: "'true' brings no packages that could be chosen from",
    });
    expect((await capturePackages(context(scratch(), ['true'], { packageChoices: { strictness: 'loose' } }))).layers).toEqual([]);
  });
});
