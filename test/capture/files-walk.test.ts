import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { walkTree } from '../../lib/capture/walk';
import type { Walked } from '../../lib/capture/walk';
import { showPath } from '../../lib/contract';
import { withDirectory, writeThing, writeTree } from './trees';
import type { Thing } from './trees';

const onLinux = process.platform === 'linux' ? test : test.skip;
const asUser = process.getuid?.() === 0 ? test.skip : test;

interface Place {
  readonly root: string;
  readonly home: string;
  readonly write: (things: Readonly<Record<string, Thing>>) => void;
  readonly git: (...args: string[]) => void;
  readonly walk: (include?: string[], env?: Record<string, string>) => Promise<Walked>;
  readonly names: (include?: string[]) => Promise<string[]>;
}

function withPlace(body: (place: Place) => Promise<void>): () => Promise<void> {
  return () =>
    withDirectory(async (home) => {
      const root = path.join(home, 'project');
      mkdirSync(root);
      const env = { PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
      const walk: Place['walk'] = (include = [], more = {}) => walkTree(root, { env: { ...env, ...more }, home, include });
      await body({
        root,
        home,
        write: (things) => writeTree(root, things),
        git: (...args) => void execFileSync('git', args, { cwd: root, env, stdio: 'ignore' }),
        walk,
        names: async (include) =>
          [...(await walk(include)).entries].map(({ path: at, type }) => showPath(at) + (type === 'directory' ? '/' : '')),
      });
    });
}

const texts = ({ notices }: Walked): string => notices.map((notice) => notice.text).join('\n');

describe('in a repository', () => {
  test(
    'git’s rules hold: nested files, negation, info/exclude, the global file',
    withPlace(async ({ home, git, write, names }) => {
      git('init');
      write({
        '.gitignore': '*.log\nbuild/\n!keep.log\n/only-here\n',
        'a.log': '',
        'keep.log': '',
        'build/x': '',
        'only-here': '',
        'sub/only-here': '',
        'sub/.gitignore': '!a.log\n*.tmp\n',
        'sub/a.log': '',
        'sub/b.tmp': '',
        local: '',
        'mine.swp': '',
        '.git/info/exclude': 'local\n',
      });
      writeTree(home, { '.config/git/ignore': '*.swp\n' });
      expect(await names()).toEqual(['.gitignore', 'keep.log', 'sub/.gitignore', 'sub/a.log', 'sub/only-here']);
    }),
  );

  test(
    'core.excludesFile of the user’s configuration counts',
    withPlace(async ({ home, git, write, names }) => {
      git('init');
      writeTree(home, { '.gitconfig': '[core]\n\texcludesFile = ~/mine\n', mine: '*.swp\n' });
      write({ a: '', 'b.swp': '' });
      expect(await names()).toEqual(['a']);
    }),
  );

  test(
    'what git tracks travels though a rule matches it',
    withPlace(async ({ git, write, names }) => {
      git('init');
      write({ 'data/a.csv': '1', 'data/b.csv': '2', 'node_modules/own/x.js': '', 'node_modules/y.js': '', x: '' });
      git('add', 'data/a.csv', 'node_modules/own');
      write({ '.gitignore': 'data/\n' });
      expect(await names()).toEqual(['.gitignore', 'data/a.csv', 'node_modules/own/x.js', 'x']);
    }),
  );

  test(
    'variables that a git hook sets do not mislead it',
    withPlace(async ({ git, write, walk }) => {
      git('init');
      write({ '.gitignore': '*.csv\n', 'a.csv': '' });
      git('add', '-f', 'a.csv');
      const walked = await walk([], { GIT_DIR: '/nowhere', GIT_INDEX_FILE: '/nowhere/index' });
      expect([...walked.entries].map((entry) => entry.path)).toEqual(['.gitignore', 'a.csv']);
    }),
  );

  test(
    'a repository within goes by its own rules',
    withPlace(async ({ root, git, write, names }) => {
      git('init');
      write({ '.gitignore': '*.log\n', 'inner/a.log': '', 'inner/b.txt': '', 'inner/c': '', 'inner/.gitignore': '*.txt\n' });
      execFileSync('git', ['init', '-q'], { cwd: path.join(root, 'inner') });
      expect(await names()).toEqual(['.gitignore', 'inner/.gitignore', 'inner/a.log', 'inner/c']);
    }),
  );

  test(
    'without a git program its files tell what is tracked and where more rules are',
    withPlace(async ({ home, git, write, walk }) => {
      git('init');
      writeTree(home, { '.gitconfig': '[user]\n\tname = x\n[Core]\n\tExcludesFile = "~/mine"\n', mine: '*.swp\n' });
      write({ '.gitignore': '*.log\n', 'a.log': '', b: '', 'c.swp': '', 'd.log': '' });
      git('add', '-f', 'd.log');
      const walked = await walk([], { PATH: '/nowhere' });
      expect([...walked.entries].map((entry) => entry.path)).toEqual(['.gitignore', 'b', 'd.log']);
      expect(walked.notices).toEqual([]);
    }),
  );

  test(
    'fails to know what is tracked when only git can read it and there is none, and says so',
    withPlace(async ({ git, write, walk }) => {
      git('init');
      write({ '.gitignore': '*.log\n', 'a.log': '', b: '' });
      git('add', '-A');
      git('update-index', '--split-index');
      const walked = await walk([], { PATH: '/nowhere' });
      expect([...walked.entries].map((entry) => entry.path)).toEqual(['.gitignore', 'b']);
      expect(texts(walked)).toMatch(/no git program.*tracked/);
    }),
  );

  test(
    'what only git understands of its configuration counts, too',
    withPlace(async ({ home, git, write, names }) => {
      git('init');
      writeTree(home, {
        '.gitconfig': '[includeIf "gitdir:~/project/"]\n\tpath = more\n',
        more: '[core]\n\texcludesFile = ~/mine\n',
        mine: '*.swp\n',
      });
      write({ a: '', 'b.swp': '' });
      expect(await names()).toEqual(['a']);
    }),
  );
});

describe('.rawcloudignore', () => {
  test(
    'wins over git’s rules and over what git tracks',
    withPlace(async ({ git, write, names }) => {
      git('init');
      write({ 'big/tracked': '', 'docs/a': '' });
      git('add', '-A');
      write({
        '.gitignore': '*.bin\nout/\n',
        '.rawcloudignore': 'docs/\nbig/\n!model.bin\n!out/\n',
        'model.bin': '',
        'x.bin': '',
        'out/result': '',
        src: '',
      });
      expect(await names()).toEqual(['.gitignore', '.rawcloudignore', 'model.bin', 'out/result', 'src']);
    }),
  );

  test(
    'counts in any directory and without a repository',
    withPlace(async ({ write, names }) => {
      write({ 'a/.rawcloudignore': '*.tmp\n', 'a/x.tmp': '', 'b/x.tmp': '', '.gitignore': 'c\n', c: '' });
      expect(await names()).toEqual(['.gitignore', 'a/.rawcloudignore', 'b/x.tmp']);
    }),
  );
});

test(
  'environments, packages, caches and .git never travel',
  withPlace(async ({ write, names }) => {
    write({
      'venv/pyvenv.cfg': '',
      'venv/bin/python': '',
      'conda/conda-meta/x': '',
      'node_modules/a/b': '',
      '__pycache__/x.pyc': '',
      'sub/.git/HEAD': '',
      'sub/y': '',
      '.DS_Store': '',
      z: '',
    });
    expect(await names(['venv/bin/python', 'node_modules/a/b', '.git'])).toEqual(['sub/y', 'z']);
  }),
);

describe('what the command names', () => {
  test(
    'travels though it is ignored: a file, or a directory with all below it',
    withPlace(async ({ git, write, walk, names }) => {
      git('init');
      write({
        '.gitignore': '*.csv\nbig/\n',
        'a.csv': '',
        'b.csv': '',
        'big/x/y': '',
        'big/z.csv': '',
        'big/v/pyvenv.cfg': '',
        'seen/c.csv': '',
        'seen/d': '',
      });
      expect(await names(['a.csv', 'big/', 'seen'])).toEqual(['.gitignore', 'a.csv', 'big/x/y', 'big/z.csv', 'seen/d']);
      expect(texts(await walk(['a.csv', 'big']))).toBe('ignored, but travels because the command or a package names it: a.csv, big');
    }),
  );

  test(
    'brings nothing along but itself from an ignored directory',
    withPlace(async ({ git, write, names }) => {
      git('init');
      write({ '.gitignore': 'big/\n', 'big/.gitignore': '!*\n', 'big/deep/x': '', 'big/deep/y': '', 'big/z': '' });
      expect(await names(['big/deep/x'])).toEqual(['.gitignore', 'big/deep/x']);
    }),
  );

  test(
    'is warned about when it is a directory all of which is ignored',
    withPlace(async ({ git, write, walk }) => {
      git('init');
      write({ '.gitignore': 'data/*\n', 'data/x': '' });
      expect(texts(await walk(['data']))).toMatch(/everything in it is ignored.*data/);
    }),
  );
});

describe('things', () => {
  test(
    'links, exec bits, empty directories and odd names are carried',
    withPlace(async ({ write, walk }) => {
      write({
        'a b': '',
        'new\nline': '',
        '-dash': '',
        ünï: '',
        'quo\'te"': '',
        'empty/deep': { directory: true },
        'run.sh': { executable: '' },
        link: { link: 'a b' },
      });
      const entries = [...(await walk()).entries].map((entry) => ({ ...entry, stamp: undefined }));
      expect(entries).toEqual([
        { type: 'file', path: '-dash', bytes: 0, executable: false },
        { type: 'file', path: 'a b', bytes: 0, executable: false },
        { type: 'directory', path: 'empty/deep' },
        { type: 'link', path: 'link', target: 'a b' },
        { type: 'file', path: 'new\nline', bytes: 0, executable: false },
        { type: 'file', path: 'quo\'te"', bytes: 0, executable: false },
        { type: 'file', path: 'run.sh', bytes: 0, executable: true },
        { type: 'file', path: Buffer.from('ünï').toString('latin1'), bytes: 0, executable: false },
      ]);
    }),
  );

  test(
    'a directory is carried though all in it is ignored, for the job may write there',
    withPlace(async ({ write, names }) => {
      write({ '.gitignore': 'logs/*\n', 'logs/x': '' });
      expect(await names()).toEqual(['.gitignore', 'logs/']);
    }),
  );

  test(
    'links into the tree become relative, those out of it are carried with a warning',
    withPlace(async ({ root, write, walk }) => {
      write({
        'd/x': '',
        'd/in': { link: path.join(root, 'e/y') },
        out: { link: '/nowhere/x' },
        up: { link: '../z' },
        tool: { link: '/usr/bin/env' },
      });
      const walked = await walk();
      expect([...walked.entries].flatMap((entry) => (entry.type === 'link' ? [[entry.path, entry.target]] : []))).toEqual([
        ['d/in', '../e/y'],
        ['out', '/nowhere/x'],
        ['tool', '/usr/bin/env'],
        ['up', '../z'],
      ]);
      expect(texts(walked)).toBe('link leads out of the tree, probably to nothing on the VM: out, up');
    }),
  );

  onLinux(
    'names of any bytes are carried, and rules match them',
    withPlace(async ({ root, write, walk }) => {
      const directory = Buffer.from('dür').toString('latin1');
      writeThing(root, `${directory}/\xff\xfeA`, 'x');
      writeThing(root, '\xff.log', 'x');
      write({ '.gitignore': '*.log\n' });
      expect([...(await walk()).entries].map((entry) => entry.path)).toEqual(['.gitignore', `${directory}/\xff\xfeA`]);
    }),
  );

  onLinux(
    'pipes are left out with a notice',
    withPlace(async ({ root, walk }) => {
      await once(spawn('mkfifo', [path.join(root, 'pipe')]), 'exit');
      const walked = await walk();
      expect([...walked.entries]).toEqual([]);
      expect(texts(walked)).toMatch(/socket, pipe or device: pipe/);
    }),
  );

  asUser(
    'fails on a directory that cannot be read, naming it',
    withPlace(async ({ root, write, walk }) => {
      write({ 'secret/x': '' });
      chmodSync(path.join(root, 'secret'), 0);
      try {
        await expect(walk()).rejects.toMatchObject({ code: 'E_USAGE', message: expect.stringMatching(/secret: permission denied/) });
      } finally {
        chmodSync(path.join(root, 'secret'), 0o755);
      }
    }),
  );

  test(
    'fails when the root is not there',
    withPlace(async ({ root, walk }) => {
      rmSync(root, { recursive: true });
      await expect(walk()).rejects.toThrow(/ENOENT/);
    }),
  );

  test(
    'fails with the signal’s reason when aborted',
    withPlace(async ({ root, home }) => {
      await expect(walkTree(root, { env: {}, home, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    }),
  );
});
