import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { PythonRecipeSchema } from '../../lib/contract';
import type { LocalPackage } from '../../lib/contract';
import { entryPointsIn } from '../../lib/contract';
import { pythonTest, scratch, write, writeVenv, python3, writeProgram } from '../capture/package-fixtures';
import { install, installEditable, writeProject } from '../capture/python-installs';
import { twin } from './python-round-trip';
import type { Twin } from './python-round-trip';

/** A tree and an environment of the machine's own Python in it. */
function place(directory = scratch()): { root: string; venv: string; site: string } {
  const root = path.join(directory, 'tree');
  const venv = path.join(root, '.venv');
  return { root, venv, site: writeVenv(venv, [], python3!.minor) };
}

function localsOf({ layer }: Twin): readonly LocalPackage[] {
  return v.parse(PythonRecipeSchema, layer.recipe).local ?? [];
}

describe('editable installs', () => {
  const finder = (project: string, name: string): string =>
    `import sys\nfrom importlib.machinery import ModuleSpec, PathFinder\nMAPPING: dict[str, str] = {'${name}': '${project}/src/${name}'}\n` +
    'class F:\n    @classmethod\n    def find_spec(cls, fullname, path=None, target=None):\n        if fullname in MAPPING:\n' +
    '            return PathFinder.find_spec(fullname, [MAPPING[fullname].rpartition("/")[0]])\ndef install():\n    sys.meta_path.append(F)\n';

  pythonTest.each([
    ['setuptools', (dir: string) => ({ '__editable__.lib-0.1.0.pth': `${dir}/src\n` })],
    ['hatchling', (dir: string) => ({ '_lib.pth': `${dir}/src` })],
    ['flit, poetry-core, uv_build', (dir: string) => ({ 'lib.pth': `${dir}/src\n` })],
    [
      "setuptools' finder",
      (dir: string) => ({
        '__editable__.lib-0.1.0.pth': 'import __editable___lib_finder; __editable___lib_finder.install()\n',
        '__editable___lib_finder.py': finder(dir, 'lib'),
      }),
    ],
  ])('of %s point at the same place of the tree, and their programs run', async (_backend, files) => {
    const { root, venv, site } = place();
    const project = path.join(root, 'packages', 'lib');
    writeProject(project, 'lib');
    installEditable(site, project, 'lib', files(project));
    const there = await twin({ root, venv });
    expect(there.run('lib')).toBe(`lib of ${there.io.root}/packages/lib/src/lib/__init__.py`);
    expect(localsOf(there)).toMatchObject([{ kind: 'files', name: 'lib', version: '0.1.0', places: [{ tree: 'packages/lib' }] }]);
    expect(JSON.stringify(there.layer.recipe)).not.toContain(root);
    const version = 'import importlib.metadata as m; print(m.version("lib"))';
    expect(there.run('python', '-c', version)).toBe('0.1.0');
  });

  pythonTest('of a workspace with spaces and umlauts in its path, three packages, one of them outside of the tree', async () => {
    const directory = path.join(scratch(), 'größe und maß');
    const { root, venv, site } = place(directory);
    const projects = { one: path.join(root, 'one'), two: path.join(root, 'zwei ü'), three: path.join(directory, 'elsewhere', 'three') };
    for (const [name, project] of Object.entries(projects)) {
      writeProject(project, name);
      installEditable(site, project, name, { [`_${name}.pth`]: `${project}/src\n` });
    }
    write(projects.three, { '.gitignore': '*.log\n', 'a.log': 'x' });
    const there = await twin({ root, venv });
    expect(there.run('one')).toContain(`${there.io.root}/one/src`);
    expect(there.run('two')).toContain(`${there.io.root}/zwei ü/src`);
    expect(there.run('three')).toContain(path.join(there.io.directory, 'local'));
    const three = localsOf(there).find(({ name }) => name === 'three');
    expect(three).toMatchObject({ places: [{ path: '' }] });
    expect(existsSync(path.join(path.dirname(there.run('three').split(' of ')[1]!), '../../a.log'))).toBe(false);
  });

  pythonTest('bring along what their back end generated though git ignores it, and never over a file of the tree', async () => {
    const { root, venv, site } = place();
    writeProject(root, 'lib');
    write(root, { 'src/lib/_version.py': 'version = "0.1.dev7"\n' });
    installEditable(site, root, 'lib', { '_lib.pth': `${root}/src\n` });
    const there = await twin({ root, venv, carries: (file) => !file.endsWith('_version.py') });
    expect(there.run('python', '-c', 'from lib._version import version; print(version)')).toBe('0.1.dev7');
    const kept = await twin({ root, venv });
    expect(kept.run('python', '-c', 'from lib._version import version; print(version)')).toBe('0.1.dev7');
  });

  pythonTest('of an ignored directory in the tree travel by themselves', async () => {
    const { root, venv, site } = place();
    const project = path.join(root, 'vendor', 'lib');
    writeProject(project, 'lib');
    write(root, { '.gitignore': 'vendor/\n' });
    mkdirSync(path.join(root, '.git'));
    installEditable(site, project, 'lib', { '_lib.pth': `${project}/src\n` });
    const there = await twin({ root, venv, carries: (file) => !file.includes('/vendor') });
    expect(there.run('lib')).toContain('/local/');
  });

  pythonTest('of setup.py develop, and directories that a .pth adds by hand', async () => {
    const { root, venv, site } = place();
    const project = path.join(root, 'old');
    write(project, {
      'old/__init__.py': 'def main(): print("old")\n',
      'old.egg-info/PKG-INFO': 'Name: old\nVersion: 3.1\n',
      'old.egg-info/entry_points.txt': '[console_scripts]\nold = old:main\n',
      '../more/more.py': 'X = 7\n',
    });
    write(site, { 'old.egg-link': `${project}\n.`, 'easy-install.pth': `${project}\n`, 'extra.pth': `${path.join(root, 'more')}\n` });
    const there = await twin({ root, venv, carries: (file) => !file.endsWith('.egg-info') });
    expect(there.run('old')).toBe('old');
    expect(there.run('python', '-c', 'import more, importlib.metadata as m; print(more.X, m.version("old"))')).toBe('7 3.1');
  });

  pythonTest('fails for a source that was moved, naming it', async () => {
    const { root, venv, site } = place();
    installEditable(site, path.join(root, 'gone'), 'lib', { '_lib.pth': `${root}/gone/src\n` });
    await expect(twin({ root, venv })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining(`lib (an editable install of ${root}/gone, which is not there any more)`) as string,
      remedy: expect.stringContaining('Install them again') as string,
    });
  });
});

describe('installs of files and repositories', () => {
  pythonTest('pure ones travel as they are installed, wherever they came from: files, data, scripts, programs', async () => {
    const { root, venv, site } = place();
    install(site, {
      name: 'my-tool',
      directUrl: { url: 'ssh://git@host.test/x', vcs_info: { vcs: 'git', commit_id: 'abc' } },
      files: {
        'my_tool/__init__.py': 'def main(): print("tool")\n',
        'my_tool/odd, name.txt': 'odd',
        '../../../share/my-tool/data.txt': 'data',
        '../../../bin/my-script': `#!${venv}/bin/python\nimport my_tool\nmy_tool.main()\n`,
      },
      entryPoints: '[console_scripts]\nmy-tool = my_tool:main\n',
    });
    const there = await twin({ root, venv });
    expect(there.run('my-tool')).toBe('tool');
    expect(readFileSync(path.join(there.built.env['VIRTUAL_ENV']!, 'share/my-tool/data.txt'), 'utf8')).toBe('data');
    expect(there.run('python', '-c', 'import my_tool, os; print(os.listdir(my_tool.__path__[0]).count("odd, name.txt"))')).toBe('1');
    expect(localsOf(there)).toMatchObject([{ kind: 'files', name: 'my-tool', places: [], rewritten: [] }]);
  });

  pythonTest('a compiled one is built on the VM from its directory; without a compiler it fails before anything is built', async () => {
    const { root, venv, site } = place();
    const project = path.join(root, 'fast');
    write(project, { 'setup.py': 'ext', 'fast.c': 'int x;' });
    const url = `file://${project}`;
    install(site, { name: 'fast', tag: 'cp311-cp311-linux_x86_64', directUrl: { url, dir_info: {} }, files: { 'fast.so': '' } });
    const bare = path.join(scratch(), 'bin');
    mkdirSync(bare);
    await expect(twin({ root, venv, path: [bare] })).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringMatching(/^fast was compiled on your machine .* has no cc, gcc, clang$/) as string,
      remedy: expect.stringContaining('--image') as string,
      data: { package: 'fast' },
    });
    writeProgram(path.join(bare, 'cc'), '#!/bin/sh\n');
    const failing = twin({ root, venv, path: [bare, '/bin'] });
    // The installer of the tests cannot build; that it was asked to is what counts.
    await expect(failing).rejects.toMatchObject({ code: 'E_ENVIRONMENT' });
  });

  pythonTest('the commit of a repository on this machine is what a compiled one is built from', async () => {
    const { root, venv, site } = place();
    const repository = path.join(scratch(), 'repo');
    write(repository, { 'setup.py': 'first' });
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=x', '-c', 'user.email=x@x.test', ...args], { encoding: 'utf8' }).trim();
    git('init', '-q');
    git('add', '.');
    git('commit', '-qm', 'first');
    const commit = git('rev-parse', 'HEAD');
    const url = `file://${repository}`;
    const vcs = (id: string): unknown => ({ url, vcs_info: { vcs: 'git', commit_id: id } });
    const files = { 'fast.so': '' };
    install(site, { name: 'fast', tag: 'cp311-cp311-linux_x86_64', directUrl: vcs(commit), files });
    await expect(twin({ root, venv, path: ['/nowhere'] })).rejects.toMatchObject({ data: { package: 'fast' } });
    rmSync(path.join(site, 'fast-0.1.0.dist-info'), { recursive: true });
    install(site, { name: 'fast', tag: 'cp311-cp311-linux_x86_64', directUrl: vcs('0'.repeat(40)), files });
    await expect(twin({ root, venv })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining(`commit 000000000000 of ${repository}, which git does not give any more`) as string,
    });
  });

  pythonTest('fails for wheels that are gone, changed, or made for another platform', async () => {
    const { root, venv, site } = place();
    const wheel = path.join(root, 'fast-0.1.0-cp311-cp311-linux_aarch64.whl');
    const tag = 'cp311-cp311-linux_aarch64';
    const archive = (hashes?: Record<string, string>): unknown => ({ url: `file://${wheel}`, archive_info: { hashes } });
    const expectFailure = async (directUrl: unknown, why: string): Promise<void> => {
      install(site, { name: 'fast', tag, directUrl, files: { 'fast.so': '' } });
      await expect(twin({ root, venv })).rejects.toMatchObject({
        code: 'E_PACKAGE',
        message: expect.stringContaining(why) as string,
      });
    };
    await expectFailure(archive(), 'is not there any more');
    writeFileSync(wheel, 'wheel');
    await expectFailure(archive({ sha256: 'ff' }), 'is another file by now');
    await expectFailure(archive(), 'made for linux-arm64, not linux-x86_64');
  });
});

test('entry points: sections, extras, objects in objects', () => {
  expect(entryPointsIn('[console_scripts]\na = m.n:f\nb = m:C.run [extra]\n# c = d:e\n[other]\nx = y:z\n')).toEqual([
    { name: 'a', module: 'm.n', attribute: 'f' },
    { name: 'b', module: 'm', attribute: 'C.run' },
  ]);
});
