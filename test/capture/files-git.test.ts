import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { walkTree } from '../../lib/capture/walk';
import { withDirectory, writeTree } from './trees';

/*
 * The law: in a repository, what travels is what git itself would show: tracked files that are there, and files that are
 * neither tracked nor ignored. Names and patterns are drawn from few letters, so that they meet often.
 */

const NAMES = ['a', 'b', 'ab', 'a b', 'c.log', 'd.txt', '.x', 'é', '[a]', 'A', '#h', '!i', 'a*', 'b\\', 'logs'];

const name = fc.constantFrom(...NAMES);
const file = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

const atom = fc.oneof(
  { weight: 4, arbitrary: name },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '*',
      '**',
      '?',
      '*.log',
      '*.txt',
      'a*',
      '*b',
      'a?',
      '[ab]',
      '[!a]',
      '[^a]*',
      '[a-c]*',
      '[[:alpha:]]',
      '\\a',
      '\\[a]',
      '\\*',
      '*a*',
      '[]a]',
      '[',
      'a\\ ',
      '\\#h',
      '\\!i',
      '?*',
      '??',
      '[b-a]',
    ),
  },
);
const pattern = fc
  .record({
    negated: fc.constantFrom('', '', '', '!'),
    lead: fc.constantFrom('', '', '/', '**/'),
    atoms: fc.array(atom, { minLength: 1, maxLength: 3 }),
    tail: fc.constantFrom('', '', '/', '/*', '/**', ' ', '  '),
  })
  .map(({ negated, lead, atoms, tail }) => negated + lead + atoms.join('/') + tail);
const line = fc.oneof(
  { weight: 12, arbitrary: pattern },
  { weight: 1, arbitrary: fc.constantFrom('', '# comment', '/', '//', '!', '\\', 'a\\', 'a**', '**b') },
);
const rules = fc
  .record({
    lines: fc.array(line, { minLength: 1, maxLength: 4 }),
    end: fc.constantFrom('\n', '\n', '\r\n'),
    bom: fc.constantFrom('', '', '\ufeff'),
  })
  .map(({ lines, end, bom }) => bom + lines.join(end) + end);

const repository = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 14 }),
  tracked: fc.array(fc.nat(13), { maxLength: 3 }),
  root: rules,
  nested: fc.array(fc.tuple(fc.nat(13), rules), { maxLength: 3 }),
  exclude: fc.option(rules),
  global: fc.option(rules),
});

test('what travels of a repository is what git shows of it', async () => {
  await fc.assert(
    fc.asyncProperty(repository, (drawn) =>
      withDirectory(async (directory) => {
        const root = path.join(directory, 'r');
        const env = { PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1' };
        mkdirSync(root);
        const git = (...args: string[]): string =>
          execFileSync('git', args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
        git('init', '-q');
        write(root, drawn.files);
        if (drawn.tracked.length > 0) git('--literal-pathspecs', 'add', '-f', '--', ...existing(drawn, root));
        writeRules(directory, root, drawn);
        const shown = git('ls-files', '-z', '-c', '-o', '--exclude-standard');
        const walked = await walkTree(root, { env, home: directory });
        const travels = walked.entries
          .filter((entry) => entry.type === 'file')
          .map((entry) => Buffer.from(entry.path, 'latin1').toString());
        expect(travels.sort()).toEqual([...new Set(shown.split('\0').filter((found) => found !== ''))].sort());
      }),
    ),
    { numRuns: Number(process.env['FILES_RUNS'] ?? 150) },
  );
}, 120_000);

type Drawn = typeof repository extends fc.Arbitrary<infer T> ? T : never;

/** Files whose name a directory has already taken are left out, and the other way round. */
function write(root: string, files: readonly string[]): void {
  for (const file of files) {
    try {
      writeTree(root, { [file]: file });
    } catch (error) {
      if (!/EEXIST|ENOTDIR|EISDIR/.test(String(error))) throw error;
    }
  }
}

function existing({ files, tracked }: Drawn, root: string): string[] {
  const listed = execFileSync('find', ['.', '-type', 'f', '-not', '-path', './.git/*', '-print0'], { cwd: root, encoding: 'utf8' });
  const there = new Set(listed.split('\0').map((found) => found.slice(2)));
  const chosen = tracked.map((index) => files[index % files.length]!).filter((file) => there.has(file));
  return chosen.length > 0 ? chosen : ['.'];
}

function writeRules(home: string, root: string, { files, root: text, nested, exclude, global }: Drawn): void {
  rmSync(path.join(root, '.git/info/exclude'), { force: true });
  writeTree(root, { '.gitignore': text, ...(exclude === null ? {} : { '.git/info/exclude': exclude }) });
  if (global !== null) writeTree(home, { '.config/git/ignore': global });
  for (const [index, rules] of nested) {
    const directory = path.dirname(files[index % files.length]!);
    try {
      writeTree(root, { [`${directory}/.gitignore`]: rules });
    } catch (error) {
      if (!/EEXIST|ENOTDIR|EISDIR/.test(String(error))) throw error;
    }
  }
}
