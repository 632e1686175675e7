import path from 'node:path';
import { readIni } from '../../lib/capture/python/ini';
import { readIndex } from '../../lib/capture/python/index-settings';
import { scratch, write } from './package-fixtures';

const NONE = { PIP_CONFIG_FILE: '/dev/null' };

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

  test.each([
    ['PIP_INDEX_URL', 'https://me:s3cret@example.test/simple'],
    ['PIP_EXTRA_INDEX_URL', 'https://a.test/simple https://s3cret@example.test/simple'],
    ['UV_INDEX', 'own=https://me:s3cret@example.test/simple'],
    ['PIP_FIND_LINKS', 'https://example.test/wheels?sig=s3cret'],
  ])('fails for credentials in %s without showing them', async (name, value) => {
    const error: unknown = await readIndex({ ...NONE, [name]: value }, { prefix: '/nowhere', cwd: '/' }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'E_PACKAGE',
      message: `${name} names an index at example.test with credentials; private indexes are coming`,
    });
    expect(JSON.stringify(error) + String(error)).not.toContain('s3cret');
  });

  test('ini files: sections, both separators, comments, lines that go on', () => {
    const text = '; c\n[global]\na = 1\nb: x\n  y\n# c\n[other]\na = 9\n[install]\na=2\n';
    expect([...readIni(text, ['global', 'install'])]).toEqual([
      ['a', '2'],
      ['b', 'x y'],
    ]);
  });
});
