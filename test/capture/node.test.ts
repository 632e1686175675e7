import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { archiveNpm } from '../../lib/capture/node/npm-archive';
import { tar } from '../../lib/capture/tar';
import { capturePackages, detectPackages } from '../../lib/capture/packages';
import { NodeRecipeSchema } from '../../lib/contract';
import type { CaptureContext, Layer, NodeRecipe, SourceContent } from '../../lib/contract';
import { context, scratch, write, writeProgram } from './package-fixtures';

const MANIFEST = { name: 'app', version: '1.0.0', dependencies: { 'left-pad': '^1.3.0' }, devDependencies: { tsx: '^4.0.0' } };

/** One package that the program needs, one that only development does. */
function lockfile(packages: object = {}): object {
  return {
    name: 'app',
    lockfileVersion: 3,
    packages: {
      '': MANIFEST,
      'node_modules/left-pad': { version: '1.3.0', resolved: 'https://registry.test/left-pad-1.3.0.tgz' },
      'node_modules/tsx': { version: '4.0.0', resolved: 'https://registry.test/tsx-4.0.0.tgz', dev: true, bin: { tsx: 'dist/cli.mjs' } },
      'node_modules/@swc/register': { version: '1.0.0', resolved: 'https://registry.test/swc-1.0.0.tgz', dev: true },
      ...packages,
    },
  };
}

/** A tree with a node and an npm of its own. */
function project(files: object = {}): string {
  const root = scratch();
  write(root, { 'package.json': MANIFEST, 'package-lock.json': lockfile(), ...files });
  writeProgram(path.join(root, 'tools', 'bin', 'node'), '#!/bin/sh\necho v22.3.0\n');
  const npm = path.join(root, 'tools', 'lib', 'node_modules', 'npm');
  write(npm, {
    'package.json': { name: 'npm', version: '10.9.0' },
    'lib/cli.js': '',
    'node_modules/abbrev/index.js': '',
    'docs/long.md': 'x',
    'index.js': '',
  });
  writeProgram(path.join(npm, 'bin', 'npm-cli.js'), '#!/usr/bin/env node\n');
  return root;
}

function options(root: string, change: Partial<CaptureContext> = {}): Partial<CaptureContext> {
  return { env: { PATH: path.join(root, 'tools', 'bin') }, ...change };
}

async function capture(root: string, argv: string, change = {}): Promise<{ layer: Layer; recipe: NodeRecipe; contents: SourceContent[] }> {
  const { layers, contents } = await capturePackages(context(root, argv.split(' '), options(root, change)));
  expect(layers).toHaveLength(1);
  return { layer: layers[0]!, recipe: v.parse(NodeRecipeSchema, layers[0]!.recipe), contents };
}

function textOf(contents: readonly SourceContent[], sha256: string | undefined): string {
  return Buffer.from(contents.find((content) => content.sha256 === sha256)!.bytes).toString();
}

describe('capturing Node packages', () => {
  test('package.json, lockfile and .npmrc of the nearest project travel, and npm itself', async () => {
    const root = project({
      'app/package.json': MANIFEST,
      'app/package-lock.json': lockfile(),
      'app/.npmrc': 'save-exact=true\n',
      'app/src/x.js': '',
    });
    const { layer, recipe, contents } = await capture(root, 'node x.js', { cwd: path.join(root, 'app', 'src') });
    expect(recipe).toMatchObject({ node: '22.3.0', directory: 'app', dev: false, npm: { version: '10.9.0' } });
    expect(Object.keys(recipe.files).sort()).toEqual(['.npmrc', 'package-lock.json', 'package.json']);
    expect(textOf(contents, recipe.files['package-lock.json'])).toBe(JSON.stringify(lockfile()));
    expect(layer.sources.map(({ sha256 }) => sha256).sort()).toEqual(contents.map(({ sha256 }) => sha256).sort());
    expect(layer.notices).toEqual([{ level: 'info', text: 'left out 2 development packages: the command names none of them' }]);
  });

  test('node alone needs no project, no npm and no packages', async () => {
    const root = project();
    const bare = scratch();
    const { recipe } = await capture(bare, 'node x.js', options(root));
    expect(recipe).toEqual({ node: '22.3.0', files: {}, dev: false });
    expect(await detectPackages(context(bare, ['make'], options(root)))).toEqual([]);
  });

  test('npm is carried when the command calls it, packages or not', async () => {
    const root = project();
    const { recipe } = await capture(scratch(), 'npm run x', options(root));
    expect(recipe).toMatchObject({ files: {}, npm: { version: '10.9.0' } });
  });

  test('the root scripts stay, and those that install would have run are told', async () => {
    const root = project({
      'package.json': { ...MANIFEST, scripts: { prepare: 'husky', postinstall: 'node gen.js' }, engines: { node: '22' } },
    });
    const { layer, recipe, contents } = await capture(root, 'node x.js');
    const carried: unknown = JSON.parse(textOf(contents, recipe.files['package.json']));
    expect(carried).toMatchObject({ name: 'app', dependencies: MANIFEST.dependencies, engines: { node: '22' } });
    expect(carried).not.toHaveProperty('scripts');
    expect(layer.notices).toContainEqual({ level: 'warning', text: "the project's own postinstall script is not run on the VM" });
  });

  test('a lockfile that lists nothing to install carries nothing', async () => {
    const root = project({ 'package.json': {}, 'package-lock.json': { lockfileVersion: 3, packages: { '': {} } } });
    expect((await capture(root, 'node x.js')).recipe).toEqual({ node: '22.3.0', files: {}, dev: false });
  });

  test('the shrinkwrap wins over the lockfile', async () => {
    const root = project({ 'npm-shrinkwrap.json': lockfile() });
    expect(Object.keys((await capture(root, 'node x.js')).recipe.files)).toContain('npm-shrinkwrap.json');
  });

  test('the key is the same for the same project, wherever it lies', async () => {
    const keys = await Promise.all([project(), project()].map(async (root) => (await capture(root, 'node x.js')).layer.key));
    expect(keys[1]).toBe(keys[0]);
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
    expect((await capture(root, argv)).recipe.dev).toBe(dev);
  });
});

describe('Node packages that cannot be carried', () => {
  test.each([
    ['pnpm-lock.yaml', 'pnpm'],
    ['yarn.lock', 'yarn'],
    ['bun.lock', 'bun'],
  ])('fails without package-lock.json, naming %s', async (name, manager) => {
    const root = scratch();
    write(root, { 'package.json': MANIFEST, [name]: '' });
    await expect(detectPackages(context(root, ['node', 'x.js']))).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: `${root}/package.json has dependencies; package-lock.json is what this version carries, ${name} of ${manager} was found, and ${manager} is coming`,
      remedy: expect.stringContaining('npm install --package-lock-only') as string,
    });
  });

  test('a command that may not even use Node is told instead of stopped', async () => {
    const root = scratch();
    write(root, { 'package.json': MANIFEST, 'yarn.lock': '' });
    const { layers } = await capturePackages(context(root, ['make']));
    expect(layers[0]!.notices[0]).toMatchObject({ level: 'warning', text: expect.stringContaining('yarn is coming') as string });
  });

  test.each([
    ['a workspace', { 'node_modules/lib': { resolved: 'packages/lib', link: true } }, 'lib (linked to packages/lib)'],
    ['a local archive', { 'node_modules/@me/x': { version: '1.0.0', resolved: 'file:x.tgz' } }, '@me/x (from file:x.tgz)'],
  ])('fails for %s by name', async (_what, packages, text) => {
    const root = project({ 'package-lock.json': lockfile(packages) });
    await expect(capture(root, 'node x.js')).rejects.toMatchObject({ code: 'E_PACKAGE', message: expect.stringContaining(text) as string });
  });

  test.each([
    [
      'the lockfile',
      { 'package-lock.json': lockfile({ 'node_modules/p': { version: '1.0.0', resolved: 'https://me:s3cret@x.test/p.tgz' } }) },
    ],
    ['a dependency', { 'package-lock.json': lockfile({ '': { dependencies: { p: 'git+https://s3cret@x.test/p.git' } } }) }],
    ['.npmrc', { '.npmrc': '//x.test/:_authToken=s3cret\n' }],
    ['a registry of .npmrc', { '.npmrc': 'registry=https://me:s3cret@x.test/\n' }],
  ])('fails for credentials in %s without showing them', async (_where, files) => {
    const error: unknown = await capture(project(files), 'node x.js').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_PACKAGE', message: expect.stringMatching(/secret|credentials/) as string });
    expect(JSON.stringify(error) + String(error)).not.toContain('s3cret');
  });

  test('git dependencies over ssh are left to npm', async () => {
    const root = project({
      'package-lock.json': lockfile({ 'node_modules/g': { version: '1.0.0', resolved: 'git+ssh://git@github.test/a/g.git#abc' } }),
    });
    expect((await capture(root, 'node x.js')).recipe.directory).toBe('');
  });

  test('fails for lockfiles of npm 6 and for damaged files', async () => {
    await expect(capture(project({ 'package-lock.json': { lockfileVersion: 1 } }), 'node x.js')).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining('lockfileVersion 1; this version carries 2 and 3') as string,
    });
    await expect(capture(project({ 'package-lock.json': '{' }), 'node x.js')).rejects.toMatchObject({ code: 'E_PACKAGE' });
    await expect(capture(project({ 'package.json': '{' }), 'node x.js')).rejects.toMatchObject({ code: 'E_PACKAGE' });
  });

  test.each(['pnpm', 'yarn', 'bun'])('fails for %s as the program', async (tool) => {
    await expect(detectPackages(context(scratch(), [tool, 'test']))).rejects.toMatchObject({
      code: 'E_PACKAGE',
      remedy: expect.stringContaining('npm run') as string,
    });
  });
});

describe('npm as an archive', () => {
  test('holds what npm runs on, the same bytes every time', async () => {
    const root = project();
    const [one, two] = await Promise.all([
      archiveNpm({ env: options(root).env!, cwd: root }),
      archiveNpm({ env: options(root).env!, cwd: root }),
    ]);
    expect(two).toEqual(one);
    const target = path.join(root, 'unpacked');
    mkdirSync(target);
    writeFileSync(path.join(root, 'npm.tgz'), one!.content.bytes);
    execFileSync('tar', ['-xzf', path.join(root, 'npm.tgz'), '-C', target]);
    expect(readdirSync(target).sort()).toEqual(['bin', 'index.js', 'lib', 'node_modules', 'package.json']);
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
