import type { CaptureContext } from '../../lib/contract';
import { capture, lockfile, MANIFEST, project, tree } from './node-fixtures';
import type { CapturedNode } from './node-fixtures';
import { scratch, write } from './package-fixtures';

/** As a developer with these files at home. */
async function captureAs(
  home: object,
  root: string,
  env: Record<string, string> = {},
  change: Partial<CaptureContext> = {},
): Promise<CapturedNode> {
  const HOME = scratch();
  write(HOME, { ...home });
  return capture(root, 'node x.js', { ...change, env: { HOME, ...env } });
}

const SCOPED = lockfile({ 'node_modules/@me/x': { version: '1.0.0', resolved: 'https://registry.npmjs.org/@me/x/-/x-1.0.0.tgz' } });
const PRIVATE = '@me:registry=https://r.test:4873/npm/\n//r.test:4873/npm/:_authToken=${NPM_TOKEN}\n//unused.test/:_authToken=n0t-needed\n';

describe('registries with credentials', () => {
  test('settings are in the recipe, and credentials of registries that packages come from are sealed', async () => {
    const captured = await captureAs({ '.npmrc': PRIVATE }, project(), { NPM_TOKEN: 's3cret-token' });
    expect(captured.recipe.project!.settings).toEqual({ '@me:registry': 'https://r.test:4873/npm/' });
    expect(captured.secrets).toEqual({ 'node:npmrc': '//r.test:4873/npm/:_authToken=s3cret-token\n' });
    expect(JSON.stringify(captured.layer)).not.toMatch(/s3cret|n0t-needed/);
  });

  test('those of the public registry travel for scoped packages alone, which may be private', async () => {
    const home = { '.npmrc': '//registry.npmjs.org/:_authToken=s3cret-token\n' };
    expect((await captureAs(home, project({ 'package.json': MANIFEST, 'package-lock.json': SCOPED }))).secrets).toHaveProperty(
      'node:npmrc',
    );
    const unscoped = tree({
      'package.json': { dependencies: { a: '1' } },
      'package-lock.json': { lockfileVersion: 3, packages: { '': { dependencies: { a: '1' } }, 'node_modules/a': { version: '1.0.0' } } },
    });
    expect((await captureAs(home, unscoped)).secrets).toEqual({});
  });

  test('the project’s .npmrc takes what it names from the environment; a secret written there is told', async () => {
    const taken = await captureAs({}, project({ '.npmrc': 'registry=https://r.test/\n//r.test/:_authToken=${NPM_TOKEN}\n' }), {
      NPM_TOKEN: 's3cret-token',
    });
    expect(taken.secrets).toEqual({ 'node:npmrc': '//r.test/:_authToken=s3cret-token\n', 'node:env:NPM_TOKEN': 's3cret-token' });
    expect(taken.said).not.toContainEqual(expect.stringContaining('.npmrc'));
    const literal = await captureAs(
      {},
      project({ '.npmrc': '//r.test/:_authToken=s3cret-token\nregistry=https://me:s3cret-word@r.test/\n' }),
    );
    expect(literal.said).toContainEqual(
      expect.stringMatching(/\.npmrc holds a secret \(_authToken, registry\), and travels with your files unless git ignores it/),
    );
    expect(JSON.stringify(literal.layer)).not.toContain('s3cret');
  });

  test('the same project is the same environment for whoever logs in otherwise', async () => {
    const keyOf = async (token: string): Promise<string> =>
      (await captureAs({ '.npmrc': PRIVATE }, project(), { NPM_TOKEN: token })).layer.key;
    expect(await keyOf('one-token')).toBe(await keyOf('other-token'));
  });

  test('of yarn they lie in .yarnrc.yml and variables, of pnpm also in its own directory', async () => {
    const yarn = tree({ 'package.json': { dependencies: { a: '1' } }, 'yarn.lock': 'a@1:\n  version "1.0.0"\n' });
    const rc = 'npmScopes:\n  me:\n    npmRegistryServer: https://r.test\n    npmAuthToken: "${TOKEN}"\ndefaultSemverRangePrefix: ""\n';
    const { secrets } = await captureAs({ '.yarnrc.yml': rc }, yarn, { TOKEN: 's3cret-token', YARN_NPM_AUTH_TOKEN: 's3cret-other' });
    expect(JSON.parse(secrets['node:yarnrc']!)).toEqual({
      npmScopes: { me: { npmRegistryServer: 'https://r.test', npmAuthToken: 's3cret-token' } },
    });
    expect(secrets['node:env:YARN_NPM_AUTH_TOKEN']).toBe('s3cret-other');
    const pnpm = tree({
      'package.json': { dependencies: { a: '1' } },
      'pnpm-lock.yaml':
        "lockfileVersion: '9.0'\nimporters: {.: {dependencies: {a: {specifier: '1', version: 1.0.0}}}}\npackages: {a@1.0.0: {}}\n",
    });
    const files = { '.config/pnpm/rc': 'registry=https://r.test/\n', '.config/pnpm/auth.ini': '//r.test/:_authToken=s3cret-token\n' };
    expect((await captureAs(files, pnpm)).secrets).toEqual({ 'node:npmrc': '//r.test/:_authToken=s3cret-token\n' });
  });

  test('client certificates are told, as they do not travel', async () => {
    const { said } = await captureAs({ '.npmrc': '//r.test/:certfile=/home/me/c.pem\n' }, project());
    expect(said).toContainEqual(expect.stringContaining('client certificates of .npmrc (certfile) do not travel'));
  });

  test('what is deployed takes no settings of the developer, and is the same without a login', async () => {
    const home = { '.npmrc': '@me:registry=https://r.test/\n//registry.npmjs.org/:_authToken=s3cret-token\nlegacy-peer-deps=true\n' };
    const files = { 'package.json': MANIFEST, 'package-lock.json': SCOPED };
    const [one, other] = [
      await captureAs(home, project(files), {}, { locked: true }),
      await captureAs({}, project(files), {}, { locked: true }),
    ];
    expect(one.secrets).toEqual({});
    expect(one.layer.key).toBe(other.layer.key);
    const needing = project({ ...files, '.npmrc': '@me:registry=https://r.test/\n' });
    const login = await captureAs({ '.npmrc': '//r.test/:_authToken=s3cret-token\n' }, needing, {}, { locked: true });
    expect(Object.keys(login.secrets)).toEqual(['node:npmrc']);
  });
});

test('the manager’s own registry of the environment is a setting like others', async () => {
  const { recipe } = await captureAs({}, project(), { npm_config_registry: 'https://mirror.test/' });
  expect(recipe.project!.settings).toEqual({ registry: 'https://mirror.test/' });
});
