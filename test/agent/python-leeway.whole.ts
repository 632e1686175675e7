import { readFileSync } from 'node:fs';
import path from 'node:path';
import { builders } from '../../lib/agent/builders';
import type { Notice } from '../../lib/contract';
import { scratch, writeProgram } from '../capture/package-fixtures';
import { fakeVm, layer } from './build-io';
import type { FakeVm } from './build-io';

/**
 * Installs by name and version what `there` has of them, as uv does: `name==1.*` takes the newest. Without --no-deps it leaves
 * alone what is there, and installs `needs` too.
 */
const UV = `#!/usr/bin/env python3
import json, os, sys
DATA = json.loads('''@DATA@''')
words = sys.argv[1:]
if words[0] == 'venv':
    os.makedirs(words[-1] + '/lib/python3.7/site-packages'); open(words[-1] + '/pyvenv.cfg', 'w').close(); sys.exit()
site = os.path.dirname(os.path.dirname(words[words.index('--python') + 1])) + '/lib/python3.7/site-packages'
wheels = []
left = open(words[words.index('-r') + 1]).read().splitlines()
if '--override' in words: open(site + '/../overridden', 'w').write(open(words[words.index('--override') + 1]).read())
while left:
    line = left.pop(0)
    if line.startswith('--only-binary '): wheels.append(line.split()[1]); continue
    name, _, version = line.partition('==')
    if name in DATA['broken'] and '--no-deps' not in words: sys.exit('error: no way')
    known = DATA['there'].get(name, [])
    fit = [v for v in known if v == version or not version or version.endswith('.*') and v.startswith(version[:-1])]
    if not fit: sys.exit('  cause: Because there is no version of %s and you require it' % line)
    if name in DATA['source'] and fit[-1] == DATA['source'][name]:
        if name not in wheels: sys.exit('error: Failed to build \`%s==%s\`' % (name, fit[-1]))
        fit = fit[:-1]
    if not any(d.startswith(name + '-') for d in os.listdir(site)): os.makedirs('%s/%s-%s.dist-info' % (site, name, fit[-1]))
    if '--no-deps' not in words: left += DATA['needs'].get(name, [])
`;

interface Registry {
  readonly there?: Readonly<Record<string, readonly string[]>>;
  readonly needs?: Readonly<Record<string, readonly string[]>>;
  /** The version that has to be built, and cannot be. */
  readonly source?: Readonly<Record<string, string>>;
  readonly broken?: readonly string[];
}

function vm({ there = {}, needs = {}, source = {}, broken = [] }: Registry): FakeVm {
  const directory = scratch();
  const bin = path.join(directory, 'bin');
  writeProgram(path.join(bin, 'python3.7'), '#!/bin/sh\nprintf "3.7\\n/usr/bin/python3.7\\n"\n');
  writeProgram(
    path.join(bin, 'uv'),
    UV.replace('@DATA@', () => JSON.stringify({ there, needs, source, broken })),
  );
  return fakeVm(directory, { path: [bin, ...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/bin'] });
}

async function build(io: FakeVm, requirements: readonly string[], leeway: object): Promise<readonly Notice[]> {
  const all = { yielding: [], solve: [], completes: false, without: [], ...leeway };
  return (await builders['python']!.build(layer('python', { python: '3.7', requirements, uv: false, leeway: all }), io)).notices;
}

describe('what a recipe leaves to the VM', () => {
  test('a version that cannot be had is taken from the same minor release, and the client is told', async () => {
    const io = vm({ there: { a: ['1.2.5', '1.2.6', '1.3.0'], b: ['2.0'] } });
    const notices = await build(io, ['a==1.2.4', 'b==2.0'], { yielding: ['a', 'b'] });
    expect(notices).toEqual([
      {
        level: 'warning',
        text: 'not to be had as it is here, taken from the same minor release for linux-x86_64: a 1.2.6 in place of 1.2.4',
      },
    ]);
    expect(io.lines).toContain('a 1.2.4 has no such version in the package index: trying a==1.2.*');
  });

  test('what could not be built is taken as a wheel or not at all', async () => {
    const io = vm({ there: { a: ['1.2.3', '1.2.4'] }, source: { a: '1.2.4' } });
    expect(await build(io, ['a==1.2.4'], { yielding: ['a'] })).toEqual([
      { level: 'warning', text: expect.stringContaining('a 1.2.3 in place of 1.2.4') },
    ]);
  });

  test('another spelling or build of the version is the same version', async () => {
    const io = vm({ there: { a: ['1.2.4+cpu'] } });
    expect(await build(io, ['a==1.2.4+cpu'], { yielding: ['a'] })).toEqual([]);
  });

  test('fails for what may not yield, and for what has nothing near, with the options that help', async () => {
    const io = vm({ there: { a: ['2.0'], b: ['1.3'] } });
    await expect(build(io, ['a==1.2.4'], {})).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: 'the Python packages could not be installed: a has no version 1.2.4 in the package index',
      remedy: expect.stringContaining('--package-strictness a=compatible takes another version of the same minor release'),
    });
    await expect(build(vm({ there: { a: ['2.0'] } }), ['a==1.2.4'], { yielding: ['a'] })).rejects.toMatchObject({
      data: { package: 'a' },
      remedy: expect.stringMatching(/^(?!.*=compatible).*--package-strictness a=loose takes any of the same major one; --package-ignore a/),
    });
  });

  test('what is to be solved comes with what it needs, within what is pinned', async () => {
    const io = vm({ there: { a: ['1.2.5'], c: ['3.1'], d: ['4.0'] }, needs: { c: ['d'] } });
    expect(await build(io, ['a==1.2.4'], { yielding: ['a'], solve: ['c'] })).toEqual([
      { level: 'warning', text: expect.stringContaining('a 1.2.5') },
      { level: 'info', text: 'solved on the VM: c 3.1, d 4.0' },
    ]);
    expect(readFileSync(path.join(io.directory, 'constraints.txt'), 'utf8')).toBe('a==1.2.5\n');
  });

  test('what packages need on this platform besides is completed, without what was left out', async () => {
    const io = vm({ there: { a: ['1.2.4'], e: ['1.0'] }, needs: { a: ['e'] } });
    expect(await build(io, ['a==1.2.4'], { yielding: ['a'], completes: true, without: ['x'] })).toEqual([
      { level: 'info', text: 'solved on the VM: e 1.0' },
    ]);
    expect(readFileSync(path.join(io.directory, 'venv', 'lib', 'python3.7', 'overridden'), 'utf8')).toBe("x; sys_platform == 'none'\n");
  });

  test('what cannot be completed is no reason to fail', async () => {
    const io = vm({ there: { a: ['1.2.4'] }, broken: ['a'] });
    expect(await build(io, ['a==1.2.4'], { completes: true })).toEqual([]);
    expect(io.lines).toContain('what the packages need besides on this platform could not be solved: going on without it');
  });

  test('a VM that restores the environment tells the same, and runs no installer', async () => {
    const io = vm({ there: { a: ['1.2.5'], c: ['3.1'] } });
    const first = await build(io, ['a==1.2.4'], { yielding: ['a'], solve: ['c'] });
    const commands = io.commands.length;
    expect(await build({ ...io, restored: { missing: [] } }, ['a==1.2.4'], { yielding: ['a'], solve: ['c'] })).toEqual(first);
    expect(io.commands).toHaveLength(commands);
  });

  test('the cache takes over no version that yielded for one that may not, and nothing that was solved for another recipe', async () => {
    const parts = await builders['python']!.parts!();
    const leeway = { yielding: ['a'], solve: ['c'], completes: false, without: [] };
    const wanted = (change: object): readonly string[] =>
      parts.wanted(layer('python', { python: '3.7', requirements: ['a==1', 'b==1'], uv: false, ...change }));
    const [exact, free] = [wanted({}), wanted({ leeway })];
    expect(free.filter((id) => exact.includes(id))).toEqual(['venv', 'uv', 'interpreter', 'b==1']);
    const other = wanted({ leeway: { ...leeway, solve: ['c>2'] } });
    expect(free.filter((id) => !other.includes(id))).toEqual([expect.stringMatching(/^solved [0-9a-f]{16}$/)]);
  });
});
