import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { findNeeds } from '../../lib/capture/needs';
import { context, scratch, write, writeProgram, writeVenv } from './package-fixtures';

async function needs(root: string, argv: readonly string[], change = {}): Promise<string> {
  const { python, node } = await findNeeds(context(root, argv, change));
  return [...(python ? [`python ${python.kind}`] : []), ...(node ? [`node ${node.kind}`] : [])].join(', ');
}

describe('what a command needs', () => {
  const plain = [
    ['true'],
    ['ffmpeg', '-i', 'video.ts', 'out.mp4'],
    ['cat', 'train.py'],
    ['/bin/echo', 'python'],
    ['sh', '-c', 'echo hello; sleep 1 && cat a.py | wc -l'],
    ['./simulate', '--steps', '10'],
    ['env', 'A=1', 'true'],
    [],
  ];
  test.each(plain.map((argv) => [argv.join(' '), argv] as const))('%p needs neither language', async (_name, argv) => {
    expect(await needs(scratch(), argv)).toBe('');
  });

  const named: readonly (readonly [string, string])[] = [
    ['python train.py', 'python named'],
    ['python3.12 -m train', 'python named'],
    ['env OMP=1 python3 train.py', 'python named'],
    ['mpirun -n 4 python3 train.py', 'python named'],
    ['timeout 10m ./train.py', 'python named'],
    ['.venv/bin/python x', 'python named'],
    ['pip list', 'python named'],
    ['uv run train.py', 'python named'],
    ['pytest', 'python named'],
    ['node job.js', 'node named'],
    ['npm test', 'node named'],
    ['npx cowsay', 'node named'],
    ['./job.mjs', 'node named'],
  ];
  test.each(named)('%p: %s', async (command, expected) => {
    expect(await needs(scratch(), command.split(' '))).toBe(expected);
  });

  test.each([
    ['python a.py && node b.js', 'python named, node named'],
    ['for i in 1 2; do python3 a.py $i; done', 'python named'],
    ['./run.sh', 'python possible, node possible'],
    ['make', 'python possible, node possible'],
    ['$RUNNER a', 'python possible, node possible'],
    ['. ./activate', 'python possible, node possible'],
    ["bash -c 'python x'", 'python named'],
  ])('the text of a shell is looked into: %p', async (text, expected) => {
    const root = scratch();
    writeProgram(path.join(root, 'run.sh'), '#!/bin/sh\n');
    expect(await needs(root, ['bash', '-c', text])).toBe(expected);
  });

  test('shells with a script, make and scripts of the tree may need both', async () => {
    const root = scratch();
    writeProgram(path.join(root, 'run'), '#!/usr/bin/env bash\n');
    for (const argv of [['bash', 'x.sh'], ['make', 'all'], ['./run'], ['time', './run']])
      expect(await needs(root, argv)).toBe('python possible, node possible');
  });

  test("a script's first line says what it needs", async () => {
    const root = scratch();
    writeProgram(path.join(root, 'p'), '#!/usr/bin/env -S python3 -u\n');
    writeProgram(path.join(root, 'n'), '#!/usr/bin/env node\n');
    writeProgram(path.join(root, 'binary'), '\x7fELF');
    expect(await needs(root, ['./p'])).toBe('python named');
    expect(await needs(root, ['./n'])).toBe('node named');
    expect(await needs(root, ['./binary'])).toBe('');
  });

  test('a console script runs in the virtual environment that it was installed into', async () => {
    const root = scratch();
    const venv = path.join(root, 'tools');
    writeVenv(venv, []);
    writeProgram(path.join(venv, 'bin', 'lint'), `#!${venv}/bin/python3\n`);
    writeProgram(path.join(venv, 'bin', 'long'), `#!/bin/sh\n'''exec' "${venv}/bin/python3" "$0" "$@"\n' '''\n`);
    for (const name of ['lint', 'long']) {
      const { python } = await findNeeds(context(root, [name], { env: { PATH: path.join(venv, 'bin') } }));
      expect(python).toMatchObject({ kind: 'named', executable: `${venv}/bin/python3` });
    }
  });

  test('a program of node_modules/.bin needs Node, from any directory below', async () => {
    const root = scratch();
    write(root, { 'node_modules/.bin/tool': '' });
    const cwd = path.join(root, 'a', 'b');
    mkdirSync(cwd, { recursive: true });
    expect(await needs(root, ['tool', 'x'], { cwd })).toBe('node named');
    expect(await needs(root, ['other'], { cwd })).toBe('');
  });

  test('a file of the tree that may not be executed is no program', async () => {
    const root = scratch();
    writeProgram(path.join(root, 'run'), '#!/bin/sh\n');
    chmodSync(path.join(root, 'run'), 0o644);
    expect(await needs(root, ['./run'])).toBe('');
  });

  test('thousands of words cost nothing', async () => {
    const argv = ['ffmpeg', ...Array.from({ length: 50_000 }, (_, i) => `file${i}`)];
    expect(await needs(scratch(), argv)).toBe('');
  });
});
