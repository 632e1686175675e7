import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { capturePackages, detectPackages } from '../../lib/capture/packages';
import type { CondaRecipe } from '../../lib/contract';
import { writeCondaMeta } from '../agent/conda-channel';
import { context, scratch, write, writeDistribution, writeProgram } from './package-fixtures';

const HASH = 'ab'.repeat(32);

/** As conda writes it. */
function record(name: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  const fn = `${name}-1.0-h0_0.conda`;
  const channel = 'https://conda.example/forge';
  return {
    name,
    version: '1.0',
    build: 'h0_0',
    subdir: 'linux-64',
    channel,
    fn,
    url: `${channel}/linux-64/${fn}`,
    sha256: HASH,
    ...change,
  };
}

function lab(root: string, records = [record('samtools')], at = 'conda/envs/lab'): string {
  const prefix = path.join(root, at);
  writeCondaMeta(prefix, records);
  writeProgram(path.join(prefix, 'bin', 'samtools'), '\x7fELF');
  writeProgram(path.join(prefix, 'bin', 'python3'), '\x7fELF');
  return prefix;
}

async function kinds(root: string, argv: readonly string[], env: Record<string, string> = {}): Promise<(string | undefined)[]> {
  const found = await detectPackages(context(root, argv, { env: { PATH: '/nowhere', ...env } }));
  return found.map(({ kind, detail }) => (kind === 'conda' ? path.relative(root, String(detail['prefix'])) : kind));
}

describe('the environment is', () => {
  test('the one in which the program of the command lies, whatever language it is written in', async () => {
    const root = scratch();
    const PATH = path.join(lab(root), 'bin');
    expect(await kinds(root, ['samtools', 'view', 'a.bam'], { PATH })).toEqual(['conda/envs/lab']);
    expect(await kinds(root, ['bash', '-c', 'cd data && samtools view a.bam'], { PATH })).toEqual(['conda/envs/lab']);
    expect(await kinds(root, ['conda/envs/lab/bin/python3', 'a.py'])).toEqual(['conda/envs/lab']);
    expect(await kinds(root, ['python3', 'a.py'], { PATH })).toEqual(['conda/envs/lab']);
    write(root, { 'conda/envs/lab/pyvenv.cfg': '' });
    expect(await kinds(root, ['conda/envs/lab/bin/python3', 'a.py'])).toEqual(['conda/envs/lab']);
    expect(await kinds(root, ['true'], { PATH })).toEqual([]);
  });

  test('that of a Python elsewhere that is a link into it', async () => {
    const root = scratch();
    const prefix = lab(root);
    write(root, { 'bin/x': '' });
    symlinkSync(path.join(prefix, 'bin', 'python3'), path.join(root, 'bin', 'python3'));
    expect(await kinds(root, ['python3', 'a.py'], { PATH: path.join(root, 'bin') })).toEqual(['conda/envs/lab']);
  });

  test('the active one for what nobody can see into, unless it is conda itself', async () => {
    const root = scratch();
    const CONDA_PREFIX = lab(root);
    expect(await kinds(root, ['make'], { CONDA_PREFIX, CONDA_DEFAULT_ENV: 'lab' })).toEqual(['conda/envs/lab']);
    expect(await kinds(root, ['make'], { CONDA_PREFIX, CONDA_DEFAULT_ENV: 'base' })).toEqual([]);
  });

  test.each([
    [['conda', 'run', '-n', 'lab', 'Rscript', 'a.R'], { CONDA_EXE: 'conda/bin/conda' }],
    [['conda', 'run', '--no-capture-output', '--name=lab', 'python', 'a.py'], { HOME: 'home' }],
    [['mamba', 'run', '-p', 'conda/envs/lab', 'python', 'a.py'], {}],
    [['micromamba', '-v', 'run', '-n', 'lab', 'x'], { MAMBA_ROOT_PREFIX: 'conda' }],
    [['micromamba', 'run', '-r', 'conda', '-n', 'lab', 'x'], {}],
    [['conda', 'run', 'python', 'a.py'], { CONDA_PREFIX: 'conda/envs/lab' }],
  ] as const)('the one that %j names', async (argv, env) => {
    const root = scratch();
    lab(root);
    write(root, { 'home/.conda/environments.txt': `/gone\n${path.join(root, 'conda/envs/lab')}\n` });
    const absolute = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, path.join(root, value)]));
    const words = argv.map((word) => (word === 'conda' && argv[2] === '-r' ? path.join(root, word) : word));
    if (words[1] === '-v') words.splice(1, 1);
    expect(await kinds(root, words, absolute)).toEqual(['conda/envs/lab']);
  });

  test("pixi's, of the nearest project", async () => {
    const root = scratch();
    lab(root, undefined, '.pixi/envs/default');
    lab(root, undefined, '.pixi/envs/gpu');
    write(root, { 'pixi.toml': '[workspace]\n', 'src/a.py': '' });
    const cwd = path.join(root, 'src');
    const found = async (argv: readonly string[]): Promise<unknown> =>
      (await detectPackages(context(root, argv, { cwd })))[0]?.detail['prefix'];
    expect(await found(['pixi', 'run', 'python', 'a.py'])).toBe(path.join(root, '.pixi/envs/default'));
    expect(await found(['pixi', 'run', '-e', 'gpu', 'python', 'a.py'])).toBe(path.join(root, '.pixi/envs/gpu'));
    expect(await found(['python', 'a.py'])).toBe(path.join(root, '.pixi/envs/default'));
  });
});

test('packages are named by URL and hash, each after what it needs', async () => {
  const root = scratch();
  const records = [
    record('app', { depends: ['zlib >=1', 'lib'] }),
    record('lib', { depends: ['zlib'] }),
    record('zlib', { depends: ['__glibc >=2.17'] }),
  ];
  const PATH = path.join(lab(root, [...records, record('samtools', { subdir: 'noarch' })]), 'bin');
  const { layers } = await capturePackages(context(root, ['samtools'], { env: { PATH } }));
  const recipe = layers[0]!.recipe as CondaRecipe;
  expect(recipe.packages.map(({ name }) => name)).toEqual(['zlib', 'lib', 'app', 'samtools']);
  expect(recipe.packages[0]).toEqual({
    name: 'zlib',
    version: '1.0',
    build: 'h0_0',
    url: 'https://conda.example/forge/linux-64/zlib-1.0-h0_0.conda',
    sha256: HASH,
  });
  expect(recipe).toMatchObject({ name: 'lab', subdir: 'linux-64', place: 'conda/envs/lab', postLink: true });
});

test("conda's own environment travels when the command needs it, and that is said", async () => {
  const root = scratch();
  const prefix = lab(root, undefined, 'miniforge3');
  write(prefix, { 'condabin/conda': '' });
  const { layers } = await capturePackages(context(root, ['samtools'], { env: { PATH: path.join(prefix, 'bin') } }));
  expect(layers[0]!.notices).toEqual([{ level: 'warning', text: expect.stringContaining("conda's base environment travels") as string }]);
});

test("what pip has installed into it travels with it, told from what is conda's", async () => {
  const root = scratch();
  const files = ['lib/python3.11/site-packages/numpy-2.0.dist-info/METADATA', 'lib/python3.11/site-packages/numpy/__init__.py'];
  const prefix = lab(root, [record('python', { version: '3.11.9' }), record('numpy', { files }), record('samtools')]);
  const site = path.join(prefix, 'lib/python3.11/site-packages');
  writeDistribution(site, { name: 'numpy', version: '2.0', installer: 'conda' });
  writeDistribution(site, { name: 'rich', version: '13.0', requires: ['numpy'] });
  write(root, { 'src/mine/pyproject.toml': '[project]\nname = "mine"\n', 'src/mine/mine.py': '' });
  const directUrl = { url: `file://${root}/src/mine`, dir_info: { editable: true } };
  writeDistribution(site, { name: 'mine', version: '1', directUrl, tag: 'py3-none-any' });
  write(site, { '__editable__.mine-1.pth': `${root}/src/mine\n`, 'mine-1.dist-info/RECORD': '__editable__.mine-1.pth,,\n' });
  const env = { PATH: path.join(prefix, 'bin'), PIP_EXTRA_INDEX_URL: 'https://me:pa55word@pypi.example/simple' };
  const captured = await capturePackages(context(root, ['samtools'], { env }));
  const { pip } = captured.layers[0]!.recipe as CondaRecipe;
  expect(pip).toMatchObject({ python: '3.11', requirements: ['rich==13.0'], local: [{ name: 'mine', kind: 'files' }] });
  expect(captured.secrets).toEqual({ 'conda:https://pypi.example/simple': env.PIP_EXTRA_INDEX_URL });
  expect(JSON.stringify(captured.layers)).not.toContain('pa55word');
});

test('pip itself, made newer, is no reason to install anything', async () => {
  const root = scratch();
  const prefix = lab(root, [record('python', { version: '3.11.9' }), record('samtools')]);
  writeDistribution(path.join(prefix, 'lib/python3.11/site-packages'), { name: 'pip', version: '25.0' });
  const { layers } = await capturePackages(context(root, ['samtools'], { env: { PATH: path.join(prefix, 'bin') } }));
  expect(layers[0]!.recipe).not.toHaveProperty('pip');
});

describe('fails, saying what to do, when', () => {
  const capture = (root: string): Promise<unknown> =>
    capturePackages(context(root, ['samtools'], { env: { PATH: path.join(root, 'conda/envs/lab/bin') } }));

  test('a record cannot be read', async () => {
    const root = scratch();
    const prefix = lab(root, [record('samtools'), record('half', { version: 3 })]);
    writeFileSync(path.join(prefix, 'conda-meta', 'torn-1-0.json'), '{"name": "torn"');
    await expect(capture(root)).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: `the conda environment ${prefix} has records that cannot be read: half-3-h0_0.json (version), torn-1-0.json (no JSON)`,
    });
  });

  test('a package is on record twice', async () => {
    const root = scratch();
    lab(root, [record('samtools'), record('samtools', { version: '2.0' })]);
    await expect(capture(root)).rejects.toMatchObject({ message: expect.stringContaining('records samtools twice') as string });
  });

  test('nobody knows where a package came from, or its archive is gone', async () => {
    const root = scratch();
    lab(root, [record('one', { url: null, channel: null }), record('two', { url: 'file:///gone/two-1.0-h0_0.conda' })]);
    await expect(capture(root)).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining(
        'one (its record names no URL), two (installed from /gone/two-1.0-h0_0.conda, which is gone)',
      ) as string,
      data: { packages: ['one', 'two'] },
    });
  });

  test('pip has installed into it what cannot be carried', async () => {
    const root = scratch();
    const prefix = lab(root, [record('python', { version: '3.11.9' }), record('samtools')]);
    const site = path.join(prefix, 'lib/python3.11/site-packages');
    writeDistribution(site, {
      name: 'secret',
      version: '1',
      directUrl: { url: 'ssh://git@host/x', vcs_info: { vcs: 'git', commit_id: 'c' } },
    });
    await expect(capture(root)).rejects.toMatchObject({ code: 'E_PACKAGE', data: { packages: ['secret'] } });
  });

  test('there is no environment of that name', async () => {
    await expect(kinds(scratch(), ['conda', 'run', '-n', 'nope', 'x'], { HOME: '/home/me' })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining(
        "needs the environment 'nope', and there is none: looked at /home/me/micromamba/envs/nope",
      ) as string,
    });
  });

  test('a deployed job asks for one', async () => {
    const root = scratch();
    await expect(detectPackages(context(root, ['conda', 'run', 'x'], { locked: true }))).rejects.toMatchObject({ code: 'E_PACKAGE' });
  });
});
