import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readlinkSync, realpathSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { builders } from '../../lib/agent/builders';
import { archiveNpm } from '../../lib/capture/node/npm-archive';
import { tar } from '../../lib/capture/tar';
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

/** A package as npm packs it, with a program and an install script. */
function packedTool(): Buffer {
  const file = (name: string, text: string, executable = false) => ({ path: `package/${name}`, bytes: Buffer.from(text), executable });
  const manifest = {
    name: 'tool',
    version: '1.0.0',
    bin: { tool: 'cli.js' },
    scripts: { install: "node -e \"require('fs').writeFileSync('installed', '')\"" },
  };
  return gzipSync(
    tar([file('package.json', JSON.stringify(manifest)), file('cli.js', '#!/usr/bin/env node\nconsole.log("tool runs")\n', true)]),
  );
}

/** A project whose only package lies beside its lockfile: nothing is fetched. */
function addProject(io: FakeVm, dev = false): Record<string, string> {
  const dependencies = { [dev ? 'devDependencies' : 'dependencies']: { tool: 'file:tool.tgz' } };
  const manifest = { name: 'app', version: '1.0.0', ...dependencies };
  const entry = {
    version: '1.0.0',
    resolved: 'file:tool.tgz',
    hasInstallScript: true,
    bin: { tool: 'cli.js' },
    ...(dev ? { dev: true } : {}),
  };
  return {
    'package.json': io.addSource(JSON.stringify(manifest)),
    'package-lock.json': io.addSource(
      JSON.stringify({
        name: 'app',
        version: '1.0.0',
        lockfileVersion: 3,
        requires: true,
        packages: { '': manifest, 'node_modules/tool': entry },
      }),
    ),
    'tool.tgz': io.addSource(packedTool()),
  };
}

describe('the Node builder', () => {
  test('without packages puts the node of the agent on PATH, as the VM has none', async () => {
    const io = fakeVm(scratch(), { path: ['/nowhere'] });
    const built = await node.build(layer('node', { node: process.versions.node, files: {}, dev: false }), io);
    expect(readlinkSync(path.join(built.path[0]!, 'node'))).toBe(process.execPath);
    expect(built).toMatchObject({ env: {}, notices: [] });
    expect(io.commands).toEqual([]);
  });

  test("prefers the VM's node, and tells when its version is another one", async () => {
    const directory = scratch();
    writeProgram(path.join(directory, 'bin', 'node'), '#!/bin/sh\necho v18.1.0\n');
    const io = fakeVm(directory, { path: [path.join(directory, 'bin')] });
    const built = await node.build(layer('node', { node: '22.3.0', files: {}, dev: false }), io);
    expect(readlinkSync(path.join(built.path[0]!, 'node'))).toBe(path.join(directory, 'bin', 'node'));
    expect(built.notices).toEqual([{ level: 'warning', text: 'Node 18.1.0 runs on the VM, 22.3.0 on your machine' }]);
  });

  test('installs with the npm that travelled, on a VM with neither node nor npm, and runs install scripts', async () => {
    const directory = scratch();
    const io = fakeVm(directory, { path: [toolbox(directory, ['tar', 'gzip', 'sh', 'env'])] });
    const npm = await archiveNpm({ env: { PATH: process.env['PATH'] }, cwd: directory });
    const recipe = {
      directory: 'web',
      files: addProject(io),
      dev: false,
      npm: { version: npm!.version, archive: io.addSource(npm!.content.bytes) },
    };
    const built = await node.build(layer('node', recipe), io);
    const env = { PATH: [...built.path, io.env['PATH']].join(':'), HOME: io.env['HOME'] };
    expect(execFileSync('tool', { env, encoding: 'utf8' })).toBe('tool runs\n');
    expect(existsSync(path.join(io.root, 'web', 'node_modules', 'tool', 'installed'))).toBe(true);
    expect(execFileSync('npm', ['--version'], { env, encoding: 'utf8' }).trim()).toBe(npm!.version);
  });

  test('development packages are installed only when the recipe says so', async () => {
    for (const dev of [false, true]) {
      const directory = scratch();
      const io = fakeVm(directory, { path: [toolbox(directory, ['tar', 'gzip', 'sh', 'env', 'npm', 'node'])] });
      await node.build(layer('node', { directory: '', files: addProject(io, true), dev }), io);
      expect(existsSync(path.join(io.root, 'node_modules', 'tool'))).toBe(dev);
    }
  });

  test('what npm has installed is kept by package, and is there again on another VM without npm', async () => {
    const [first, second] = [scratch(), scratch()];
    const io = fakeVm(first, { path: [toolbox(first, ['tar', 'gzip', 'sh', 'env', 'npm', 'node'])] });
    const made = layer('node', { directory: 'web', files: addProject(io), dev: false });
    await node.build(made, io);
    const parts = await node.parts!();
    const snapshot = takeSnapshot(io.directory, (at) => parts.isKept(at));
    const paths = [...snapshot.files, ...snapshot.links].map(({ path: at }) => at);
    const split = await parts.split(made, io.directory, paths);
    expect(split.map(({ name, version }) => [name, version])).toEqual([['tool', '1.0.0']]);
    const store = createMemoryStore({ now: () => 0 });
    const { environment } = await storeEnvironment({ store, key: 'a'.repeat(64), kind: 'node', snapshot, parts: split });

    const other = { ...fakeVm(second, { path: [toolbox(second, ['sh', 'env', 'npm', 'node'])] }), restored: { missing: [] } };
    expect(await parts.facts(made, other)).toEqual(await parts.facts(made, io));
    await expect(parts.check(made, other)).rejects.toMatchObject({ code: 'E_ENVIRONMENT' });
    await restoreParts({ store, environment, parts: environment.parts, directory: other.directory });
    await parts.check(made, other);
    const built = await node.build(made, other);
    expect(other.commands).toEqual([]);
    expect(execFileSync('tool', { env: { PATH: [...built.path, '/usr/bin'].join(':') }, encoding: 'utf8' })).toBe('tool runs\n');
    expect(existsSync(path.join(other.root, 'web', 'node_modules', 'tool', 'installed'))).toBe(true);
  });

  test('does not touch a node_modules that travelled with the tree', async () => {
    const directory = scratch();
    const io = fakeVm(directory, { path: [toolbox(directory, ['sh', 'env', 'npm', 'node'])] });
    write(io.root, { 'node_modules/.package-lock.json': '{}', 'node_modules/own.js': 'mine' });
    const built = await node.build(layer('node', { directory: '', files: addProject(io), dev: false }), io);
    expect(existsSync(path.join(io.root, 'node_modules', 'own.js'))).toBe(true);
    expect(built.path[1]).toBe(path.join(io.root, 'node_modules', '.bin'));
    expect(io.lines).toContainEqual(expect.stringContaining('left as it is'));
  });

  test("fails with npm's own reason", async () => {
    const directory = scratch();
    const io = fakeVm(directory, { path: [toolbox(directory, ['sh', 'env', 'npm', 'node'])] });
    const { 'package-lock.json': lock, ...rest } = addProject(io);
    const other = {
      ...rest,
      'package.json': io.addSource(JSON.stringify({ name: 'app', version: '1.0.0', dependencies: { other: '1.0.0' } })),
      'package-lock.json': lock!,
    };
    await expect(node.build(layer('node', { directory: '', files: other, dev: false }), io)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringMatching(/^npm could not install the Node packages: code EUSAGE/) as string,
    });
  });

  test('fails when there is no npm anywhere', async () => {
    const io = fakeVm(scratch(), { path: ['/nowhere'] });
    await expect(node.build(layer('node', { directory: 'web', files: {}, dev: false }), io)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: 'the VM has no npm to install web/package.json with, and none was carried',
    });
  });
});
