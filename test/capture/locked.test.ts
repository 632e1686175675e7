import path from 'node:path';
import * as v from 'valibot';
import { capturePackages } from '../../lib/capture/packages';
import { PythonRecipeSchema } from '../../lib/contract';
import type { PackageChoices, PythonRecipe } from '../../lib/contract';
import { context, python3, pythonTest, scratch, write, writeVenv } from './package-fixtures';

const HASH = `--hash=sha256:${'ab'.repeat(32)}`;
const ENV = { PATH: '/nowhere', HOME: '/nowhere', PIP_CONFIG_FILE: '/dev/null' };

/** Captures for a deployment. */
async function capture(
  files: Readonly<Record<string, unknown>>,
  argv: readonly string[] = ['python', 'a.py'],
  env: Record<string, string> = ENV,
  packageChoices: PackageChoices = {},
) {
  const root = scratch();
  write(root, files);
  const { layers, found } = await capturePackages(context(root, argv, { env, locked: true, packageChoices }));
  return {
    root,
    layers,
    found,
    recipe: layers[0] && (layers[0].kind === 'python' ? v.parse(PythonRecipeSchema, layers[0].recipe) : undefined),
  };
}

const requirements = async (text: string): Promise<readonly string[]> =>
  ((await capture({ 'requirements.txt': text, '.python-version': '3.12.4\n' })).recipe as PythonRecipe).requirements;

describe('Python packages of a deployed job', () => {
  test('are those of requirements.txt, in the Python of .python-version, with no Python on this machine', async () => {
    const { recipe, found, layers } = await capture({ 'requirements.txt': 'numpy==2.1.0\nattrs==24.2.0\n', '.python-version': '3.12\n' });
    expect(recipe).toEqual({ python: '3.12', requirements: ['attrs==24.2.0', 'numpy==2.1.0'], uv: false });
    expect(found).toMatchObject([{ title: 'Python 3.12 (requirements.txt)', detail: { packages: 2 } }]);
    expect(layers[0]!.notices).toEqual([]);
  });

  test('are not those of the environment that happens to be active', async () => {
    const venv = scratch();
    writeVenv(
      venv,
      [
        { name: 'numpy', version: '1.0' },
        { name: 'secret-tool', version: '9' },
      ],
      '3.10',
    );
    const env = { ...ENV, VIRTUAL_ENV: venv, PATH: path.join(venv, 'bin') };
    const { recipe } = await capture({ 'requirements.txt': 'numpy==2.1.0\n', '.python-version': '3.12' }, ['python', 'a.py'], env);
    expect(recipe).toEqual({ python: '3.12', requirements: ['numpy==2.1.0'], uv: false });
  });

  test('may have hashes, markers, extras, comments and continued lines, as uv export and pip-compile write them', async () => {
    const text = [
      '# by uv',
      `numpy==2.1.0 ; python_full_version >= '3.10' \\`,
      `    ${HASH} \\`,
      `    ${HASH}`,
      '    # via pandas',
      `uvicorn[standard]==0.30.1 ${HASH}  # web`,
      '',
    ].join('\n');
    expect(await requirements(text)).toEqual([
      `numpy==2.1.0 ; python_full_version >= '3.10' ${HASH} ${HASH}`,
      `uvicorn[standard]==0.30.1 ${HASH}`,
    ]);
  });

  test('may come from a URL, and from git by commit', async () => {
    const lines = [`a @ git+https://example.test/a.git@${'0123456789'.repeat(4)}`, 'b @ https://example.test/b-1.whl#sha256=00'];
    expect(await requirements(lines.join('\n'))).toEqual(lines);
  });

  test.each([
    ['a range', 'numpy>=2', /line 1 'numpy>=2'/],
    ['a wildcard', 'numpy==2.*', /line 1 'numpy==2\.\*'/],
    ['no version', 'attrs==1\nnumpy', /line 2 'numpy'/],
    ['another file', '-r other.txt', /line 1 '-r other\.txt'/],
    ['the project itself', 'attrs==1\n-e .', /line 2 '-e \.'/],
    ['git without a commit', 'a @ git+https://example.test/a.git@main', /line 1 'a @ <URL>'/],
    ['a password', 'a @ https://me:hunter2@example.test/a.whl', /line 1 'a @ <URL>'/],
    ['hashes for some only', `attrs==1 ${HASH}\nnumpy==2`, /none for numpy==2: pip takes all or none/],
  ])('fail when requirements.txt has %s', async (_what, text, message) => {
    const failing = requirements(text);
    await expect(failing).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(/uv export/),
    });
    await expect(failing).rejects.not.toMatchObject({ message: expect.stringMatching(/hunter2/) });
  });

  test.each(['Pipfile', 'requirements.in'])('fail when there is %s and no lockfile', async (name) => {
    const message = expect.stringContaining(`${name} names packages, but there is no lockfile beside it`) as string;
    await expect(capture({ [name]: '', '.python-version': '3.12' })).rejects.toMatchObject({ code: 'E_PACKAGE', message });
  });

  test.each(['uv.lock', 'poetry.lock', 'pdm.lock', 'Pipfile.lock', 'pylock.toml'])(
    'fail when %s cannot be read, saying how to write it',
    async (name) => {
      const cut = { [name]: '{<<<<<<< HEAD', '.python-version': '3.12' };
      await expect(capture(cut)).rejects.toMatchObject({
        code: 'E_PACKAGE',
        message: expect.stringContaining(`${name} cannot be read: `) as string,
        remedy: expect.stringMatching(/^Write it anew: \w+/) as string,
      });
      await expect(capture({ [name]: '', '.python-version': '3.12' })).rejects.toMatchObject({ code: 'E_PACKAGE' });
    },
  );

  const PYPROJECT = `[project]\nname = "job"\ndependencies = [\n  "numpy>=2",  # an array ]\n  'uvicorn[standard]',\n  "pywin32; sys_platform == 'win32'",\n]\n[tool.x]\ndependencies = ["other"]\n`;

  test('fail when pyproject.toml asks for what no lockfile fixes, or for more than it has', async () => {
    const files = { 'pyproject.toml': PYPROJECT, '.python-version': '3.12' };
    await expect(capture(files)).rejects.toMatchObject({
      message: expect.stringMatching(/pyproject\.toml names packages, but there is no lockfile/) as string,
    });
    const stale = capture({ ...files, 'requirements.txt': 'numpy==2.1.0\n' });
    await expect(stale).rejects.toMatchObject({
      message: expect.stringMatching(/does not fit the pyproject\.toml of its project: uvicorn is not in it/) as string,
    });
    const { recipe } = await capture({ ...files, 'requirements.txt': 'numpy==2.1.0\nUvicorn[standard]==0.30.1\n' });
    expect(recipe).toMatchObject({ requirements: ['Uvicorn[standard]==0.30.1', 'numpy==2.1.0'] });
  });

  test('are none for a script without a lockfile, and that is said; a shell without one needs no Python', async () => {
    const { layers } = await capture({ 'a.py': '', '.python-version': '3.12' });
    expect(layers).toMatchObject([
      { recipe: { requirements: [] }, notices: [{ level: 'info', text: expect.stringMatching(/standard library only/) as string }] },
    ]);
    expect((await capture({ 'a.sh': '', '.python-version': '3.12' }, ['bash', 'a.sh'])).layers).toEqual([]);
    expect((await capture({ 'requirements.txt': 'numpy==2', '.python-version': '3.12' }, ['bash', 'a.sh'])).recipe).toMatchObject({
      requirements: ['numpy==2'],
    });
  });

  test('fail without a version of Python, there and here', async () => {
    await expect(capture({ 'requirements.txt': 'numpy==2' })).rejects.toMatchObject({
      message: expect.stringMatching(/no \.python-version/) as string,
    });
    await expect(capture({ 'a.py': '', '.python-version': 'pypy\n' })).rejects.toMatchObject({
      message: expect.stringMatching(/names no Python 3/) as string,
    });
  });

  pythonTest('take this machine’s Python where none is pinned, and say so', async () => {
    const env = { ...ENV, PATH: path.dirname(python3!.executable) };
    const { recipe, layers } = await capture({ 'requirements.txt': 'numpy==2' }, ['python3', 'a.py'], env);
    expect(recipe).toMatchObject({ python: python3!.minor });
    expect(layers[0]!.notices).toMatchObject([{ text: expect.stringMatching(/as on this machine; a file \.python-version/) as string }]);
  });
});

describe('choices about the packages of a deployed job', () => {
  const UV_LOCK = [
    'version = 1',
    '[[package]]\nname = "job"\nversion = "0"\nsource = { virtual = "." }\ndependencies = [{ name = "pandas" }, { name = "torch" }, { name = "pywin32" }]',
    '[[package]]\nname = "pandas"\nversion = "2.2.3"\nsource = { registry = "https://pypi.org/simple" }\ndependencies = [{ name = "numpy" }]',
    '[[package]]\nname = "numpy"\nversion = "2.1.0"\nsource = { registry = "https://pypi.org/simple" }',
    '[[package]]\nname = "torch"\nversion = "2.3.0+cu121"\nsource = { registry = "https://pypi.org/simple" }',
    '[[package]]\nname = "pywin32"\nversion = "306"\nsource = { registry = "https://pypi.org/simple" }',
    '[[package]]\nname = "secret"\nversion = "1"\nsource = { git = "ssh://git@example.test/secret.git#0123" }',
  ].join('\n');
  const project = 'dependencies = ["pandas", "torch", "pywin32"]';
  const FILES = { '.python-version': '3.12', 'uv.lock': UV_LOCK, 'pyproject.toml': `[project]\nname = "job"\n${project}\n` };

  const chosen = async (packageChoices: PackageChoices, files: Readonly<Record<string, string>> = FILES) => {
    const { recipe, layers } = await capture(files, ['python', 'a.py'], ENV, packageChoices);
    return { recipe: recipe as PythonRecipe, said: layers[0]!.notices.map(({ text }) => text) };
  };

  test('none: it is taken as it stands, and a build that has an index of its own comes from there', async () => {
    const { recipe, said } = await chosen({});
    expect(recipe.requirements).toEqual(['numpy==2.1.0', 'pandas==2.2.3', 'pywin32==306', 'torch==2.3.0+cu121']);
    expect(recipe).not.toHaveProperty('leeway');
    expect(recipe.indexes).toMatchObject({ torch: expect.stringContaining('https://download.pytorch.org/whl/cu121') as string });
    expect(said).toEqual([]);
  });

  test('are followed by name: what is left out, taken with what it needs, and added in place of what is there', async () => {
    const left = await chosen({ ignore: ['Numpy'], add: ['torch==2.4.0', 'boto3>=1.34'] });
    expect(left.recipe.requirements).toEqual(['pandas==2.2.3', 'pywin32==306']);
    expect(left.recipe.leeway).toMatchObject({ solve: ['boto3>=1.34', 'torch==2.4.0'], without: ['numpy'], completes: false });
    expect(left.said).toEqual(['left out as asked: numpy, which pandas needs']);
    const only = await chosen({ only: ['pandas'] });
    expect(only.recipe.requirements).toEqual(['numpy==2.1.0', 'pandas==2.2.3']);
    expect(only.said).toEqual(['only pandas and what they need: 2 of 5 Python packages']);
  });

  test('let versions yield, and rules drop what is of another system; of one package alone where one is named', async () => {
    const { recipe, said } = await chosen({ strictness: 'compatible', strictnessOf: { pandas: 'loose' } });
    expect(recipe.requirements).toEqual(['torch==2.3.0+cu121']);
    expect(recipe.leeway).toMatchObject({ yielding: ['torch'], solve: ['pandas>=2.2,<3'] });
    expect(said).toEqual(['changed for linux-x86_64: left out pywin32 (the API of Windows)']);
    const one = await chosen({ strictnessOf: { pandas: 'compatible' } });
    expect(one.recipe.requirements).toContain('pywin32==306');
    expect(one.recipe.leeway).toMatchObject({ yielding: ['pandas'], solve: [] });
  });

  test('take a lockfile whose hashes stay with what is taken as it stands', async () => {
    const files = { '.python-version': '3.12', 'requirements.txt': `numpy==2.1.0 ${HASH}\nattrs==24.2.0 ${HASH}\npywin32==306 ${HASH}\n` };
    const { recipe } = await chosen({ strictness: 'compatible', strictnessOf: { attrs: 'exact' } }, files);
    expect(recipe.requirements).toEqual([`attrs==24.2.0 ${HASH}`, `numpy==2.1.0 ${HASH}`]);
    expect(recipe.leeway).toMatchObject({ yielding: ['numpy'] });
  });

  test('take what a VM could not reach only where it is not left out', async () => {
    const files = { ...FILES, 'uv.lock': UV_LOCK.replace('{ name = "torch" }', '{ name = "secret" }'), 'pyproject.toml': '' };
    await expect(chosen({}, files)).rejects.toMatchObject({ message: expect.stringMatching(/^secret of .*needs credentials/) as string });
    expect((await chosen({ ignore: ['secret'] }, files)).recipe.requirements).toEqual(['numpy==2.1.0', 'pandas==2.2.3', 'pywin32==306']);
  });

  test('may add to no lockfile at all', async () => {
    const { recipe, said } = await chosen({ add: ['boto3==1.40.1'] }, { 'a.py': '', '.python-version': '3.12' });
    expect(recipe).toMatchObject({ requirements: [], leeway: { solve: ['boto3==1.40.1'] } });
    expect(said).toEqual([]);
  });

  test.each<[string, PackageChoices, Readonly<Record<string, string>>, RegExp, RegExp]>([
    [
      'a name that it does not have',
      { ignore: ['nunpy'] },
      FILES,
      /^Python 3\.12 \(uv\.lock\) has no package nunpy .*near are numpy/,
      /lockfile/,
    ],
    [
      'needs that it does not tell',
      { only: ['numpy'] },
      { '.python-version': '3.12', 'requirements.txt': 'numpy==2.1.0' },
      /requirements\.txt does not say what its packages need/,
      /--package-ignore.*uv\.lock/,
    ],
    [
      'a build that no index has',
      {},
      { '.python-version': '3.12', 'requirements.txt': 'mine==1.0+site7' },
      /^builds of Python 3\.12 \(requirements\.txt\) are in no index that a VM knows: mine==1\.0\+site7/,
      /--package-strictness mine=compatible/,
    ],
  ])('fail for %s', async (_what, choices, files, message, remedy) => {
    const error = { code: 'E_PACKAGE', message: expect.stringMatching(message) as string, remedy: expect.stringMatching(remedy) as string };
    await expect(chosen(choices, files)).rejects.toMatchObject(error);
  });
});

describe('a lockfile of npm', () => {
  const lock = (root: object): object => ({ lockfileVersion: 3, packages: { '': root, 'node_modules/a': { version: '1.0.0' } } });
  const node = (manifest: object, root: object) => capture({ 'package.json': manifest, 'package-lock.json': lock(root) }, ['node', 'a.js']);

  test('fits a package.json with the same dependencies, in whatever group npm keeps the optional ones', async () => {
    const dependencies = { a: '^1.0.0' };
    expect((await node({ dependencies }, { dependencies })).layers).toMatchObject([
      { kind: 'node', sources: expect.anything() as unknown },
    ]);
    expect((await node({ dependencies, optionalDependencies: dependencies }, { optionalDependencies: dependencies })).layers).toHaveLength(
      1,
    );
  });

  test('fails when it was made of another package.json, naming what differs', async () => {
    const stale = node({ dependencies: { a: '^2.0.0', b: '1' } }, { dependencies: { a: '^1.0.0', c: '1' } });
    await expect(stale).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringMatching(
        /a is \^2\.0\.0, and \^1\.0\.0 in package-lock\.json; b 1 is not in package-lock\.json; c is only in/,
      ) as string,
      remedy: expect.stringMatching(/npm install --package-lock-only/) as string,
    });
  });

  test('fails to be missing', async () => {
    const missing = capture({ 'package.json': { dependencies: { a: '1' } } }, ['node', 'a.js']);
    await expect(missing).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringMatching(/has dependencies, but no lockfile beside it or above/) as string,
    });
  });
});
