import path from 'node:path';
import * as v from 'valibot';
import { capturePackages } from '../../lib/capture/packages';
import { evaluateMarker, markerEnvironment } from '../../lib/capture/python/lock/marker';
import { compareVersions, parseVersion, satisfies } from '../../lib/capture/python/lock/version';
import { PythonRecipeSchema } from '../../lib/contract';
import type { CaptureContext, PythonRecipe } from '../../lib/contract';
import { context, scratch, write, writeVenv } from './package-fixtures';
import { hash, LOCKED_PROJECTS, LOCKED_VERSIONS, writeLocked } from './python-locks';

interface Options extends Partial<CaptureContext> {
  /** Versions by name. @default - none of them */
  readonly installed?: Readonly<Record<string, string>>;
  readonly minor?: string;
}

async function capture(
  root: string,
  { installed, minor = '3.11', ...change }: Options = {},
): Promise<{ recipe: PythonRecipe; notices: string[] }> {
  const venv = path.join(root, '.venv');
  if (installed)
    writeVenv(
      venv,
      Object.entries(installed).map(([name, version]) => ({ name, version })),
      minor,
    );
  const env = { PATH: '/nowhere', HOME: '/nowhere', PIP_CONFIG_FILE: '/dev/null', ...(installed ? { VIRTUAL_ENV: venv } : {}) };
  const { layers } = await capturePackages(context(root, ['python', 'a.py'], { env, ...change }));
  return { recipe: v.parse(PythonRecipeSchema, layers[0]!.recipe), notices: layers[0]!.notices.map(({ text }) => text) };
}

/** The project, locked by one of the tools. */
function project(name: string, change: Readonly<Record<string, unknown>> = {}): string {
  const root = scratch();
  writeLocked(root, name, { '.python-version': '3.11', ...change });
  return root;
}

const hashes = (...of: string[]): string =>
  of
    .map(hash)
    .sort()
    .map((one) => `--hash=${one}`)
    .join(' ');
const nameAndVersion = (line: string): string => line.split(' ')[0]!;
const PINS = Object.entries(LOCKED_VERSIONS).map(([name, version]) => `${name}==${version}`);
const NAMES = Object.keys(LOCKED_PROJECTS);

describe('a lockfile that says what is installed', () => {
  test.each(NAMES)('gives its hashes: %s', async (name) => {
    const { recipe, notices } = await capture(project(name), { installed: { ...LOCKED_VERSIONS, pip: '24.0' } });
    expect(recipe.requirements.map(nameAndVersion)).toEqual([PINS[0], PINS[1], 'pip==24.0', PINS[2], PINS[3]]);
    expect(recipe.requirements[0]).toBe(`idna==3.7 ${hashes('idna-py3-none-any', 'idna-sdist')}`);
    expect(notices).toEqual([]);
  });

  test('with hashes of those files only that fit the VM, and of archives to be built', async () => {
    const installed = LOCKED_VERSIONS;
    const { recipe } = await capture(project('uv.lock'), { installed });
    expect(recipe.requirements[1]).toBe(`numpy==2.4.6 ${hashes('numpy-cp311-cp311-manylinux_2_28_x86_64', 'numpy-sdist')}`);
    const { recipe: arm } = await capture(project('uv.lock'), { installed, platform: 'linux-arm64' });
    expect(arm.requirements[1]).toContain(hash('numpy-cp311-cp311-manylinux_2_28_aarch64'));
  });

  test('though development groups and extras of it are installed too, or not', async () => {
    const installed = { ...LOCKED_VERSIONS, iniconfig: '2.3.1', six: '1.17.0' };
    const { recipe, notices } = await capture(project('uv.lock'), { installed });
    expect(recipe.requirements.every((line) => line.includes('--hash=sha256:'))).toBe(true);
    expect(recipe.requirements).toHaveLength(6);
    expect(notices).toEqual([]);
  });

  test('lies above the working directory', async () => {
    const root = project('poetry.lock');
    const { recipe } = await capture(root, { installed: LOCKED_VERSIONS, cwd: path.join(root, 'deep', 'er') });
    expect(recipe.requirements[0]).toContain('--hash=');
  });

  test('and names an index for a package: the package comes from there', async () => {
    const lock = String(LOCKED_PROJECTS['uv.lock']!['uv.lock']).replace(
      /(name = "idna"\nversion = "3.7"\nsource = \{ registry = )"[^"]*"/,
      '$1"https://own.test/simple"',
    );
    const { recipe } = await capture(project('uv.lock', { 'uv.lock': lock }), { installed: LOCKED_VERSIONS });
    expect(recipe.indexes).toEqual({ idna: 'https://own.test/simple' });
  });
});

describe('a lockfile that differs from what is installed', () => {
  const installed = { ...LOCKED_VERSIONS, idna: '3.6', rich: '13.0' };

  test('is said in one line, and what is installed is taken', async () => {
    const { recipe, notices } = await capture(project('uv.lock'), { installed });
    expect(recipe.requirements).toContain('idna==3.6');
    expect(recipe.requirements.join(' ')).not.toContain('--hash');
    expect(notices).toEqual([
      'uv.lock and what is installed differ (idna is 3.7 in it and 3.6 here; rich 13.0 is not in it): what is installed is taken; --packages lock takes uv.lock',
    ]);
  });

  test('is taken when asked for, and that is said', async () => {
    const { recipe, notices } = await capture(project('uv.lock'), { installed, packages: 'lock' });
    expect(recipe.requirements.map(nameAndVersion)).toEqual(PINS);
    expect(notices).toEqual([expect.stringMatching(/^uv\.lock and what is installed differ \(.*\): uv\.lock is taken, as asked$/)]);
  });

  test('has what is not installed', async () => {
    const { notices } = await capture(project('pdm.lock'), { installed: { idna: '3.7' } });
    expect(notices).toEqual([
      expect.stringContaining('differ (numpy is not installed; pysocks is not installed; requests is not installed)'),
    ]);
  });

  test('is passed over without a word when what is installed is asked for', async () => {
    const { recipe, notices } = await capture(project('uv.lock'), { installed, packages: 'installed' });
    expect(recipe.requirements).toContain('idna==3.6');
    expect(notices).toEqual([]);
  });

  test('and cannot be read: what is installed is taken, and the reason is said', async () => {
    const { recipe, notices } = await capture(project('uv.lock', { 'uv.lock': 'version = 1\n<<<<<<< HEAD\n' }), { installed });
    expect(recipe.requirements).toContain('idna==3.6');
    expect(notices).toEqual([expect.stringMatching(/uv\.lock cannot be read: line 2: .*; what is installed is taken$/)]);
  });

  test('fails when it is asked for and cannot be read, or is not there', async () => {
    const damaged = capture(project('uv.lock', { 'uv.lock': 'version = 1\n<<<<<<< HEAD\n' }), { installed, packages: 'lock' });
    await expect(damaged).rejects.toMatchObject({ code: 'E_PACKAGE', remedy: expect.stringContaining('uv lock') as string });
    await expect(capture(scratch(), { installed, packages: 'lock' })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining('there is no lockfile to take packages from') as string,
      remedy: expect.stringContaining('uv.lock, poetry.lock') as string,
    });
  });
});

describe('a deployed job', () => {
  test.each(NAMES)('takes what the lockfile asks for on its platform: %s', async (name) => {
    const { recipe } = await capture(project(name), { locked: true });
    const lines = recipe.requirements.filter((line) => !line.includes("; sys_platform == 'win32'"));
    expect(lines.map(nameAndVersion)).toEqual(PINS);
    expect(lines.every((line) => line.includes(' --hash=sha256:'))).toBe(true);
    expect(recipe.local).toBeUndefined();
  });

  test('gets the versions of its own Python', async () => {
    const { recipe } = await capture(project('uv.lock', { '.python-version': '3.13' }), { locked: true });
    expect(recipe.requirements.map(nameAndVersion)).toContain('numpy==2.5.5');
  });

  test('has the members of its workspace and the project itself on its path', async () => {
    const root = scratch();
    write(root, {
      '.python-version': '3.12',
      'pyproject.toml': '[project]\nname = "app"\nversion = "1"\ndependencies = ["lib-a"]\n',
      'app/__init__.py': '',
      'packages/a/src/lib_a/__init__.py': '',
      'uv.lock':
        'version = 1\n[[package]]\nname = "app"\nversion = "1"\nsource = { editable = "." }\ndependencies = [{ name = "lib-a" }]\n' +
        '[[package]]\nname = "lib-a"\nversion = "0.1"\nsource = { editable = "packages/a" }\n',
    });
    const { recipe } = await capture(root, { locked: true });
    expect(recipe.local).toEqual([
      { kind: 'path', name: 'app', place: { tree: '' } },
      { kind: 'path', name: 'lib-a', place: { tree: 'packages/a/src' } },
    ]);
  });

  test('fails when the project asks for what its lockfile does not have, or for another version', async () => {
    const pyproject = '[project]\nname = "demo"\ndependencies = ["idna>=3.8", "rich", "pywin32; sys_platform == \'win32\'"]\n';
    await expect(capture(project('uv.lock', { 'pyproject.toml': pyproject }), { locked: true })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringMatching(
        /uv\.lock does not fit the pyproject\.toml of its project: it has idna 3\.7, not >=3\.8; rich is not in it$/,
      ),
      remedy: 'Write uv.lock anew: uv lock.',
    });
  });

  test('fails for what a VM cannot reach, naming it and no secret', async () => {
    const git = (url: string): string =>
      `version = 1\n[[package]]\nname = "demo"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "own" }]\n` +
      `[[package]]\nname = "own"\nversion = "1"\nsource = { git = "${url}#${'a'.repeat(40)}" }\n`;
    const pyproject = '[project]\nname = "demo"\n';
    const fine = await capture(project('uv.lock', { 'uv.lock': git('https://x.test/own.git?rev=v1'), 'pyproject.toml': pyproject }), {
      locked: true,
    });
    expect(fine.recipe.requirements).toEqual([`own @ git+https://x.test/own.git@${'a'.repeat(40)}`]);
    for (const url of ['ssh://git@x.test/own.git', 'https://me:hunter22@x.test/own.git']) {
      const failing = capture(project('uv.lock', { 'uv.lock': git(url), 'pyproject.toml': pyproject }), { locked: true });
      await expect(failing).rejects.toMatchObject({
        code: 'E_PACKAGE',
        message: expect.not.stringContaining('hunter22') as string,
        data: { package: 'own' },
      });
    }
  });
});

describe('environment markers', () => {
  const linux = markerEnvironment('linux-x86_64', '3.11');
  test.each([
    ["sys_platform == 'linux' and platform_machine == 'x86_64'", true],
    ["sys_platform == 'darwin' or (python_version >= '3.9' and python_version < '3.12')", true],
    ["python_full_version <= '3.11.0a6'", false],
    ["python_version >= '3.9'", true],
    ["python_version not in '3.8, 3.9'", true],
    ["'linux' in sys_platform", true],
    ["platform_python_implementation != 'PyPy' and implementation_name == 'cpython'", true],
    ["extra == 'x'", false],
    ["os.name == 'nt'", false],
    ["(sys_platform != 'emscripten') and (python_full_version >= '3.12' or extra != 'y')", true],
  ])('%s: %p', (marker, expected) => {
    expect(evaluateMarker(marker, linux)).toBe(expected);
  });

  test.each(['sys_platform == ', "nonsense == 'x'", "a 'b'", "(python_version >= '3'"])('fail to be read: %s', (marker) => {
    expect(() => evaluateMarker(marker, linux)).toThrow(SyntaxError);
  });
});

describe('versions', () => {
  test('are in the order of PEP 440', () => {
    const order = ['1.dev1', '1a1', '1b2.dev3', '1b2', '1rc1', '1', '1.post1.dev2', '1.post1', '1.0.1', '1.1', '10', '1!0.5'];
    const sorted = [...order].reverse().sort((a, b) => compareVersions(parseVersion(a)!, parseVersion(b)!));
    expect(sorted).toEqual(order);
  });

  test.each([
    ['1.2.3', '>=1.2,<2', true],
    ['1.2.3', '~=1.2', true],
    ['1.3', '~=1.2.0', false],
    ['1.2.3', '==1.2.*', true],
    ['1.2.3', '!=1.2.*', false],
    ['2.1.0+cu121', '==2.1.0', true],
    ['2.1.0', '==2.1.0+cu121', false],
    ['1.0', '===1.0', true],
    ['1.0', '^1.0', undefined],
    ['1.0', '', true],
  ])('%s %s: %p', (version, specifier, expected) => {
    expect(satisfies(version, specifier)).toBe(expected);
  });
});
