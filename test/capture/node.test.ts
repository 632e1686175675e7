import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { archiveNpm } from '../../lib/capture/node/npm-archive';
import { capturePackages, detectPackages } from '../../lib/capture/packages';
import { tar } from '../../lib/capture/tar';
import { bytesOf, capture, lockfile, MANIFEST, nodeContext, project, tree, writeTools } from './node-fixtures';
import { context, scratch } from './package-fixtures';

describe('capturing Node packages', () => {
  test('what an install reads of the nearest project is named, and npm travels', async () => {
    const root = project({
      'app/package.json': MANIFEST,
      'app/package-lock.json': lockfile(),
      'app/.npmrc': 'save-exact=true\n',
      'app/src/x.js': '',
    });
    const { layer, recipe, contents, include, said } = await capture(root, 'node x.js', { cwd: path.join(root, 'app', 'src') });
    expect(recipe).toMatchObject({
      node: { version: '22.3.0' },
      project: { directory: 'app', manager: 'npm', version: '10.9.0', start: 'app', packages: ['app'], dev: false, ownScripts: false },
      tools: [{ name: 'npm', version: '10.9.0' }],
    });
    expect(Object.keys(recipe.project!.inputs).sort()).toEqual(['app/.npmrc', 'app/package-lock.json', 'app/package.json']);
    expect([...include].sort()).toEqual(['app/package-lock.json', 'app/package.json']);
    expect(layer.sources.map(({ sha256 }) => sha256)).toEqual(contents.map(({ sha256 }) => sha256));
    expect(recipe.tools[0]!.archives).toEqual(contents.map(({ sha256 }) => sha256));
    expect(said).toEqual(['left out 2 development packages: the command names none of them (--dev-packages takes them along)']);
  });

  test('node alone needs no project, no npm and no packages', async () => {
    const bare = scratch();
    expect((await capture(bare)).recipe).toEqual({ node: { version: '22.3.0' }, tools: [], outside: {} });
    expect(await detectPackages(nodeContext(bare, 'make'))).toEqual([]);
  });

  test('a manager is carried when the command calls it, packages or not', async () => {
    expect((await capture(scratch(), 'npm run x')).recipe.tools).toMatchObject([{ name: 'npm', version: '10.9.0' }]);
    expect((await capture(scratch(), 'pnpm run x')).recipe.tools).toMatchObject([{ name: 'pnpm', version: '10.9.0' }]);
  });

  test('a lockfile that lists nothing to install carries nothing', async () => {
    const root = tree({ 'package.json': {}, 'package-lock.json': { lockfileVersion: 3, packages: { '': {} } } });
    expect((await capture(root)).recipe).toEqual({ node: { version: '22.3.0' }, tools: [], outside: {} });
  });

  test('the shrinkwrap wins over the lockfile', async () => {
    const root = project({ 'npm-shrinkwrap.json': lockfile() });
    expect(Object.keys((await capture(root)).recipe.project!.inputs)).toContain('npm-shrinkwrap.json');
  });

  test('the key is the same for the same project, wherever it lies, and another one when an input changes', async () => {
    const keyOf = async (root: string): Promise<string> => (await capture(root)).layer.key;
    const key = await keyOf(project());
    expect(await keyOf(project())).toBe(key);
    expect(await keyOf(project({ 'package.json': { ...MANIFEST, scripts: { x: 'y' } } }))).not.toBe(key);
    expect(await keyOf(project({ '.npmrc': 'legacy-peer-deps=true\n' }))).not.toBe(key);
  });
});

describe('packages of the developer’s own', () => {
  const LIB = { name: 'lib', version: '1.0.0', main: 'dist/index.js' };
  const links = (packages: object): object => ({
    name: 'app',
    lockfileVersion: 3,
    packages: { '': { name: 'app', dependencies: { lib: '*' } }, ...packages },
  });
  const WORKSPACE = {
    'package.json': { name: 'app', workspaces: ['packages/*', '!packages/old'], dependencies: { lib: '*' } },
    'package-lock.json': links({ 'packages/lib': { version: '1.0.0' }, 'node_modules/lib': { resolved: 'packages/lib', link: true } }),
    'packages/lib/package.json': LIB,
    'packages/old/package.json': { name: 'old', dependencies: { never: '1' } },
    'packages/lib/dist/index.js': '',
  };

  test('workspaces are installed from their project, and what is built in them travels though git may ignore it', async () => {
    const root = tree(WORKSPACE);
    const { recipe, include } = await capture(root, 'node x.js', { cwd: path.join(root, 'packages/lib') });
    expect(recipe.project).toMatchObject({ directory: '', start: 'packages/lib', packages: ['', 'packages/lib'] });
    expect(include).toContain('packages/lib/dist');
  });

  test('fails when a workspace is not in the lockfile, or only there', async () => {
    const fresh = tree({ ...WORKSPACE, 'packages/new/package.json': { name: 'new', dependencies: { x: '1' } } });
    await expect(capture(fresh)).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining('packages/new is not in package-lock.json') as string,
    });
    const { 'packages/lib/package.json': _deleted, ...left } = WORKSPACE;
    await expect(capture(tree(left))).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining('packages/lib is only in package-lock.json') as string,
    });
  });

  const linked = (range: string, entry: object): Record<string, unknown> => ({
    'package.json': { name: 'app', dependencies: { lib: range } },
    'package-lock.json': { lockfileVersion: 3, packages: { '': { dependencies: { lib: range } }, ...entry } },
  });

  test('a linked package in the tree is an input with all its files; one beside the tree travels by itself', async () => {
    const top = tree({
      'lib/package.json': { name: 'lib', main: 'dist/i.js' },
      'lib/a.js': '1',
      'lib/dist/i.js': '',
      'lib/.gitignore': 'dist\nlog\n',
      'lib/log': '',
    });
    const entry = { '../lib': {}, 'node_modules/lib': { resolved: '../lib', link: true } };
    const root = path.join(top, 'app');
    mkdirSync(root);
    for (const [name, value] of Object.entries(linked('file:../lib', entry))) writeFileSync(path.join(root, name), JSON.stringify(value));
    const captured = await capture(root);
    expect(captured.recipe.project!.packages).toEqual(['', '../lib']);
    const archive = bytesOf(captured, captured.recipe.outside['../lib']);
    const listed = execFileSync('tar', ['-tz'], { input: archive, encoding: 'utf8' });
    expect(listed.trim().split('\n').sort()).toEqual(['lib/.gitignore', 'lib/a.js', 'lib/dist/i.js', 'lib/package.json']);
    const inTree = tree({
      ...linked('file:lib', { lib: {}, 'node_modules/lib': { resolved: 'lib', link: true } }),
      'lib/package.json': {},
      'lib/a.js': '1',
    });
    const before = (await capture(inTree)).recipe;
    writeFileSync(path.join(inTree, 'lib/a.js'), '2');
    const after = (await capture(inTree)).recipe;
    expect(before.outside).toEqual({});
    expect(after.project!.inputs['lib']).not.toBe(before.project!.inputs['lib']);
  });

  test.each([
    ['whose target is gone', 'file:../gone', /there is nothing at .*gone/],
    ['by a path of this machine', 'file:/opt/lib', /a path that only this machine has/],
    ['too far above the tree', 'file:../../../../../../tmp', /a VM has no place for it/],
  ])('fails for a link %s', async (_what, range, message) => {
    const root = tree(linked(range, {}));
    await expect(capture(root)).rejects.toMatchObject({ code: 'E_PACKAGE', message: expect.stringMatching(message) as string });
  });

  test('patches and packed packages travel though git may ignore them', async () => {
    const { include, recipe } = await capture(
      project({ 'patches/left-pad+1.3.0.patch': 'diff', 'package.json': { ...MANIFEST, scripts: { postinstall: 'patch-package' } } }),
    );
    expect(include).toContain('patches/left-pad+1.3.0.patch');
    expect(recipe.project).toMatchObject({ ownScripts: true });
  });

  test('fails for what is there and cannot be read: it is no less a part of the install', async () => {
    const root = project({});
    symlinkSync('patches', path.join(root, 'patches'));
    await expect(capture(root)).rejects.toMatchObject({ code: 'ELOOP' });
  });
});

describe('development dependencies', () => {
  test.each([
    ['node x.js', false],
    ['tsx x.ts', true],
    ['npx tsx x.ts', true],
    ['node_modules/.bin/tsx x.ts', true],
    ['node --import=tsx x.ts', true],
    ['node --import tsx x.ts', true],
    ['node -r @swc/register x.js', true],
    ['node -r tsx/cjs x.js', true],
    ['npm run build', true],
    ['npm run deep', true],
    ['npm test', false],
    ['npm run loop', false],
    ['bash run.sh', true],
    ['make', true],
  ])('%p: %p', async (argv, dev) => {
    const scripts = {
      build: 'node a.js && tsx b.ts',
      deep: 'npm run middle',
      middle: 'npm run -s build',
      test: 'node test.js',
      loop: 'npm run loop',
    };
    const root = project({ 'package.json': { ...MANIFEST, scripts }, 'node_modules/.bin/tsx': '' });
    expect((await capture(root, argv)).recipe.project!.dev).toBe(dev);
  });

  test('travel on request', async () => {
    const { recipe, said } = await capture(project(), 'node x.js', { dev: true });
    expect(recipe.project!.dev).toBe(true);
    expect(said).toEqual([]);
  });
});

describe('Node packages that cannot be carried', () => {
  test('fails without any lockfile, and says how each manager writes one', async () => {
    const root = tree({ 'package.json': MANIFEST });
    await expect(capture(root)).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: `${root}/package.json has dependencies, but no lockfile beside it or above says which versions`,
      remedy: expect.stringContaining("npm: 'npm install --package-lock-only', pnpm:") as string,
    });
  });

  test('fails for a workspace whose lockfile lies above the tree, and says so', async () => {
    const top = project({ 'packages/a/package.json': MANIFEST });
    const root = path.join(top, 'packages/a');
    await expect(capture(root)).rejects.toMatchObject({
      remedy: expect.stringContaining(`${top}/package-lock.json lies above the synchronized tree`) as string,
    });
  });

  test('a command that may not even use Node is told instead of stopped', async () => {
    const { layers } = await capturePackages(context(tree({ 'package.json': MANIFEST }), ['make']));
    expect(layers[0]!.notices[0]).toMatchObject({ level: 'warning', text: expect.stringContaining('no lockfile') as string });
  });

  test.each([
    [
      'the lockfile',
      { 'package-lock.json': lockfile({ 'node_modules/p': { version: '1.0.0', resolved: 'https://me:s3cret@x.test/p.tgz' } }) },
    ],
    [
      'a dependency',
      {
        'package-lock.json': lockfile({ '': { dependencies: { p: 'git+https://s3cret@x.test/p.git' } } }),
        'package.json': { dependencies: { p: 'git+https://s3cret@x.test/p.git' } },
      },
    ],
  ])('fails for credentials in %s without showing them', async (_where, files) => {
    const error: unknown = await capture(project(files)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_PACKAGE', message: expect.stringContaining('credentials') as string });
    expect(JSON.stringify(error) + String(error)).not.toContain('s3cret');
  });

  test('git dependencies over ssh are left to npm', async () => {
    const root = project({
      'package-lock.json': lockfile({ 'node_modules/g': { version: '1.0.0', resolved: 'git+ssh://git@github.test/a/g.git#abc' } }),
    });
    expect((await capture(root)).recipe.project!.directory).toBe('');
  });

  test('fails for lockfiles of npm 6 and for damaged files', async () => {
    await expect(capture(project({ 'package-lock.json': { lockfileVersion: 1 } }))).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining('lockfile version 1; this version carries 2 and 3') as string,
    });
    await expect(capture(project({ 'package-lock.json': '{' }))).rejects.toMatchObject({ code: 'E_PACKAGE' });
    await expect(capture(project({ 'package.json': '{' }))).rejects.toMatchObject({ code: 'E_PACKAGE' });
  });
});

describe('npm as an archive', () => {
  test('holds what npm runs on, the same bytes every time', async () => {
    const root = scratch();
    const env = { PATH: writeTools(root) };
    const [one, two] = await Promise.all([archiveNpm({ env, cwd: root }), archiveNpm({ env, cwd: root })]);
    expect(two).toEqual(one);
    const target = path.join(root, 'unpacked');
    mkdirSync(target);
    writeFileSync(path.join(root, 'npm.tgz'), one!.content.bytes);
    execFileSync('tar', ['-xzf', path.join(root, 'npm.tgz'), '-C', target]);
    expect(readdirSync(path.join(target, 'package')).sort()).toEqual(['bin', 'index.js', 'lib', 'node_modules', 'package.json']);
  });

  test('tar reads what is written: long paths, sizes around a block, exec bits', () => {
    const root = scratch();
    const long = `${'directory/'.repeat(15)}${'n'.repeat(90)}`;
    const files = [0, 1, 511, 512, 513].map((size) => ({ path: `file${size}`, bytes: Buffer.alloc(size, 'x'), executable: size === 1 }));
    writeFileSync(path.join(root, 'a.tar'), tar([...files, { path: long, bytes: Buffer.from('deep'), executable: false }]));
    execFileSync('tar', ['-xf', 'a.tar'], { cwd: root });
    for (const { path: name, bytes } of files) expect(readFileSync(path.join(root, name)).equals(bytes)).toBe(true);
    expect(readFileSync(path.join(root, long), 'utf8')).toBe('deep');
    expect(execFileSync('ls', ['-l', 'file1'], { cwd: root, encoding: 'utf8' })).toMatch(/^-rwx/);
  });

  test('paths of any length and in any script come out of tar as they went in', () => {
    const directory = scratch();
    const long = `${'ä'.repeat(60)}/${'x'.repeat(120)}`;
    const archive = tar([
      { path: long, bytes: Buffer.from('long'), executable: true },
      { path: 'short', bytes: Buffer.from('short'), executable: false },
    ]);
    execFileSync('tar', ['-x', '-C', directory], { input: archive });
    expect(readFileSync(path.join(directory, long), 'utf8')).toBe('long');
    expect(readFileSync(path.join(directory, 'short'), 'utf8')).toBe('short');
  });
});
