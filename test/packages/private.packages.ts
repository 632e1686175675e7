import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { python3 } from '../capture/package-fixtures';
import { PASSWORD, servePrivateIndex, USER } from './private-index';
import type { PrivateIndex } from './private-index';
import { LIST, openWorkshop } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
let index: PrivateIndex;

beforeAll(async () => {
  shop = await openWorkshop();
  const wheels = path.join(shop.house.directory, 'wheels');
  const source = path.join(shop.house.directory, 'secret-tool');
  mkdirSync(path.join(source, 'secret_tool'), { recursive: true });
  writeFileSync(path.join(source, 'secret_tool', '__init__.py'), 'WORD = "from the private index"\n');
  writeFileSync(
    path.join(source, 'pyproject.toml'),
    '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[project]\nname = "secret-tool"\nversion = "1.2"\n',
  );
  await shop.tool('uv', ['build', '--quiet', '--wheel', '--out-dir', wheels, source], { cwd: source });
  index = await servePrivateIndex(wheels);
  await shop.house.write({
    'main.py': MAIN,
    '.gitignore': '.venv/\n',
  });
});

afterAll(async () => {
  await index.close();
  await shop.close();
});

const MAIN = 'import secret_tool, idna\nprint(secret_tool.WORD, idna.encode("münchen.de"))\n';

/** Everything that is kept, here and in the account, but what is sealed for the VM. */
async function holders(secret: string): Promise<string[]> {
  const files = await shop.house.everything();
  return files.filter(({ content }) => content.includes(secret)).map(({ name }) => name);
}

test('pip, with a password in its index settings: the VM installs from there, and nothing that is kept or printed has the password', async () => {
  const { house, tool, tryRun } = shop;
  const env = { PIP_EXTRA_INDEX_URL: index.opened };
  const cwd = path.join(house.project, 'of-pip');
  mkdirSync(cwd);
  writeFileSync(path.join(cwd, 'main.py'), MAIN);
  await tool('python3', ['-m', 'venv', '.venv'], { cwd });
  await tool('.venv/bin/python', ['-m', 'pip', 'install', '--quiet', 'secret-tool', 'idna==3.7'], { env, cwd });
  const here = (words: readonly string[]): Promise<string> => tool('.venv/bin/python', words, { cwd });
  const ended = await tryRun(['--', '.venv/bin/python', 'main.py'], { env, cwd });
  expect(ended).toMatchObject({ code: 0, stdout: Buffer.from(await here(['main.py'])) });
  expect(await shop.run(['--', '.venv/bin/python', ...LIST], { env, cwd })).toBe(await here(LIST));
  await house.allGone();
  expect(await holders(PASSWORD)).toEqual([]);
  expect(ended.stdout.toString() + ended.stderr).not.toContain(PASSWORD);
});

test('uv, with a lockfile, an index for one package and variables for its password; without them it fails naming the index', async () => {
  const { house, tool, run, tryRun } = shop;
  await house.write({
    'pyproject.toml':
      `[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=${python3!.minor}"\ndependencies = ["secret-tool", "idna==3.7"]\n` +
      `[[tool.uv.index]]\nname = "own"\nurl = "${index.url}"\nexplicit = true\n[tool.uv.sources]\nsecret-tool = { index = "own" }\n`,
  });
  const env = { UV_INDEX_OWN_USERNAME: USER, UV_INDEX_OWN_PASSWORD: PASSWORD };
  await tool('uv', ['sync', '--quiet', '--python', python3!.minor], { env });
  const here = await tool('.venv/bin/python', ['main.py']);
  expect(await run(['--no-cache', '--', '.venv/bin/python', 'main.py'], { env })).toBe(here);
  await house.allGone();
  expect(await holders(PASSWORD)).toEqual([]);
  const refused = await tryRun(['--no-cache', '--', '.venv/bin/python', 'main.py'], {
    env: { UV_INDEX_OWN_USERNAME: USER, UV_INDEX_OWN_PASSWORD: 'wrong-one' },
  });
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain(`the package index 127.0.0.1:${new URL(index.url).port} refused the VM`);
  expect(refused.stderr).toContain('tried were the credentials of UV_INDEX_OWN_USERNAME and UV_INDEX_OWN_PASSWORD');
  expect(refused.stderr).not.toContain('wrong-one');
});

/** A backend for the real keyring, which keeps passwords in its own source: no machine of a CI has one of the desktop's. */
const BACKEND = `import keyring.backend, keyring.errors
class Keyring(keyring.backend.KeyringBackend):
    priority = 9
    def get_password(self, service, username):
        return "${PASSWORD}" if (service, username) == ("@URL@", "${USER}") else None
    def set_password(self, service, username, password):
        raise keyring.errors.PasswordSetError("the test's own keeps one password alone")
`;

/** Where each kind keeps the credentials of the index: files around the project, variables, and the index as its user names it. */
const KEEPERS: Readonly<Record<string, () => { files: Record<string, string>; env: Record<string, string>; url: string }>> = {
  netrc: () => ({
    files: { '../home/.netrc': `machine 127.0.0.1\n  login ${USER}\n  password ${PASSWORD}\n` },
    env: {},
    url: index.url,
  }),
  keyring: () => ({
    files: {
      '../home/backends/of_the_test.py': BACKEND.replace('@URL@', index.url),
      '../config/python_keyring/keyringrc.cfg': `[backend]\ndefault-keyring=of_the_test.Keyring\nkeyring-path=${shop.house.directory}/home/backends\n`,
    },
    env: { UV_KEYRING_PROVIDER: 'subprocess' },
    url: index.url.replace('://', `://${USER}@`),
  }),
};

test.each(Object.keys(KEEPERS))(
  'uv, with the password in %s: the VM installs from there, and nothing that is kept or printed has it',
  async (kind) => {
    const { house, tool, tryRun } = shop;
    const { files, env: own, url } = KEEPERS[kind]!();
    const cwd = path.join(house.project, kind);
    await house.write({ ...files, [`${kind}/main.py`]: MAIN });
    const env = { ...own, UV_INDEX: url };
    await tool('uv', ['venv', '--quiet', '--python', python3!.minor], { cwd });
    await tool('uv', ['pip', 'install', '--quiet', 'secret-tool', 'idna==3.7'], { env, cwd });
    const ended = await tryRun(['--no-cache', '--', '.venv/bin/python', 'main.py'], { env, cwd });
    expect(ended).toMatchObject({ code: 0, stdout: Buffer.from(await tool('.venv/bin/python', ['main.py'], { cwd })) });
    expect(await shop.run(['--no-cache', '--', '.venv/bin/python', ...LIST], { env, cwd })).toBe(
      await tool('.venv/bin/python', LIST, { cwd }),
    );
    await house.allGone();
    expect(await holders(PASSWORD)).toEqual([]);
    expect(ended.stdout.toString() + ended.stderr).not.toContain(PASSWORD);
    await rm(path.join(house.directory, 'home', '.netrc'), { force: true });
  },
);
