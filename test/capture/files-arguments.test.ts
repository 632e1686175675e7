import { mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { resolveArguments } from '../../lib/capture/arguments';
import type { ResolvedArguments } from '../../lib/capture/arguments';
import { withDirectory, writeTree } from './trees';

interface Place {
  readonly base: string;
  readonly root: string;
  readonly resolve: (argv: string[], env?: Record<string, string>) => Promise<ResolvedArguments>;
  readonly argv: (argv: string[], env?: Record<string, string>) => Promise<string[]>;
}

/** A tree `proj` with the working directory `proj/w`, beside a directory `other`. */
const inPlace = (body: (place: Place) => Promise<void>) => () =>
  withDirectory(async (found) => {
    const base = realpathSync(found);
    const root = path.join(base, 'proj');
    mkdirSync(path.join(root, 'w'), { recursive: true });
    writeTree(base, { 'proj/data/x.csv': '', 'proj/w/t.py': '', 'other/y.csv': '' });
    const resolve: Place['resolve'] = (argv, env = {}) =>
      resolveArguments(argv, { cwd: path.join(root, 'w'), root, home: path.join(base, 'home'), env });
    await body({ base, root, resolve, argv: async (argv, env) => (await resolve(argv, env)).argv });
  });

test(
  'paths into the tree become relative to the working directory and travel',
  inPlace(async ({ root, resolve }) => {
    const resolved = await resolve([
      'python',
      't.py',
      `${root}/data/x.csv`,
      `--in=${root}/data/`,
      '../data',
      `../../${path.basename(root)}/data/x.csv`,
      root,
    ]);
    expect(resolved.argv).toEqual(['python', 't.py', '../data/x.csv', '--in=../data/', '../data', '../data/x.csv', '..']);
    expect(resolved.include.sort()).toEqual(['data', 'data/x.csv', 'w', 'w/t.py']);
    expect(resolved.notices).toEqual([]);
  }),
);

test(
  'a place in the tree where a result is to be written becomes relative, too',
  inPlace(async ({ root, argv }) => {
    expect(await argv(['python', `--out=${root}/w/new.csv`])).toEqual(['python', '--out=new.csv']);
  }),
);

test(
  'options, URLs, globs and what is not here are left alone',
  inPlace(async ({ base, argv }) => {
    const words = [
      './run.sh',
      '-I/usr/include',
      `-o${base}/other/y.csv`,
      '--flag',
      's3://bucket/x',
      'https://x/y',
      '*.csv',
      '/nowhere/x',
      '',
      '--a=',
      '-',
    ];
    expect(await argv(words)).toEqual(words);
  }),
);

test(
  'paths of the system mean the VM’s own',
  inPlace(async ({ argv }) => {
    const words = ['/bin/sh', '/etc/passwd', '/dev/null', '--in=/proc/self/maps', '/', '/tmp'];
    expect(await argv(words)).toEqual(words);
  }),
);

test(
  'the file behind a link travels with the link',
  inPlace(async ({ root, resolve }) => {
    writeTree(root, { 'w/l.csv': { link: '../data/x.csv' } });
    expect((await resolve(['cat', 'l.csv'])).include).toEqual(['w/l.csv', 'data/x.csv', 'w']);
  }),
);

test(
  'what the text of a shell names travels',
  inPlace(async ({ resolve }) => {
    expect((await resolve(['sh', '-c', 'python t.py --in=../data/x.csv < "t.py" > out'])).include.sort()).toEqual([
      'data/x.csv',
      'w',
      'w/t.py',
    ]);
  }),
);

test(
  'programs of the active environment are called by name',
  inPlace(async ({ base, root, argv }) => {
    writeTree(base, { 'proj/.venv/bin/pytest': { executable: '' }, 'envs/c/bin/python': { executable: '' } });
    expect(await argv(['../.venv/bin/pytest', '-q'], { VIRTUAL_ENV: path.join(root, '.venv') })).toEqual(['pytest', '-q']);
    expect(await argv([`${base}/envs/c/bin/python`], { CONDA_PREFIX: `${base}/envs/c` })).toEqual(['python']);
    expect(await argv(['nohup', `${base}/envs/c/bin/python`], { CONDA_PREFIX: `${base}/envs/c` })).toEqual(['nohup', 'python']);
    expect(await argv(['../.venv/bin/pytest'])).toEqual(['../.venv/bin/pytest']);
  }),
);

test(
  'interpreters from elsewhere are called by name, with a notice',
  inPlace(async ({ base, resolve }) => {
    writeTree(base, { 'nvm/bin/node': { executable: '' } });
    const resolved = await resolve([`${base}/nvm/bin/node`, 'x.js']);
    expect(resolved.argv).toEqual(['node', 'x.js']);
    expect(resolved.notices).toEqual([{ level: 'info', text: expect.stringMatching(/run as node/) }]);
  }),
);

test(
  'fails for paths outside the tree, naming all of them and the way out',
  inPlace(async ({ base, root, resolve }) => {
    writeTree(root, { 'w/out': { link: '../../other' } });
    await expect(resolve(['cat', `${base}/other/y.csv`, '--x=../../other', 'out/y.csv'])).rejects.toMatchObject({
      code: 'E_PATH_OUTSIDE',
      message: expect.stringMatching(/other\/y\.csv, \.\.\/\.\.\/other, out\/y\.csv \(a link to/),
      remedy: expect.stringMatching(/Take it along with --upload PATH/),
    });
  }),
);

test(
  'fails for a path in the home directory that ~ stands for',
  inPlace(async ({ base, resolve }) => {
    writeTree(base, { 'home/d.csv': '' });
    await expect(resolve(['x', '--in=~/d.csv'])).rejects.toMatchObject({ code: 'E_PATH_OUTSIDE' });
  }),
);

test(
  'a python of an environment in the tree may link out of it',
  inPlace(async ({ base, root, argv }) => {
    writeTree(base, { 'pyenv/python': { executable: '' }, 'proj/.venv/pyvenv.cfg': '' });
    writeTree(root, { '.venv/bin/python': { link: path.join(base, 'pyenv/python') } });
    expect(await argv(['time', '../.venv/bin/python', 't.py'])).toEqual(['time', '../.venv/bin/python', 't.py']);
  }),
);
