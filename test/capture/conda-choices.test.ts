import path from 'node:path';
import { capturePackages } from '../../lib/capture/packages';
import type { CaptureContext, CondaRecipe, PackageChoices } from '../../lib/contract';
import { writeCondaMeta } from '../agent/conda-channel';
import { context, scratch, write, writeDistribution, writeProgram, writeVenv } from './package-fixtures';

const FORGE = 'https://conda.example/forge';

function record(name: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  const subdir = (change['subdir'] as string | undefined) ?? 'linux-64';
  const version = (change['version'] as string | undefined) ?? '1.0';
  return {
    name,
    version,
    build: 'h0_0',
    subdir,
    url: `${FORGE}/${subdir}/${name}-${version}-h0_0.conda`,
    sha256: 'ab'.repeat(32),
    ...change,
  };
}

/** numpy is conda's, pandas and rich are pip's; app needs neither. */
const RECORDS = [
  record('app', { depends: ['_lib >=1'] }),
  record('_lib'),
  record('zlib'),
  record('python', { version: '3.11.9', depends: ['zlib'] }),
  record('numpy', { version: '2.0', depends: ['python'], files: ['lib/python3.11/site-packages/numpy-2.0.dist-info/METADATA'] }),
];

interface Captured {
  readonly conda: readonly string[];
  readonly recipe: CondaRecipe;
  readonly pip: CondaRecipe['pip'];
  readonly said: readonly string[];
}

async function lab(
  choices: PackageChoices,
  change: { records?: readonly Record<string, unknown>[]; context?: Partial<CaptureContext> } = {},
): Promise<Captured> {
  const root = scratch();
  const prefix = path.join(root, 'lab');
  writeCondaMeta(prefix, change.records ?? RECORDS);
  writeProgram(path.join(prefix, 'bin', 'app'), '\x7fELF');
  const site = path.join(prefix, 'lib/python3.11/site-packages');
  writeDistribution(site, { name: 'numpy', version: '2.0', installer: 'conda' });
  writeDistribution(site, { name: 'pandas', version: '2.2', requires: ['numpy>=1'] });
  writeDistribution(site, { name: 'rich', version: '13.0' });
  const env = { PATH: path.join(prefix, 'bin') };
  const { layers } = await capturePackages(context(root, ['app'], { env, packageChoices: choices, ...change.context }));
  const recipe = layers[0]!.recipe as CondaRecipe;
  return { recipe, pip: recipe.pip, conda: recipe.packages.map(({ name }) => name), said: layers[0]!.notices.map(({ text }) => text) };
}

test('what is ignored does not travel, whoever has installed it, and who needs it is named', async () => {
  const { conda, pip, said, recipe } = await lab({ ignore: ['_lib', 'NumPy', 'rich'] });
  expect(conda).toEqual(['app', 'zlib', 'python']);
  expect(pip?.requirements).toEqual(['pandas==2.2']);
  expect(said).toEqual(['left out as asked: _lib, which app needs; numpy, which pandas needs']);
  expect(recipe.solve).toBeUndefined();
});

test('only these, what they need of conda and of pip, and the Python', async () => {
  const app = await lab({ only: ['app'] });
  expect(app.conda.toSorted()).toEqual(['_lib', 'app', 'python', 'zlib']);
  expect(app.pip).toBeUndefined();
  expect(app.said).toEqual(['only app and what they need: 4 of 7 packages']);
  const pandas = await lab({ only: ['pandas'] });
  expect(pandas.conda.toSorted()).toEqual(['numpy', 'python', 'zlib']);
  expect(pandas.pip?.requirements).toEqual(['pandas==2.2']);
});

test('a requirement is added by pip, what a channel is named for by the solver, in place of what is there', async () => {
  const { recipe, pip } = await lab({
    add: ['rich>=14', 'boto3', 'forge::numpy>=2.1', 'conda-forge::gdal=3.8'],
    strictnessOf: { zlib: 'compatible' },
  });
  expect(pip).toMatchObject({ requirements: ['pandas==2.2'], leeway: { solve: ['boto3', 'rich>=14'] } });
  expect(recipe.packages).toEqual([]);
  expect(recipe.solve).toMatchObject({
    made: 'linux-64',
    channels: [FORGE, 'https://conda.anaconda.org/conda-forge'],
    add: [
      { channel: FORGE, name: 'numpy', versions: '>=2.1' },
      { channel: 'https://conda.anaconda.org/conda-forge', name: 'gdal', versions: '=3.8' },
    ],
  });
  expect(recipe.solve!.wanted.map(({ name, level, role }) => `${name} ${level} ${role}`)).toEqual([
    '_lib exact needed',
    'app exact asked',
    'python exact needed',
    'zlib compatible needed',
  ]);
});

test('strictness reaches the packages of pip by their names, and leaves those of conda alone', async () => {
  const { recipe, pip } = await lab({ strictnessOf: { rich: 'loose' } });
  expect(recipe.solve).toBeUndefined();
  expect(pip).toMatchObject({ requirements: ['pandas==2.2'], leeway: { solve: ['rich>=13.0,<14'] } });
  const loose = await lab({ strictness: 'loose' });
  expect(loose.recipe.solve!.wanted.every(({ level }) => level === 'loose')).toBe(true);
  expect(loose.pip).toMatchObject({ requirements: [], leeway: { solve: ['pandas>=2.2,<3', 'rich>=13.0,<14'] } });
});

describe('an environment of another platform, and no lockfile', () => {
  const MAC = [
    ...RECORDS.map((one) => ({ ...one, subdir: 'osx-arm64', url: (one['url'] as string).replace('linux-64', 'osx-arm64') })),
    record('tz', { subdir: 'noarch', requested_spec: 'tz' }),
    record('appnope', { subdir: 'osx-arm64', requested_specs: ['appnope'] }),
  ];
  const there = { records: MAC, context: { here: 'darwin-arm64' } };

  test('is left to the VM to solve, each package by its version, and that is said before', async () => {
    const { recipe, pip, said } = await lab({ strictnessOf: { tz: 'exact', zlib: 'loose' } }, there);
    expect(said[0]).toBe('conda lab (lab) is made for osx-arm64: the VM solves it for linux-64, and says what changes');
    expect(recipe.solve).toMatchObject({ made: 'osx-arm64', channels: [FORGE], add: [], needs: [], without: [] });
    expect(recipe.solve!.wanted.map(({ name, level, role }) => `${name} ${level} ${role}`)).toEqual([
      '_lib compatible needed',
      'app compatible alone',
      'appnope compatible alone',
      'numpy compatible alone',
      'python compatible needed',
      'tz exact asked',
      'zlib loose needed',
    ]);
    expect(pip?.requirements).toEqual(['pandas==2.2', 'rich==13.0']);
  });

  test('fails where it has to be exact, naming what cannot be', async () => {
    await expect(lab({ strictness: 'exact' }, there)).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining(
        'conda lab (lab) cannot be made exactly as it is on linux-64: _lib (made for osx-arm64), app (made for osx-arm64),',
      ) as string,
      remedy: expect.stringContaining('--package-ignore _lib leaves it out') as string,
    });
    await expect(
      lab({ strictness: 'exact', strictnessOf: { zlib: 'loose' }, only: ['tz', 'zlib'], ignore: ['python', 'rich', 'pandas'] }, there),
    ).resolves.toMatchObject({
      recipe: {
        solve: {
          wanted: [
            { name: 'tz', level: 'exact' },
            { name: 'zlib', level: 'loose' },
          ],
        },
      },
    });
  });
});

test('beside a virtual environment a name is of whichever has it', async () => {
  const root = scratch();
  const prefix = path.join(root, 'lab');
  writeCondaMeta(prefix, RECORDS);
  writeProgram(path.join(prefix, 'bin', 'app'), '\x7fELF');
  writeVenv(path.join(root, '.venv'), [
    { name: 'idna', version: '3.7' },
    { name: 'attrs', version: '24' },
  ]);
  const env = { PATH: path.join(prefix, 'bin'), VIRTUAL_ENV: path.join(root, '.venv') };
  const capture = (ignore: readonly string[]): ReturnType<typeof capturePackages> =>
    capturePackages(context(root, ['bash', '-c', 'app && python3 a.py'], { env, packageChoices: { ignore, add: ['boto3'] } }));
  const { layers } = await capture(['idna', 'zlib']);
  expect(layers[0]!.recipe).toMatchObject({ requirements: ['attrs==24'], leeway: { solve: ['boto3'] } });
  expect((layers[1]!.recipe as CondaRecipe).packages.map(({ name }) => name)).toEqual(['_lib', 'app', 'python', 'numpy']);
  await expect(capture(['zlip'])).rejects.toMatchObject({
    message: expect.stringContaining('has no package zlip (--package-ignore') as string,
  });
});

describe('fails, saying what to do, when', () => {
  test('neither conda nor pip has a package of the name', async () => {
    await expect(lab({ ignore: ['zlip'], only: ['panda'] })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringMatching(
        /^conda lab \(lab\) has no package zlip \(--package-ignore; near are .*zlib.*\), panda \(--package-only; near are .*pandas.*\)$/,
      ) as string,
      remedy: 'Name a package that is there, as conda list or the lockfile has it.',
    });
  });

  test('pip is left without a Python', async () => {
    await expect(lab({ ignore: ['python'] })).rejects.toMatchObject({
      message: '--package-ignore python leaves the 2 packages that pip has installed in conda lab (lab) without one',
    });
    await expect(lab({ add: ['boto3'] }, { records: [record('app')] })).rejects.toMatchObject({
      message: 'boto3 (--package-add) is for pip, and conda lab (lab) has no Python',
      remedy: expect.stringContaining('--package-add conda-forge::NAME') as string,
    });
  });

  test('a package of conda is to be added to a command that brings no environment of it, or one of Node alone', async () => {
    const root = scratch();
    writeVenv(path.join(root, '.venv'), []);
    const asked = (argv: readonly string[], packageChoices: PackageChoices): Promise<unknown> =>
      capturePackages(context(root, argv, { packageChoices }));
    await expect(asked(['.venv/bin/python', 'a.py'], { add: ['conda-forge::gdal'] })).rejects.toMatchObject({
      message: "conda-forge::gdal (--package-add) is a package of conda, and '.venv/bin/python a.py' brings no environment of it",
    });
    write(root, { 'package.json': { name: 'x' }, 'package-lock.json': { lockfileVersion: 3, packages: { '': { name: 'x' } } } });
    await expect(asked(['node', 'a.js'], { ignore: ['left-pad'] })).rejects.toMatchObject({
      message: "'node a.js' brings packages of Node alone, which are taken as their lockfile has them",
    });
  });
});
