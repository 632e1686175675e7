import path from 'node:path';
import { readIni } from '../../lib/capture/python/ini';
import { readIndexes } from '../../lib/capture/python/index-settings';
import type { Indexes } from '../../lib/capture/python/index-settings';
import { scratch, write, writeProgram } from './package-fixtures';

const NONE = { PIP_CONFIG_FILE: '/dev/null' };

type Env = Readonly<Record<string, string>>;

async function read(env: Env, where: { prefix: string; cwd: string; names?: readonly string[]; locked?: Env }): Promise<Indexes> {
  return readIndexes({ env, root: where.cwd, locked: {}, ...where, names: new Set(where.names ?? []) });
}

const readIndex = async (env: Env, where: { prefix: string; cwd: string }): Promise<Indexes['index']> => (await read(env, where)).index;

describe('where packages come from', () => {
  test('nothing is recorded where nothing is set', async () => {
    expect(await readIndex(NONE, { prefix: '/nowhere', cwd: '/' })).toBeUndefined();
  });

  test("pip's variables, with directories made absolute", async () => {
    const env = {
      ...NONE,
      PIP_INDEX_URL: 'https://a.test/simple',
      PIP_EXTRA_INDEX_URL: 'https://b.test/simple https://c.test/simple',
      PIP_FIND_LINKS: 'wheels',
    };
    expect(await readIndex(env, { prefix: '/nowhere', cwd: '/tree' })).toEqual({
      url: 'https://a.test/simple',
      extra: ['https://b.test/simple', 'https://c.test/simple'],
      findLinks: ['/tree/wheels'],
      noIndex: false,
      strategy: 'best',
    });
  });

  test("uv's variables win over pip's, and keep uv's order of indexes", async () => {
    const env = {
      ...NONE,
      UV_DEFAULT_INDEX: 'https://u.test/simple',
      UV_INDEX: 'torch=https://t.test/whl',
      PIP_INDEX_URL: 'https://a.test/simple',
    };
    expect(await readIndex(env, { prefix: '/nowhere', cwd: '/' })).toMatchObject({
      url: 'https://u.test/simple',
      extra: ['https://t.test/whl'],
      strategy: 'first',
    });
  });

  test("the environment's pip.conf wins over the user's", async () => {
    const root = scratch();
    write(root, {
      'venv/pip.conf': '[global]\nindex-url = https://venv.test/simple\n',
      '.config/pip/pip.conf':
        '[global]\nindex-url = https://user.test/simple\nextra_index_url =\n    https://b.test/simple\n    https://c.test/simple\n[install]\nno-index: true\n',
    });
    expect(await readIndex({ HOME: root }, { prefix: path.join(root, 'venv'), cwd: root })).toMatchObject({
      url: 'https://venv.test/simple',
      extra: ['https://b.test/simple', 'https://c.test/simple'],
      noIndex: true,
    });
  });

  test('an empty variable means the default, whatever files say', async () => {
    const root = scratch();
    write(root, { 'pip.conf': '[global]\nindex-url = https://a.test/simple\n' });
    expect(
      await readIndex({ PIP_INDEX_URL: '', PIP_CONFIG_FILE: path.join(root, 'pip.conf') }, { prefix: '/nowhere', cwd: '/' }),
    ).toBeUndefined();
  });

  test('a find-links or an index with a secret in its query fails without showing it', async () => {
    for (const [name, value] of [
      ['PIP_FIND_LINKS', 'https://example.test/wheels?sig=s3cret'],
      ['PIP_FIND_LINKS', 'https://me:s3cret@example.test/wheels'],
      ['UV_INDEX', 'own=https://example.test/simple?token=s3cret'],
    ] as const) {
      const error: unknown = await readIndex({ ...NONE, [name]: value }, { prefix: '/nowhere', cwd: '/' }).catch(
        (caught: unknown) => caught,
      );
      expect(error).toMatchObject({
        code: 'E_PACKAGE',
        message: `${name} names a place at example.test with credentials that do not travel`,
      });
      expect(JSON.stringify(error) + String(error)).not.toContain('s3cret');
    }
  });

  test('ini files: sections, both separators, comments, lines that go on', () => {
    const text = '; c\n[global]\na = 1\nb: x\n  y\n# c\n[other]\na = 9\n[install]\na=2\n';
    expect([...readIni(text, ['global', 'install'])]).toEqual([
      ['a', '2'],
      ['b', 'x y'],
    ]);
  });
});

describe('credentials of an index', () => {
  const URL_WITHOUT = 'https://example.test/simple';
  const at = async (env: Env, cwd = '/'): Promise<Indexes> => read({ ...NONE, ...env }, { prefix: '/nowhere', cwd });

  test.each([
    ['PIP_INDEX_URL', 'https://me:s3cret%40@example.test/simple'],
    ['PIP_EXTRA_INDEX_URL', 'https://a.test/simple https://me:s3cret%40@example.test/simple'],
    ['UV_INDEX', 'own=https://me:s3cret%40@example.test/simple'],
  ])('in %s are secrets, and in nothing else', async (name, value) => {
    const { secrets, credentials, ...rest } = await at({ [name]: value });
    expect(secrets).toEqual({ [URL_WITHOUT]: 'https://me:s3cret%40@example.test/simple' });
    expect(credentials).toEqual({ [URL_WITHOUT]: name });
    expect(JSON.stringify(rest)).not.toContain('s3cret');
    expect(JSON.stringify(rest)).toContain(URL_WITHOUT);
  });

  test('a token without a password', async () => {
    expect((await at({ PIP_INDEX_URL: 'https://t0ken@example.test/simple' })).secrets).toEqual({
      [URL_WITHOUT]: 'https://t0ken@example.test/simple',
    });
  });

  test('are those of the variables of uv and poetry, by the name of the index', async () => {
    const root = scratch();
    write(root, { 'pyproject.toml': '[[tool.uv.index]]\nname = "my-own.x"\nurl = "https://example.test/simple"\n' });
    const uv = await at({ UV_INDEX_MY_OWN_X_USERNAME: 'me', UV_INDEX_MY_OWN_X_PASSWORD: 's3cret' }, root);
    expect(uv).toMatchObject({
      index: { extra: [URL_WITHOUT], strategy: 'first' },
      secrets: { [URL_WITHOUT]: 'https://me:s3cret@example.test/simple' },
    });
    write(root, {
      'pyproject.toml': '[[tool.poetry.source]]\nname = "own"\nurl = "https://example.test/simple"\npriority = "supplemental"\n',
    });
    const poetry = await at({ POETRY_HTTP_BASIC_OWN_USERNAME: 'me', POETRY_HTTP_BASIC_OWN_PASSWORD: 's3cret' }, root);
    expect(poetry).toMatchObject({
      index: { extra: [URL_WITHOUT], strategy: 'best' },
      credentials: { [URL_WITHOUT]: 'POETRY_HTTP_BASIC_OWN_USERNAME and POETRY_HTTP_BASIC_OWN_PASSWORD' },
    });
  });

  test("are those of poetry's auth.toml, of netrc for the host and user, and of none else", async () => {
    const root = scratch();
    write(root, {
      'pyproject.toml': '[[tool.poetry.source]]\nname = "own"\nurl = "https://example.test/simple"\n',
      'home/.config/pypoetry/auth.toml': '[http-basic.own]\nusername = "me"\npassword = "of-poetry"\n',
      '.netrc': '# a comment\nmachine other.test login x password y\nmachine example.test\n  login me\n  password "of \\"netrc"\n',
    });
    expect((await at({ HOME: path.join(root, 'home') }, root)).secrets).toEqual({
      [URL_WITHOUT]: 'https://me:of-poetry@example.test/simple',
    });
    const netrc = await at({ NETRC: path.join(root, '.netrc'), PIP_INDEX_URL: 'https://example.test/simple' });
    expect(netrc).toMatchObject({
      secrets: { [URL_WITHOUT]: 'https://me:of%20%22netrc@example.test/simple' },
      credentials: { [URL_WITHOUT]: path.join(root, '.netrc') },
    });
    expect((await at({ HOME: root, PIP_INDEX_URL: 'https://you@example.test/simple' })).secrets).toEqual({
      [URL_WITHOUT]: 'https://you@example.test/simple',
    });
    expect((await at({ HOME: root, PIP_INDEX_URL: 'https://third.test/simple' })).secrets).toEqual({});
  });

  test('are those of the keyring, asked for a user that is known', async () => {
    const bin = scratch();
    writeProgram(path.join(bin, 'keyring'), '#!/bin/sh\ntest "$*" = "get example.test me" && echo of-keyring\n');
    const PATH = `${bin}:/usr/bin:/bin`;
    const found = await at({ PATH, PIP_INDEX_URL: 'https://me@example.test/simple' });
    expect(found).toMatchObject({
      secrets: { [URL_WITHOUT]: 'https://me:of-keyring@example.test/simple' },
      credentials: { [URL_WITHOUT]: 'keyring (example.test)' },
    });
    expect((await at({ PATH, PIP_INDEX_URL: URL_WITHOUT })).secrets).toEqual({});
    writeProgram(path.join(bin, 'keyring'), '#!/bin/sh\ntest "$1" = --mode && echo \'{"username": "you", "password": "chosen"}\'\n');
    expect((await at({ PATH, PIP_INDEX_URL: URL_WITHOUT, UV_KEYRING_PROVIDER: 'subprocess' })).secrets).toEqual({
      [URL_WITHOUT]: 'https://you:chosen@example.test/simple',
    });
  });

  test('of a Pipfile come from its variables; packages come from the index that they name', async () => {
    const root = scratch();
    write(root, {
      Pipfile:
        '[[source]]\nname = "pypi"\nurl = "https://pypi.org/simple"\n[[source]]\nname = "own"\nurl = "https://$OWN_USER:${OWN_PASSWORD}@example.test/simple"\n' +
        '[packages]\nMy_Tool = { version = "*", index = "own" }\nidna = "*"\n',
    });
    const env = { ...NONE, OWN_USER: 'me', OWN_PASSWORD: 's3cret' };
    expect(await read(env, { prefix: '/nowhere', cwd: root, names: ['my-tool', 'idna'] })).toMatchObject({
      index: { extra: [URL_WITHOUT] },
      packages: { 'my-tool': URL_WITHOUT },
      secrets: { [URL_WITHOUT]: 'https://me:s3cret@example.test/simple' },
    });
  });

  test('of an index that is only for packages that name it, as the lockfile or the project says; it is asked for no other', async () => {
    const root = scratch();
    write(root, {
      'pyproject.toml':
        '[[tool.uv.index]]\nname = "own"\nurl = "https://me:s3cret@example.test/simple/"\nexplicit = true\n[tool.uv.sources]\nmine = { index = "own" }\n',
    });
    const found = await read(NONE, { prefix: '/nowhere', cwd: root, names: ['mine', 'other'] });
    expect(found).toEqual({
      packages: { mine: `${URL_WITHOUT}/` },
      credentials: { [`${URL_WITHOUT}/`]: `the index own in ${path.join(root, 'pyproject.toml')}` },
      secrets: { [`${URL_WITHOUT}/`]: 'https://me:s3cret@example.test/simple/' },
    });
    const locked = await read(NONE, { prefix: '/nowhere', cwd: root, names: ['other'], locked: { other: URL_WITHOUT } });
    expect(locked.secrets).toEqual({ [`${URL_WITHOUT}/`]: 'https://me:s3cret@example.test/simple/' });
  });
});
