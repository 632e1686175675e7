import path from 'node:path';
import { python3 } from '../capture/package-fixtures';
import { LIST, openWorkshop } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

const MAIN = 'import idna, pandas, numpy\nprint(idna.encode("münchen.de"), pandas.Series(numpy.arange(4)).mean())\n';
const DEPENDENCIES = '["idna==3.7", "pandas>=2"]';
const PROJECT = `[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=${python3!.minor},<4"\ndependencies = ${DEPENDENCIES}\n`;

/** A tool, its project, and how it is installed. */
const TOOLS: Readonly<
  Record<string, { readonly files: Readonly<Record<string, string>>; readonly install: readonly (readonly string[])[] }>
> = {
  poetry: {
    // Poetry asks PyPI's own interface, which mirrors lack; a source is asked as every index is.
    files: {
      'pyproject.toml': `${PROJECT}[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "simple"\nurl = "https://pypi.org/simple"\npriority = "primary"\n`,
    },
    install: [['install', '--no-interaction', '--quiet']],
  },
  pipenv: {
    files: {
      Pipfile: `[[source]]\nname = "pypi"\nurl = "https://pypi.org/simple"\nverify_ssl = true\n[packages]\nidna = "==3.7"\npandas = ">=2"\n[requires]\npython_version = "${python3!.minor}"\n`,
    },
    install: [['install', '--quiet']],
  },
  pdm: {
    files: { 'pyproject.toml': PROJECT },
    install: [
      ['use', '--first', '--quiet', python3!.minor],
      ['install', '--quiet'],
    ],
  },
  hatch: {
    files: { 'pyproject.toml': `${PROJECT}[tool.hatch.envs.default]\nskip-install = true\ndependencies = ${DEPENDENCIES}\n` },
    install: [['--quiet', 'env', 'create']],
  },
};

test.each(Object.keys(TOOLS))('a project of %s, started by its run on a VM without it: packages and output are equal', async (tool) => {
  const { house, run, tryRun } = shop;
  const { files, install } = TOOLS[tool]!;
  const cwd = path.join(house.project, tool);
  await house.write(Object.fromEntries(Object.entries({ ...files, 'main.py': MAIN }).map(([name, text]) => [path.join(tool, name), text])));
  for (const words of install) await shop.tool(tool, words, { cwd });
  const here = (words: readonly string[]): Promise<string> => shop.tool(tool, ['run', 'python', ...words], { cwd });
  const ended = await tryRun(['--', tool, 'run', 'python', 'main.py'], { cwd });
  expect(ended).toMatchObject({ code: 0, stdout: Buffer.from(await here(['main.py'])) });
  // The lockfile says what is installed: no word about it.
  expect(ended.stderr).not.toContain('differ');
  expect(await run(['--', tool, 'run', 'python', ...LIST], { cwd })).toBe(await here(LIST));
});
