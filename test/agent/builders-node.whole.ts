import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { builders } from '../../lib/agent/builders';
import { archiveNpm } from '../../lib/capture/node/npm-archive';
import { tar } from '../../lib/capture/tar';
import type { NodeRecipe } from '../../lib/contract';
import { restoreParts } from '../../lib/store/environments/restore';
import { takeSnapshot } from '../../lib/store/environments/snapshot';
import { storeEnvironment } from '../../lib/store/environments/store';
import { createMemoryStore } from '../../lib/store/memory';
import { scratch, write, writeProgram } from '../capture/package-fixtures';
import { fakeVm, layer } from './build-io';
import type { FakeVm } from './build-io';

const node = builders['node']!;

/** A directory with links to programs of this machine, and no others. */
function toolbox(directory: string, names: readonly string[]): string {
  const bin = path.join(directory, 'toolbox');
  mkdirSync(bin, { recursive: true });
  for (const name of names) {
    const there = ['/usr/bin', '/bin', ...(process.env['PATH'] ?? '').split(':')]
      .map((d) => path.join(d, name))
      .find((file) => existsSync(file));
    symlinkSync(realpathSync(there!), path.join(bin, name));
  }
  return bin;
}

/** A VM with these programs and no others. */
function vm(names: readonly string[]): FakeVm {
  const directory = scratch();
  return fakeVm(directory, { path: [toolbox(directory, names)] });
}

/** A package as npm packs it, with a program and an install script. */
function packedTool(install = "node -e \"require('fs').writeFileSync('installed', '')\""): Buffer {
  const file = (name: string, text: string, executable = false) => ({ path: `package/${name}`, bytes: Buffer.from(text), executable });
  const manifest = {
    name: 'tool',
    version: '1.0.0',
    bin: { tool: 'cli.js' },
    scripts: { install },
  };
  return gzipSync(
    tar([file('package.json', JSON.stringify(manifest)), file('cli.js', '#!/usr/bin/env node\nconsole.log("tool runs")\n', true)]),
  );
}

interface ProjectOptions {
  readonly dev?: boolean;
  /** The package is asked for by development alone. @default false */
  readonly asDev?: boolean;
  readonly directory?: string;
  readonly scripts?: object;
}

/** Puts a project into the tree whose only package lies beside its lockfile, so that nothing is fetched. @returns a recipe for it */
function addProject(io: FakeVm, { dev = false, asDev = false, directory = '', scripts = {} }: ProjectOptions = {}): NodeRecipe {
  const dependencies = { [asDev ? 'devDependencies' : 'dependencies']: { tool: 'file:tool.tgz' } };
  const manifest = { name: 'app', version: '1.0.0', ...dependencies };
  const entry = {
    version: '1.0.0',
    resolved: 'file:tool.tgz',
    hasInstallScript: true,
    bin: { tool: 'cli.js' },
    ...(asDev ? { dev: true } : {}),
  };
  write(path.join(io.root, directory), {
    'package.json': { ...manifest, scripts },
    'package-lock.json': {
      name: 'app',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: { '': manifest, 'node_modules/tool': entry },
    },
  });
  writeFileSync(path.join(io.root, directory, 'tool.tgz'), packedTool());
  return {
    tools: [{ name: 'npm', version: '0', archives: [] }],
    project: {
      directory,
      manager: 'npm',
      version: '0',
      start: directory,
      packages: [directory],
      inputs: {},
      dev,
      ownScripts: Object.keys(scripts).some((name) => name.endsWith('install')),
      settings: {},
    },
    outside: {},
  };
}

const NOTHING: NodeRecipe = { tools: [], outside: {} };

describe('the Node builder', () => {
  test('without packages puts the node of the agent on PATH, as the VM has none', async () => {
    const io = fakeVm(scratch(), { path: ['/nowhere'] });
    const built = await node.build(layer('node', { ...NOTHING, node: { version: process.versions.node } }), io);
    expect(readlinkSync(path.join(built.path[0]!, 'node'))).toBe(process.execPath);
    expect(built).toMatchObject({ env: {}, notices: [] });
    expect(io.commands).toEqual([]);
  });

  test("takes the VM's node when no other one travelled, and tells when its version is another one", async () => {
    const directory = scratch();
    const bin = path.join(directory, 'bin');
    writeProgram(path.join(bin, 'node'), '#!/bin/sh\necho v18.1.0\n');
    const build = (version: string) => node.build(layer('node', { ...NOTHING, node: { version } }), fakeVm(directory, { path: [bin] }));
    const built = await build('22.3.0');
    expect(readlinkSync(path.join(built.path[0]!, 'node'))).toBe(path.join(bin, 'node'));
    expect(built.notices).toEqual([{ level: 'warning', text: 'Node 18.1.0 runs on the VM, 22.3.0 on your machine' }]);
    expect((await build('18.1.7')).notices).toEqual([]);
  });

  test('unpacks the node that travelled where the VM and the agent have other ones', async () => {
    const directory = scratch();
    const io = fakeVm(directory, { path: [toolbox(directory, ['tar', 'gzip', 'sh', 'node'])] });
    const archive = gzipSync(tar([{ path: 'package/bin/node', bytes: Buffer.from('#!/bin/sh\necho v6.1.0\n'), executable: true }]));
    const made = layer('node', { ...NOTHING, node: { version: '6.1.0', archive: io.addSource(archive) } });
    const built = await node.build(made, io);
    expect(execFileSync(path.join(built.path[0]!, 'node'), { encoding: 'utf8' })).toBe('v6.1.0\n');
    expect(built.notices).toEqual([]);
  });

  test('installs in the tree with the npm that travelled, on a VM with neither node nor npm, and runs install scripts', async () => {
    const directory = scratch();
    const io = fakeVm(directory, { path: [toolbox(directory, ['tar', 'gzip', 'sh', 'env'])] });
    const npm = await archiveNpm({ env: { PATH: process.env['PATH'] }, cwd: directory });
    const recipe = {
      ...addProject(io, { directory: 'web' }),
      tools: [{ name: 'npm', version: npm!.version, archives: [io.addSource(npm!.content.bytes)] }],
    };
    const built = await node.build(layer('node', recipe), io);
    const env = { PATH: [...built.path, io.env['PATH']].join(':'), HOME: io.env['HOME'] };
    expect(execFileSync('tool', { env, encoding: 'utf8' })).toBe('tool runs\n');
    expect(existsSync(path.join(io.root, 'web', 'node_modules', 'tool', 'installed'))).toBe(true);
    expect(execFileSync('npm', ['--version'], { env, encoding: 'utf8' }).trim()).toBe(npm!.version);
  });

  test('development packages are installed only when the recipe says so, and no script for development is run without them', async () => {
    for (const dev of [false, true]) {
      const io = vm(['tar', 'gzip', 'sh', 'env', 'npm', 'node']);
      const scripts = { prepare: "node -e \"require('fs').writeFileSync('prepared', '')\"" };
      await node.build(layer('node', addProject(io, { dev, asDev: true, scripts })), io);
      expect(existsSync(path.join(io.root, 'node_modules', 'tool'))).toBe(dev);
      expect(existsSync(path.join(io.root, 'prepared'))).toBe(dev);
      expect(JSON.parse(readFileSync(path.join(io.root, 'package.json'), 'utf8'))).toMatchObject({ scripts });
    }
  });

  test('a package beside the tree is put beside it, and never over something', async () => {
    const io = vm(['tar', 'gzip', 'sh', 'node']);
    const archive = io.addSource(gzipSync(tar([{ path: 'lib/index.js', bytes: Buffer.from('1'), executable: false }])));
    const made = layer('node', { ...NOTHING, outside: { '../lib': archive } });
    await node.build(made, io);
    expect(readFileSync(path.join(io.root, '../lib/index.js'), 'utf8')).toBe('1');
    await expect(node.build(made, io)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringContaining('there is something else at') as string,
    });
  });

  test('what npm has installed is kept by package, and is there again on another VM without npm', async () => {
    const io = vm(['tar', 'gzip', 'sh', 'env', 'npm', 'node']);
    const made = layer('node', addProject(io, { directory: 'web' }));
    await node.build(made, io);
    const parts = await node.parts!();
    const snapshot = takeSnapshot(io.directory, (at) => parts.isKept(at));
    const paths = [...snapshot.files, ...snapshot.links].map(({ path: at }) => at);
    const split = await parts.split(made, io.directory, paths);
    expect(split.map(({ name, version }) => [name, version])).toEqual([['tool', '1.0.0']]);
    const store = createMemoryStore({ now: () => 0 });
    const { environment } = await storeEnvironment({ store, key: 'a'.repeat(64), kind: 'node', snapshot, parts: split });

    const other = { ...vm(['sh', 'env', 'npm', 'node']), restored: { missing: [] } };
    expect(await parts.facts(made, other)).toEqual(await parts.facts(made, io));
    await expect(parts.check(made, other)).rejects.toMatchObject({ code: 'E_ENVIRONMENT' });
    await restoreParts({ store, environment, parts: environment.parts, directory: other.directory });
    await parts.check(made, other);
    const built = await node.build(made, other);
    expect(other.commands).toEqual([]);
    expect(execFileSync('tool', { env: { PATH: [...built.path, '/usr/bin'].join(':') }, encoding: 'utf8' })).toBe('tool runs\n');
    expect(existsSync(path.join(other.root, 'web', 'node_modules', 'tool', 'installed'))).toBe(true);
  });

  test('what scripts of own packages make is not kept: it depends on the whole tree', async () => {
    const io = vm(['node']);
    const parts = await node.parts!();
    expect(await parts.facts(layer('node', addProject(io, { scripts: { postinstall: 'node gen.js' } })), io)).toBeUndefined();
  });

  test('does not touch a node_modules that travelled with the tree', async () => {
    const io = vm(['sh', 'env', 'npm', 'node']);
    write(io.root, { 'node_modules/.package-lock.json': '{}', 'node_modules/own.js': 'mine' });
    const built = await node.build(layer('node', addProject(io)), io);
    expect(existsSync(path.join(io.root, 'node_modules', 'own.js'))).toBe(true);
    expect(built.path[1]).toBe(path.join(io.root, 'node_modules', '.bin'));
    expect(io.lines).toContainEqual(expect.stringContaining('left as it is'));
  });

  test('credentials are there while packages are installed, for its owner alone, and gone afterwards', async () => {
    const directory = scratch();
    const secrets = { npmrc: '//r.test/:_authToken=s3cret\n', 'env:NPM_TOKEN': 'other-s3cret' };
    const io = fakeVm(directory, { path: [toolbox(directory, ['sh', 'env', 'npm', 'node', 'cat', 'stat'])], secrets });
    const scripts = {
      postinstall: 'stat -c %a "$npm_config_userconfig" > seen; cat "$npm_config_userconfig" >> seen; echo $NPM_TOKEN >> seen',
    };
    const recipe = addProject(io, { scripts });
    await node.build(layer('node', { ...recipe, project: { ...recipe.project, settings: { registry: 'https://r.test/' } } }), io);
    expect(readFileSync(path.join(io.root, 'seen'), 'utf8')).toBe(
      '600\nregistry=https://r.test/\n//r.test/:_authToken=s3cret\nother-s3cret\n',
    );
    expect(existsSync(path.join(io.directory, 'home', '.npmrc'))).toBe(false);
  });

  test("fails with npm's own reason", async () => {
    const io = vm(['sh', 'env', 'npm', 'node']);
    const recipe = addProject(io);
    write(io.root, { 'package.json': { name: 'app', version: '1.0.0', dependencies: { other: '1.0.0' } } });
    await expect(node.build(layer('node', recipe), io)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringMatching(
        /^npm could not install the Node packages: the lockfile does not fit package\.json: code EUSAGE/,
      ) as string,
    });
  });

  test('fails naming the package whose script fails', async () => {
    const io = vm(['sh', 'env', 'npm', 'node']);
    const recipe = addProject(io);
    const broken = packedTool('echo "make: cc: No such file or directory" >&2; echo "gyp ERR! not found: make" >&2; exit 1');
    writeFileSync(path.join(io.root, 'tool.tgz'), broken);
    await expect(node.build(layer('node', recipe), io)).rejects.toMatchObject({
      message: expect.stringContaining('tool: a package is built from source, and the VM lacks what builds it') as string,
      remedy: expect.stringContaining('dnf install -y gcc-c++ make python3') as string,
      data: { packages: ['tool'] },
    });
  });

  test('fails when a package is not what the lockfile says', async () => {
    const io = vm(['sh', 'env', 'npm', 'node']);
    const recipe = addProject(io);
    const file = path.join(io.root, 'package-lock.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"resolved"', '"integrity":"sha512-AAAA","resolved"'));
    await expect(node.build(layer('node', recipe), io)).rejects.toMatchObject({
      message: expect.stringContaining('a package is not what the lockfile says it is') as string,
    });
  });

  test('fails when there is no npm anywhere', async () => {
    const io = fakeVm(scratch(), { path: ['/nowhere'] });
    await expect(node.build(layer('node', addProject(io, { directory: 'web' })), io)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: 'the VM has no npm to install web/package.json with, and none was carried',
    });
  });
});
