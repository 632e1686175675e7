import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { python3 } from '../capture/package-fixtures';
import { LIST, openWorkshop } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

test('a project of uv: the same packages here and there, and the same output', async () => {
  const { house, tool, run } = shop;
  await house.write({
    'pyproject.toml': `[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=${python3!.minor}"\ndependencies = ["idna==3.7", "rich>=13"]\n`,
    'main.py': 'import idna, rich.text\nprint(idna.encode("münchen.de"), rich.text.Text("a [b]").plain)\n',
    '.gitignore': '.venv/\n',
  });
  await tool('uv', ['sync', '--quiet', '--python', python3!.minor]);
  const here = (words: readonly string[]): Promise<string> => tool('.venv/bin/python', words);
  expect(await run(['--', '.venv/bin/python', 'main.py'])).toBe(await here(['main.py']));
  expect(await run(['--', '.venv/bin/python', ...LIST])).toBe(await here(LIST));
});

test('an environment that uv made of a pylock.toml: its hashes travel, and packages and output are equal', async () => {
  const { house, tool, run, tryRun } = shop;
  const cwd = path.join(house.project, 'locked');
  await house.write({
    'locked/requirements.in': 'idna==3.7\nrich>=13\n',
    'locked/main.py': 'import idna, rich.text\nprint(idna.encode("münchen.de"), rich.text.Text("a [b]").plain)\n',
  });
  await tool('uv', ['venv', '--quiet', '--python', python3!.minor], { cwd });
  await tool('uv', ['pip', 'compile', '--quiet', '--python', '.venv', '-o', 'pylock.toml', 'requirements.in'], { cwd });
  await tool('uv', ['pip', 'sync', '--quiet', 'pylock.toml'], { cwd });
  const here = (words: readonly string[]): Promise<string> => tool('.venv/bin/python', words, { cwd });
  const ended = await tryRun(['--', '.venv/bin/python', 'main.py'], { cwd });
  expect(ended).toMatchObject({ code: 0, stdout: Buffer.from(await here(['main.py'])) });
  expect(ended.stderr).not.toContain('differ');
  expect(await run(['--', '.venv/bin/python', ...LIST], { cwd })).toBe(await here(LIST));
  // Taken by itself it gives the same, and a hash of another file is refused.
  expect(await run(['--no-cache', '--packages', 'lock', '--', '.venv/bin/python', ...LIST], { cwd })).toBe(await here(LIST));
  const lock = await readFile(path.join(cwd, 'pylock.toml'), 'utf8');
  await house.write({ 'locked/pylock.toml': lock.replaceAll(/sha256 = "[0-9a-f]{60}/g, `sha256 = "${'0'.repeat(60)}`) });
  const refused = await tryRun(['--no-cache', '--', '.venv/bin/python', 'main.py'], { cwd });
  expect(refused.code).toBe(119);
  expect(refused.stderr).toMatch(/hash/i);
});
