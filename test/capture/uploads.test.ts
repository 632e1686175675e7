import { mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { resolveArguments } from '../../lib/capture/arguments';
import { resolveKept } from '../../lib/capture/kept-paths';
import { findTravelling } from '../../lib/capture/travelling';
import { resolveUploads } from '../../lib/capture/uploads';
import type { Upload, UploadRequest } from '../../lib/capture/uploads';
import { showPath } from '../../lib/contract';
import { withDirectory, writeTree } from './trees';

interface Place {
  readonly base: string;
  readonly root: string;
  readonly resolve: (...requests: (string | UploadRequest)[]) => Promise<Upload[]>;
  /** What travels: path, and where it is read. */
  readonly travels: (...requests: (string | UploadRequest)[]) => Promise<Record<string, string>>;
}

/** A tree `proj` with the working directory `proj/w`, beside a directory `other`. */
const inPlace = (body: (place: Place) => Promise<void>) => () =>
  withDirectory(async (found) => {
    const base = realpathSync(found);
    const root = path.join(base, 'proj');
    const home = path.join(base, 'home');
    mkdirSync(home);
    writeTree(base, {
      'proj/.gitignore': 'data/\n*.bin\n',
      'proj/w/t.py': '',
      'proj/w/data/x.bin': 'x',
      'proj/w/data/node_modules/y': 'y',
      'other/a b/é.bin': '1',
      'other/.git/config': '',
      'other/.gitignore': '*',
      'other/env/pyvenv.cfg': '',
      'other/empty': { directory: true },
      'other/in': { link: `${base}/other/a b` },
      'home/.ssh/id': '',
    });
    const resolve: Place['resolve'] = (...requests) =>
      resolveUploads(
        requests.map((request) => (typeof request === 'string' ? { path: request } : request)),
        { root, cwd: path.join(root, 'w'), home },
      );
    const travels: Place['travels'] = async (...requests) => {
      const { entries, sources } = await findTravelling(root, { env: {}, home, uploads: await resolve(...requests) });
      const places = [...entries].map(({ path: at, type }) => [
        showPath(at) + (type === 'directory' ? '/' : type === 'link' ? '@' : ''),
        path.relative(base, sources.locate(at).toString()),
      ]);
      return Object.fromEntries(places) as Record<string, string>;
    };
    await body({ base, root, resolve, travels });
  });

test(
  'what is ignored travels whole where it is',
  inPlace(async ({ travels }) => {
    expect(Object.keys(await travels())).toEqual(['.gitignore', 'w/t.py']);
    expect(await travels('data', 'data/x.bin', 't.py')).toEqual({
      '.gitignore': 'proj/.gitignore',
      'w/data/node_modules/y': 'proj/w/data/node_modules/y',
      'w/data/x.bin': 'proj/w/data/x.bin',
      'w/t.py': 'proj/w/t.py',
    });
  }),
);

test(
  'what is outside of the tree travels into the working directory, or to where it is told to; links stay within it',
  inPlace(async ({ travels, base }) => {
    const at = (place: string) => ({
      [`${place}/.gitignore`]: 'other/.gitignore',
      [`${place}/a b/é.bin`]: 'other/a b/é.bin',
      [`${place}/empty/`]: 'other/empty',
      [`${place}/in@`]: 'other/in',
    });
    const tree = { '.gitignore': 'proj/.gitignore', 'w/t.py': 'proj/w/t.py' };
    expect(await travels('../../other')).toEqual({ ...tree, ...at('w/other') });
    expect(await travels({ path: `${base}/other/`, to: '../in/x' })).toEqual({ ...tree, ...at('in/x') });
    expect(await travels({ path: '../../other', to: 'y/' })).toEqual({ ...tree, ...at('w/y/other') });
    expect(await travels({ path: '../../other/a b/é.bin', to: 'one' })).toEqual({ ...tree, 'w/one': 'other/a b/é.bin' });
    expect(await travels({ path: 'data/x.bin', to: 'one' })).toEqual({ ...tree, 'w/one': 'proj/w/data/x.bin' });
  }),
);

test(
  'the content of a link is taken along in its place',
  inPlace(async ({ travels, root, base }) => {
    symlinkSync(`${base}/other/a b`, path.join(root, 'w/linked'));
    expect(await travels('linked')).toMatchObject({ 'w/linked/é.bin': 'other/a b/é.bin' });
  }),
);

test(
  'a word of the command that names it is rewritten to where it is',
  inPlace(async ({ resolve, root, base }) => {
    const uploads = await resolve({ path: `${base}/other`, to: 'in' });
    const scope = { cwd: path.join(root, 'w'), root, home: path.join(base, 'home'), env: {}, uploads };
    const { argv } = await resolveArguments(['python', 't.py', `${base}/other`, '--in=../../other/a b/é.bin', '../../other/'], scope);
    expect(argv).toEqual(['python', 't.py', 'in', '--in=in/a b/é.bin', 'in/']);
  }),
);

test.each<[string, (base: string) => (string | UploadRequest)[], RegExp]>([
  ['is not there', () => ['nowhere'], /'nowhere'.*is not there/],
  ['is a link in a circle', () => ['loop'], /a link that leads in a circle/],
  ['is the home directory', () => ['~'], /is or holds the home directory/],
  ['is to lie outside the tree', () => [{ path: 'data', to: '../../x' }], /leads out of the tree/],
  ['is to lie at an absolute path', () => [{ path: 'data', to: '/data' }], /not to absolute paths/],
  [
    'is to lie where something lies',
    (base) => [
      { path: `${base}/other`, to: 'data' },
      { path: 't.py', to: 'data/t' },
    ],
    /would both be at w\/data\/t/,
  ],
  ['shares its place', (base) => [`${base}/other`, { path: 'data', to: 'other' }], /would both be at w\/other/],
  [
    'takes the place of a file of the tree',
    (base) => [{ path: `${base}/other`, to: 't.py' }],
    /w\/t\.py of the tree travels there already/,
  ],
  [
    'would lie behind a file of the tree',
    (base) => [{ path: `${base}/other`, to: 't.py/x' }],
    /w\/t\.py of the tree travels there already/,
  ],
  ['is an environment', (base) => [`${base}/other/env`], /environment of packages/],
])('fails when it %s', (_what, requests, message) =>
  inPlace(async ({ travels, base, root }) => {
    symlinkSync('loop', path.join(root, 'w/loop'));
    await expect(travels(...requests(base))).rejects.toMatchObject({ code: 'E_USAGE', message: expect.stringMatching(message) });
  })(),
);

test('what is kept is named relative to the working directory, and fails outside the tree', () => {
  const scope = { root: '/p', cwd: '/p/w' };
  expect(resolveKept(['out/', './out', '../x', '/p/w/y', '..'], scope)).toEqual(['w/out', 'x', 'w/y', '']);
  for (const typed of ['../../x', '/tmp', '']) expect(() => resolveKept([typed], scope)).toThrow(/no path in the tree/);
});
