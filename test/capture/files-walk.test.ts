import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { walkTree } from '../../lib/capture/walk';

let root: string;
let home: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'rawcloud-test-')));
  home = path.join(root, '..', `${path.basename(root)}-home`);
  mkdirSync(home);
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
}

function git(...args: string[]): string {
  const env = { ...process.env, HOME: home, GIT_CONFIG_GLOBAL: path.join(home, '.gitconfig'), GIT_CONFIG_SYSTEM: '/dev/null' };
  return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] });
}

async function names(include: string[] = []): Promise<string[]> {
  const walked = await walkTree({ root, home, env: {}, include });
  return walked.entries.map((e) => (e.type === 'directory' ? `${e.path}/` : e.path));
}

describe('the walk', () => {
  test('follows git: nested rules, negation, info/exclude, the user’s own excludes', async () => {
    git('init', '-q');
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
      'local': '',
      '.git/info/exclude': 'local\n',
      'mine.swp': '',
    });
    mkdirSync(path.join(home, '.config/git'), { recursive: true });
    writeFileSync(path.join(home, '.config/git/ignore'), '*.swp\n');
    expect(await names()).toEqual(['.gitignore', 'keep.log', 'sub/.gitignore', 'sub/a.log', 'sub/only-here']);
  });

  test('takes what git tracks though a rule matches it', async () => {
    git('init', '-q');
    write({ 'data/a.csv': '1', 'data/b.csv': '2', 'x': '' });
    git('add', 'data/a.csv');
    write({ '.gitignore': 'data/\n' });
    expect(await names()).toEqual(['.gitignore', 'data/a.csv', 'x']);
  });

  test('takes what the command names though git ignores it: a file, or a directory with all below', async () => {
    git('init', '-q');
    write({ '.gitignore': '*.csv\nbig/\n', 'a.csv': '', 'b.csv': '', 'big/x/y': '', 'big/z.csv': '', 'seen/c.csv': '', 'seen/d': '' });
    expect(await names(['a.csv', 'big', 'seen'])).toEqual(['.gitignore', 'a.csv', 'big/x/y', 'big/z.csv', 'seen/d']);
  });

  test('lets .rawcloudignore leave out and bring back', async () => {
    git('init', '-q');
    write({ '.gitignore': '*.bin\nout/\n', '.rawcloudignore': 'docs/\n!model.bin\n!out/\n', 'model.bin': '', 'x.bin': '', 'docs/a': '', 'out/result': '', 'src': '' });
    expect(await names()).toEqual(['.gitignore', '.rawcloudignore', 'model.bin', 'out/result', 'src']);
  });

  test('never takes .git, environments or installed packages', async () => {
    write({ 'venv/pyvenv.cfg': '', 'venv/bin/python': '', 'conda/conda-meta/x': '', 'node_modules/a/b': '', '__pycache__/x.pyc': '', 'sub/.git/HEAD': '', 'sub/y': '', 'z': '' });
    expect(await names()).toEqual(['sub/y', 'z']);
  });

  test('takes links, exec bits, empty directories and any name', async () => {
    write({ 'a b': '', 'new\nline': '', '-dash': '', 'ünïcode': '', "quo'te\"": '' });
    mkdirSync(path.join(root, 'empty/deep'), { recursive: true });
    symlinkSync('a b', path.join(root, 'link'));
    symlinkSync('/nowhere', path.join(root, 'outward'));
    writeFileSync(path.join(root, 'run.sh'), '');
    chmodSync(path.join(root, 'run.sh'), 0o755);
    const walked = await walkTree({ root, home, env: {} });
    expect(walked.entries.map((e) => e.path)).toEqual(['-dash', 'a b', 'empty/deep', 'link', 'new\nline', 'outward', "quo'te\"", 'run.sh', 'ünïcode']);
    expect(walked.entries.find((e) => e.path === 'link')).toMatchObject({ type: 'link', target: 'a b' });
    expect(walked.notices.map((n) => n.text).join()).toMatch(/outside the tree.*outward/);
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('takes names that are no UTF-8, below directories with names of any kind', async () => {
    const directory = Buffer.concat([Buffer.from(`${root}/dür/`)]);
    mkdirSync(directory);
    writeFileSync(Buffer.concat([directory, Buffer.from([0xff, 0x41])]), 'x');
    const { entries } = await walkTree({ root, home, env: {} });
    expect(entries).toMatchObject([{ raw: true, type: 'file', path: Buffer.concat([Buffer.from('dür/'), Buffer.from([0xff, 0x41])]).toString('latin1') }]);
  });

  test('agrees with git ls-files on random trees and rules', async () => {
    const part = fc.constantFrom('a', 'b', 'c.log', 'd.txt', 'e e', 'F');
    const file = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    const pattern = fc
      .tuple(fc.constantFrom('', '!', '/'), fc.constantFrom('a', 'b/', '*.log', 'c*', 'a/b', '**/d.txt', 'a/**', '?', '[a-c]', 'e\\ e', 'F', '*', 'b/*.txt'))
      .map(([before, text]) => (before === '/' && text.startsWith('**') ? text : before + text));
    const rules = fc.array(pattern, { maxLength: 4 }).map((lines) => lines.join('\n') + '\n');
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(file, { minLength: 1, maxLength: 10 }), rules, rules, async (files, top, nested) => {
        rmSync(root, { recursive: true, force: true });
        mkdirSync(root);
        git('init', '-q');
        for (const name of files) {
          try {
            write({ [name]: name });
          } catch {
            // A path that is both file and directory: the first one stays.
          }
        }
        write({ '.gitignore': top });
        if (files.some((f) => f.startsWith('a/'))) {
          try {
            write({ 'a/.gitignore': nested });
          } catch {
            // `a` is a file here.
          }
        }
        const expected = git('ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0').filter(Boolean).sort();
        const seen = (await walkTree({ root, home, env: {} })).entries.filter((e) => e.type !== 'directory').map((e) => e.path);
        expect(seen.sort()).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });
});
