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
