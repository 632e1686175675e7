import path from 'node:path';
import { python3 } from '../capture/package-fixtures';
import { LIST, openWorkshop } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
let repository: string;
beforeAll(async () => {
  shop = await openWorkshop();
  repository = await bareRepository(path.join(shop.house.directory, 'elsewhere'));
});
afterAll(() => shop.close());

const BUILD = '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n';

function pyproject(name: string, dependencies: readonly string[], more = ''): string {
  const needs = JSON.stringify(dependencies);
  return `[project]\nname = "${name}"\nversion = "1.0"\nrequires-python = ">=${python3!.minor}"\ndependencies = ${needs}\n${BUILD}${more}`;
}

/** Three packages that need each other; one of them is compiled. */
const PACKAGES = {
  'packages/app/src/app/__init__.py': 'from core import twice\nfrom fast import add\n\ndef answer():\n    return add(twice(20), 2)\n',
  'packages/core/src/core/__init__.py': 'from fast import add\n\ndef twice(x):\n    return add(x, x)\n',
  'packages/fast/pyproject.toml': pyproject(
    'fast',
    [],
    '[tool.setuptools.packages.find]\nwhere = ["src"]\n[[tool.setuptools.ext-modules]]\nname = "fast._add"\nsources = ["add.c"]\n',
  ),
  'packages/fast/add.c': `#include <Python.h>
static PyObject *add(PyObject *self, PyObject *args) { long a, b; return PyArg_ParseTuple(args, "ll", &a, &b) ? PyLong_FromLong(a + b) : NULL; }
static PyMethodDef methods[] = {{"add", add, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_add", NULL, -1, methods};
PyMODINIT_FUNC PyInit__add(void) { return PyModule_Create(&module); }
`,
  'packages/fast/src/fast/__init__.py': 'from fast._add import add\n',
  '.gitignore': '.venv/\n*.egg-info/\n*.so\nbuild/\n',
};

/** A package in a repository that no VM of the real cloud could reach. @returns the URL that installers take, at a commit that is not the newest */
async function bareRepository(directory: string): Promise<string> {
  const { house, tool } = shop;
  const work = path.join(directory, 'work');
  const git = (...args: readonly string[]): Promise<string> =>
    tool('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-C', work, ...args]);
  await tool('git', ['init', '--quiet', work]);
  const write = (word: string): Promise<unknown> =>
    house.write({
      [path.relative(house.project, path.join(work, 'pyproject.toml'))]: pyproject(
        'gitted',
        [],
        '[tool.setuptools]\npy-modules = ["gitted"]\n',
      ),
      [path.relative(house.project, path.join(work, 'gitted.py'))]: `WORD = "${word}"\n`,
    });
  await write('of the commit');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'one');
  const commit = (await git('rev-parse', 'HEAD')).trim();
  await write('newer');
  await git('commit', '--quiet', '-am', 'two');
  const bare = path.join(directory, 'gitted.git');
  await tool('git', ['clone', '--quiet', '--bare', work, bare]);
  return `git+file://${bare}@${commit}`;
}

/** What is installed and what a program says, here and on a VM. */
async function isEqual(cwd: string, expected: string): Promise<void> {
  const { tool, run } = shop;
  const python = '.venv/bin/python';
  const output = await tool(python, ['main.py'], { cwd });
  expect(output).toBe(expected);
  expect(await run(['--', python, 'main.py'], { cwd })).toBe(output);
  expect(await run(['--', python, ...LIST], { cwd })).toBe(await tool(python, LIST, { cwd }));
}

test('a workspace of uv, one of its packages compiled, a git dependency, and numpy, pandas, pyarrow and scikit-learn', async () => {
  const { house, tool } = shop;
  const sources = '[tool.uv.sources]\n';
  const [url, commit] = repository.replace('git+', '').split('@');
  const root = `[project]\nname = "study"\nversion = "1.0"\nrequires-python = ">=${python3!.minor}"\ndependencies = ["app", "gitted", "numpy", "pandas", "pyarrow", "scikit-learn"]\n`;
  await house.write(
    inDirectory('study', {
      ...PACKAGES,
      'pyproject.toml': `${root}[tool.uv.workspace]\nmembers = ["packages/*"]\n${sources}app = { workspace = true }\ngitted = { git = "${url}", rev = "${commit}" }\n`,
      'packages/app/pyproject.toml': pyproject(
        'app',
        ['core', 'fast'],
        `${sources}core = { workspace = true }\nfast = { workspace = true }\n`,
      ),
      'packages/core/pyproject.toml': pyproject('core', ['fast'], `${sources}fast = { workspace = true }\n`),
      'main.py': `import app, gitted, numpy, pandas, pyarrow
from sklearn.linear_model import LinearRegression
x = numpy.arange(10).reshape(-1, 1)
model = LinearRegression().fit(x, 3 * x.ravel() + 1)
table = pyarrow.Table.from_pandas(pandas.DataFrame({"a": [1, 2]}))
print(app.answer(), gitted.WORD, round(model.coef_[0], 6), table.num_rows)
`,
    }),
  );
  const cwd = path.join(house.project, 'study');
  await tool('git', ['init', '--quiet'], { cwd });
  await tool('uv', ['sync', '--quiet', '--python', python3!.minor], { cwd });
  await isEqual(cwd, '42 of the commit 3.0 2\n');
});

test('pip: three editable packages, one of them compiled, a git dependency, and a file of requirements with hashes', async () => {
  const { house, tool } = shop;
  await house.write(
    inDirectory('of-pip', {
      ...PACKAGES,
      'packages/app/pyproject.toml': pyproject('app', ['core', 'fast']),
      'packages/core/pyproject.toml': pyproject('core', ['fast']),
      'requirements.in': 'idna==3.7\n',
      'main.py': 'import app, gitted, idna\nprint(app.answer(), gitted.WORD, idna.encode("münchen.de"))\n',
    }),
  );
  const cwd = path.join(house.project, 'of-pip');
  await tool('git', ['init', '--quiet'], { cwd });
  await tool('python3', ['-m', 'venv', '.venv'], { cwd });
  const pip = (...words: readonly string[]): Promise<string> =>
    tool('.venv/bin/python', ['-m', 'pip', 'install', '--quiet', ...words], { cwd });
  await tool('uv', ['pip', 'compile', '--quiet', '--generate-hashes', '--output-file', 'requirements.txt', 'requirements.in'], { cwd });
  await pip('--require-hashes', '--requirement', 'requirements.txt');
  await pip(repository, '--editable', 'packages/fast', '--editable', 'packages/core', '--editable', 'packages/app');
  await isEqual(cwd, "42 of the commit b'xn--mnchen-3ya.de'\n");
});

function inDirectory(directory: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [path.join(directory, name), text]));
}
