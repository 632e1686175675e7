import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { capturePackages, detectPackages } from '../../lib/capture/packages';
import { pythonCapturer } from '../../lib/capture/python';
import { PythonRecipeSchema } from '../../lib/contract';
import type { CaptureContext, PythonRecipe } from '../../lib/contract';
import * as v from 'valibot';
import { context, python3, pythonTest, scratch, write, writeDistribution, writeProgram, writeVenv } from './package-fixtures';
import { writeCondaMeta } from '../agent/conda-channel';
import type { FakePackage } from './package-fixtures';

const NUMPY: FakePackage = { name: 'numpy', version: '1.26.4' };

function active(venv: string): { env: Record<string, string> } {
  return { env: { VIRTUAL_ENV: venv, PATH: `${venv}/bin`, HOME: '/nowhere', PIP_CONFIG_FILE: '/dev/null' } };
}

async function recipeOf(root: string, argv: readonly string[], change: object): Promise<PythonRecipe> {
  const { layers } = await capturePackages(context(root, argv, change));
  expect(layers).toHaveLength(1);
  return v.parse(PythonRecipeSchema, layers[0]!.recipe);
}

/** Captures a venv with one package, beside pip. */
function capture(fake: FakePackage, change: { env?: Record<string, string> } = {}): Promise<PythonRecipe> {
  const root = scratch();
  writeVenv(path.join(root, '.venv'), [{ name: 'pip', version: '24.0' }, fake]);
  return recipeOf(root, ['python', 'a.py'], { env: { ...active(path.join(root, '.venv')).env, ...change.env } });
}

describe('capturing Python packages', () => {
  test('the active virtual environment travels as exact versions, sorted, with its place in the tree', async () => {
    const root = scratch();
    writeVenv(path.join(root, '.venv'), [NUMPY, { name: 'Zope.Interface', version: '6.1' }, { name: 'pip', version: '24.0' }]);
    const { found, layers, contents } = await capturePackages(context(root, ['python', 'a.py'], active(path.join(root, '.venv'))));
    expect(found.map(({ title }) => title)).toEqual(['Python 3.11 (.venv)']);
    expect(layers[0]).toMatchObject({
      kind: 'python',
      platform: 'linux-x86_64',
      recipe: { python: '3.11', requirements: ['numpy==1.26.4', 'pip==24.0', 'zope-interface==6.1'], venv: '.venv', uv: false },
      sources: [],
      notices: [],
    });
    expect(contents).toEqual([]);
  });

  test('an environment with nothing but pip, setuptools and wheel asks for an interpreter only', async () => {
    const root = scratch();
    const venv = path.join(root, 'v');
    writeVenv(
      venv,
      ['pip', 'setuptools', 'wheel'].map((name) => ({ name, version: '1.0' })),
      '3.12',
    );
    const recipe = await recipeOf(root, ['python', 'a.py'], {
      env: { ...active(venv).env, PIP_INDEX_URL: 'https://me:secret@example.test/simple' },
    });
    expect(recipe).toEqual({ python: '3.12', requirements: [], venv: 'v', uv: false });
  });

  test('commands that do not name Python get the active environment only if they can reach it', async () => {
    const root = scratch();
    writeVenv(path.join(root, '.venv'), [NUMPY]);
    const options = active(path.join(root, '.venv'));
    expect(await detectPackages(context(root, ['true'], options))).toEqual([]);
    expect(await detectPackages(context(root, ['make'], options))).toHaveLength(1);
    expect(await detectPackages(context(root, ['make']))).toEqual([]);
  });

  test('a path into a virtual environment wins over the active one; .venv is the last resort, and the first of uv', async () => {
    const root = scratch();
    writeVenv(path.join(root, 'a'), [], '3.10');
    writeVenv(path.join(root, 'b'), [], '3.11');
    writeVenv(path.join(root, '.venv'), [], '3.12');
    const python = async (argv: string[], options = {}): Promise<string> => (await recipeOf(root, argv, options)).python;
    expect(await python(['a/bin/python', 'x.py'], active(path.join(root, 'b')))).toBe('3.10');
    expect(await python(['python', 'x.py'], active(path.join(root, 'b')))).toBe('3.11');
    expect(await python(['python', 'x.py'], { env: { PATH: path.join(root, 'b', 'bin') } })).toBe('3.11');
    expect(await python(['python', 'x.py'])).toBe('3.12');
    expect(await python(['uv', 'run', 'x.py'], active(path.join(root, 'b')))).toBe('3.12');
  });

  test('the key depends on recipe and platform alone', async () => {
    const keys = await Promise.all(
      [NUMPY, NUMPY, { name: 'numpy', version: '1.26.5' }].map(async (fake, index) => {
        const root = scratch();
        writeVenv(path.join(root, '.venv'), [fake]);
        const options = { ...active(path.join(root, '.venv')), platform: 'linux-arm64' };
        return (await capturePackages(context(root, ['python', `${index}.py`], options))).layers[0]!.key;
      }),
    );
    expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  test('lib64 that links to lib is read once', async () => {
    const root = scratch();
    writeVenv(path.join(root, '.venv'), [NUMPY]);
    symlinkSync('lib', path.join(root, '.venv', 'lib64'));
    expect((await recipeOf(root, ['python'], active(path.join(root, '.venv')))).requirements).toEqual(['numpy==1.26.4']);
  });

  test('leftovers of interrupted installs, imports in .pth files and eggs are read for what they are', async () => {
    const root = scratch();
    const site = writeVenv(path.join(root, '.venv'), [NUMPY]);
    write(site, {
      '~umpy-1.0.dist-info/METADATA': 'Name: numpy\nVersion: 1.0\n',
      'distutils-precedence.pth': 'import os; os.system("false")\n',
      'pywin32.pth': 'win32\n# comment\n\nwin32/lib\n',
      'old-1.2-py3.11.egg-info/PKG-INFO': 'Name: old\nVersion: 1.2\n',
      'older-0.1.egg-info': 'Name: older\nVersion: 0.1\n',
    });
    expect((await recipeOf(root, ['python'], active(path.join(root, '.venv')))).requirements).toEqual([
      'numpy==1.26.4',
      'old==1.2',
      'older==0.1',
    ]);
  });
});

describe('packages that did not come from an index', () => {
  test('repositories are pinned to the commit, archives to their hash', async () => {
    const git = {
      url: 'https://example.test/p.git',
      vcs_info: { vcs: 'git', commit_id: 'abc123', requested_revision: 'main' },
      subdirectory: 'py',
    };
    expect((await capture({ name: 'p', version: '1', directUrl: git })).requirements).toContain(
      'p @ git+https://example.test/p.git@abc123#subdirectory=py',
    );
    const wheel = { url: 'https://example.test/p-1-py3-none-any.whl', archive_info: { hashes: { sha256: 'ff00' } } };
    expect((await capture({ name: 'p', version: '1', directUrl: wheel })).requirements).toContain(
      'p @ https://example.test/p-1-py3-none-any.whl#sha256=ff00',
    );
  });

  test.each([
    ['an editable install', { url: 'file:///home/me/mylib', dir_info: { editable: true } }, '/home/me/mylib, which is not there', 'again'],
    ['a directory that is compiled', { url: 'file:///home/me/mylib', dir_info: {} }, '/home/me/mylib, which is not there', 'again'],
    ['a file', { url: 'file:///home/me/mylib.whl', archive_info: {} }, 'installed from /home/me/mylib.whl, which is not', 'again'],
    ['ssh', { url: 'ssh://git@example.test/x', vcs_info: { vcs: 'git', commit_id: 'a' } }, 'example.test over ssh', 'wheel'],
    [
      "git's short form of ssh",
      { url: 'git@example.test:x/y', vcs_info: { vcs: 'git', commit_id: 'a' } },
      'example.test over ssh',
      'wheel',
    ],
    ['an unknown origin', '{', 'direct_url.json cannot be read', 'pip install --force-reinstall mylib'],
  ])('fails by name for %s', async (_what, directUrl, why, remedy) => {
    await expect(capture({ name: 'mylib', version: '1', directUrl })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringMatching(new RegExp(`mylib \\(.*${why}`)) as string,
      remedy: expect.stringContaining(remedy) as string,
    });
  });

  test.each(['https://ghp_s3cret@example.test/x.git', 'https://me:s3cret@example.test/x.whl', 'https://example.test/x.whl?token=s3cret'])(
    'fails without showing the credentials of a URL',
    async (url) => {
      const error: unknown = await capture({ name: 'mylib', version: '1', directUrl: { url, archive_info: {} } }).catch(
        (caught: unknown) => caught,
      );
      expect(error).toMatchObject({
        code: 'E_PACKAGE',
        message: expect.stringContaining('mylib (installed from example.test with credentials') as string,
      });
      expect(JSON.stringify(error) + String(error)).not.toContain('s3cret');
    },
  );

  test('fails for links of setup.py develop that lead nowhere or to what is no package, all at once', async () => {
    const root = scratch();
    const site = writeVenv(path.join(root, '.venv'), [NUMPY]);
    const [one, two] = [path.join(root, 'one'), path.join(root, 'two')];
    mkdirSync(one);
    write(site, { 'mine.egg-link': `${one}\n.`, 'easy-install.pth': `${one}\n`, 'other.egg-link': `${two}\n.` });
    await expect(capturePackages(context(root, ['python'], active(path.join(root, '.venv'))))).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message:
        `2 packages of Python 3.11 (.venv) cannot be carried: mine (points at ${one}, which holds no mine.egg-info), ` +
        `other (points at ${two}, which is not there any more)`,
    });
  });

  test('fails for two versions of one package, and for records without one', async () => {
    await expect(capture({ name: 'pip', version: '25.0' })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining('two versions of pip') as string,
    });
    const root = scratch();
    const site = writeVenv(path.join(root, '.venv'), []);
    mkdirSync(path.join(site, 'broken-1.0.dist-info'));
    await expect(capturePackages(context(root, ['python'], active(path.join(root, '.venv'))))).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining('broken-1.0.dist-info does not say name and version') as string,
    });
  });
});

test('fails when packages are installed while they are read', async () => {
  const root = scratch();
  const site = writeVenv(path.join(root, '.venv'), [NUMPY]);
  const project = path.join(root, 'link');
  write(project, { 'lib.egg-info/PKG-INFO': 'Name: lib\nVersion: 1\n' });
  write(site, { 'lib.egg-link': `${project}\n.` });
  const given = context(root, ['python'], active(path.join(root, '.venv')));
  const [found] = await detectPackages(given);
  // Whoever carries a link asks for the tree's root: pip is at work then.
  const asked: CaptureContext = {
    ...given,
    get root() {
      write(site, { 'new.py': '' });
      return root;
    },
  };
  await expect(pythonCapturer.capture(found!, asked)).rejects.toMatchObject({
    code: 'E_PACKAGE',
    message: 'packages of Python 3.11 (.venv) were installed or removed while they were read',
  });
});

describe('other Pythons', () => {
  test('a virtual environment wins over a conda environment that is active too', async () => {
    const root = scratch();
    writeCondaMeta(path.join(root, 'lab'), []);
    const conda = { CONDA_PREFIX: path.join(root, 'lab'), CONDA_DEFAULT_ENV: 'lab' };
    expect(await detectPackages(context(root, ['make'], { env: conda }))).toMatchObject([{ kind: 'conda' }]);
    writeVenv(path.join(root, '.venv'), []);
    const both = { ...conda, ...active(path.join(root, '.venv')).env };
    expect(await detectPackages(context(root, ['make'], { env: both }))).toMatchObject([{ kind: 'python' }]);
  });

  test('fails when VIRTUAL_ENV names what is none', async () => {
    const root = scratch();
    await expect(detectPackages(context(root, ['python'], active(path.join(root, 'gone'))))).rejects.toMatchObject({ code: 'E_PACKAGE' });
  });

  test('an environment whose interpreter is gone travels by its records, and that is said; fails where it sees packages of that one', async () => {
    const root = scratch();
    const venv = path.join(root, '.venv');
    writeVenv(venv, [NUMPY]);
    rmSync(path.join(venv, 'bin', 'python'));
    symlinkSync('/opt/python3.11/bin/python3.11', path.join(venv, 'bin', 'python'));
    const given = context(root, ['.venv/bin/python', 'a.py']);
    const { layers } = await capturePackages(given);
    expect(layers).toMatchObject([
      {
        recipe: { python: '3.11', requirements: ['numpy==1.26.4'] },
        notices: [
          {
            level: 'info',
            text: 'Python 3.11 (.venv) does not run here any more, as /opt/python3.11/bin/python3.11 is gone; its packages travel as they are recorded',
          },
        ],
      },
    ]);
    write(venv, { 'pyvenv.cfg': 'home = /opt/python3.11/bin\nversion = 3.11.4\ninclude-system-site-packages = true\n' });
    await expect(capturePackages(given)).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: `${venv} sees packages of /opt/python3.11/bin/python3.11, which is not there any more`,
      remedy: expect.stringContaining('include-system-site-packages = false') as string,
    });
  });

  test('fails for an interpreter that does not answer, and for Python 2', async () => {
    const root = scratch();
    writeProgram(path.join(root, 'bin', 'python3'), '#!/bin/sh\nexit 3\n');
    const options = { env: { PATH: path.join(root, 'bin') } };
    await expect(detectPackages(context(root, ['python'], options))).rejects.toMatchObject({ code: 'E_PACKAGE' });
    writeProgram(path.join(root, 'bin', 'python3'), `#!/bin/sh\necho '{"version":[2,7],"prefix":"/","sites":[],"user":"/u"}'\n`);
    await expect(detectPackages(context(root, ['python'], options))).rejects.toMatchObject({
      message: expect.stringContaining('is Python 2.7') as string,
    });
  });

  test("an interpreter's own packages travel, those of the operating system stay with a notice", async () => {
    const root = scratch();
    const [user, system] = [path.join(root, 'user'), path.join(root, 'dist-packages')];
    mkdirSync(system);
    writeDistribution(user, NUMPY);
    for (const name of ['a', 'b', 'c', 'd', 'e']) writeDistribution(system, { name, version: '1', installer: name === 'a' ? 'rpm' : '' });
    writeDistribution(system, { name: 'numpy', version: '1.0', installer: '' });
    writeDistribution(system, { name: 'mine', version: '2', installer: 'uv' });
    const answer = JSON.stringify({ version: [3, 9], prefix: '/usr', sites: [system, path.join(root, 'absent')], user });
    writeProgram(path.join(root, 'bin', 'python3'), `#!/bin/sh\necho '${answer}'\n`);
    const { layers } = await capturePackages(
      context(root, ['python3', 'x.py'], { env: { PATH: path.join(root, 'bin'), PIP_CONFIG_FILE: '/dev/null' } }),
    );
    expect(layers[0]!.recipe).toEqual({ python: '3.9', requirements: ['mine==2', 'numpy==1.26.4'], uv: false });
    expect(layers[0]!.notices).toEqual([
      {
        level: 'info',
        text: 'left out 5 Python packages that the operating system installed (a, b, c, d …); use a virtual environment to carry them',
      },
    ]);
  });

  pythonTest('the python of this machine says where its packages lie, without running any .pth file', async () => {
    const root = scratch();
    const [found] = await detectPackages(
      context(root, ['python3', 'x.py'], { env: { PATH: path.dirname(python3!.executable), HOME: root } }),
    );
    expect(found).toMatchObject({ kind: 'python', detail: { kind: 'interpreter', minor: python3!.minor } });
  });
});
