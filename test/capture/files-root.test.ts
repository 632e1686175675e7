import { mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { findRoot } from '../../lib/capture/root';
import { withDirectory, writeTree } from './trees';

const inPlace = (body: (place: { base: string; home: string }) => Promise<void>) => () =>
  withDirectory(async (found) => {
    const base = realpathSync(found);
    const home = path.join(base, 'home');
    mkdirSync(path.join(home, 'p/sub'), { recursive: true });
    await body({ base, home });
  });

test(
  'is the work tree that the directory lies in',
  inPlace(async ({ home }) => {
    writeTree(home, { 'p/.git/HEAD': 'ref: x' });
    expect(await findRoot(path.join(home, 'p/sub'), { home })).toBe(path.join(home, 'p'));
  }),
);

test(
  'is the submodule, whose .git is a file',
  inPlace(async ({ home }) => {
    writeTree(home, { 'p/.git/HEAD': 'ref: x', 'p/sub/.git': 'gitdir: ../.git/modules/sub' });
    expect(await findRoot(path.join(home, 'p/sub'), { home })).toBe(path.join(home, 'p/sub'));
  }),
);

test(
  'is the directory itself without a repository, or with an empty .git',
  inPlace(async ({ home }) => {
    mkdirSync(path.join(home, 'p/.git'));
    expect(await findRoot(path.join(home, 'p/sub'), { home })).toBe(path.join(home, 'p/sub'));
  }),
);

test(
  'is not the home directory though that is a repository',
  inPlace(async ({ home }) => {
    writeTree(home, { '.git/HEAD': 'ref: x' });
    expect(await findRoot(path.join(home, 'p'), { home })).toBe(path.join(home, 'p'));
  }),
);

test(
  'fails for home, what holds it, and /',
  inPlace(async ({ base, home }) => {
    for (const directory of [home, base, '/']) {
      await expect(findRoot(directory, { home })).rejects.toMatchObject({
        code: 'E_ROOT_REFUSED',
        remedy: expect.stringMatching(/Change to the directory/),
      });
    }
  }),
);
