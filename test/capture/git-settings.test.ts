import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { isPlainConfig } from '../../lib/capture/git/plain-config';
import { askSettings, guessSettings } from '../../lib/capture/git/settings';
import { withDirectory } from './trees';

/* The law: settings that are plain to see are those that git says. */

const section = fc.constantFrom(
  '[core]',
  '[Core]',
  '[core "x"]',
  '[user]',
  '[remote "a.b/c"]',
  '[core]  ',
  '[core.x]',
  '[CORE] # c',
  '[a-b]',
);
const key = fc.constantFrom('excludesfile', 'excludesFile', 'ignorecase', 'ignoreCase', 'ignorecased', 'name', 'fetch', 'autocrlf');
const value = fc.oneof(
  fc.constantFrom('~/mine', '/etc/mine', 'mine', ' mine  ', '~user/mine', '%(prefix)/mine', '"quoted"', 'a # b', 'a;b', 'a b', 'a\tb', 'é'),
  fc.constantFrom(
    'true',
    'TRUE',
    'yes',
    'on',
    '1',
    'false',
    'no',
    'off',
    '0',
    '',
    '2',
    '01',
    'maybe',
    'tr\\',
    '+refs/*:refs/x/*',
    ':(optional)a',
  ),
);
const setting = fc
  .tuple(fc.constantFrom('\t', '', '  '), key, fc.constantFrom(' = ', '=', ' =', '\t= '))
  .chain(([indent, name, equals]) =>
    fc.option(value, { freq: 8 }).map((text) => (text === null ? indent + name : indent + name + equals + text)),
  );
const line = fc.oneof(
  { weight: 3, arbitrary: section },
  { weight: 6, arbitrary: setting },
  fc.constantFrom('', '# c', '; c \\', 'x', '?', '  '),
);
const config = fc.array(line, { maxLength: 8 }).map((lines) => lines.map((one) => `${one}\n`).join(''));

test('what is plain to see is what git says', async () => {
  await withDirectory(async (home) => {
    const root = path.join(home, 'r');
    mkdirSync(root);
    const env = { PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
    execFileSync('git', ['init', '-q', '--template='], { cwd: root, env });
    let plain = 0;
    const law = fc.asyncProperty(config, config, async (global, local) => {
      fc.pre(isPlainConfig(global) && isPlainConfig(local));
      writeFileSync(path.join(home, '.gitconfig'), global);
      writeFileSync(path.join(root, '.git/config'), local);
      const asked = await askSettings(root, env);
      // What git cannot read, nobody relies on.
      if (asked) expect(guessSettings(path.join(root, '.git'), { env, home }).settings).toEqual(asked);
      if (asked) plain++;
    });
    await fc.assert(law, { numRuns: 300 });
    expect(plain).toBeGreaterThan(50);
  });
}, 120_000);

test.each([
  '[include]\n\tpath = x\n',
  '[includeIf "gitdir:~/x/"]\n\tpath = x\n',
  '[extensions]\n\tworktreeConfig = true\n',
  '[alias]\n\tx = a \\\n[core]\n',
  '[core]\n\texcludesFile = "~/mine"\n',
  '[core]\r\n',
  '[core] ignorecase = true\n',
  '\ufeff[core]\n',
])('fails to be sure of %j, and git is asked', (text) => {
  expect(isPlainConfig(text)).toBe(false);
});

test('fails to be sure when the environment says something of it, or there is another git', async () => {
  await withDirectory((home) => {
    const sure = (more: Record<string, string | undefined>): boolean =>
      guessSettings(home, { env: { HOME: home, PATH: '/usr/bin', ...more }, home }).isSure;
    for (const name of ['GIT_CONFIG_COUNT', 'GIT_CONFIG_PARAMETERS', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM'])
      expect(sure({ [name]: '1' })).toBe(false);
    writeFileSync(path.join(home, 'git'), '');
    expect(sure({ PATH: `${home}:/usr/bin` })).toBe(false);
    expect(sure({ HOME: undefined })).toBe(false);
  });
});
