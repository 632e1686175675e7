import { createHash } from 'node:crypto';
import path from 'node:path';
import { capturePackages } from '../../lib/capture/packages';
import type { CapturedPackages } from '../../lib/capture/packages';
import type { CaptureContext, CondaRecipe } from '../../lib/contract';
import { writeCondaMeta } from '../agent/conda-channel';
import { context, scratch, write, writeDistribution } from './package-fixtures';

const FORGE = 'https://conda.example/forge';
const [SHA, MD5] = ['ab'.repeat(32), 'cd'.repeat(16)];
const PYTHONHOSTED = 'https://files.pythonhosted.org/packages/aa/bb';

/** `zlib-1.3-h1_0`, `noarch/tz-2024-0` */
function urlOf(spec: string, subdir: string): string {
  return spec.startsWith('noarch/') ? `${FORGE}/${spec}.conda` : `${FORGE}/${subdir}/${spec}.conda`;
}

function record(spec: string, subdir: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  const [, name, version, build] = /^(?:noarch\/)?(.+)-([^-]+)-([^-]+)$/.exec(spec)!;
  return { name, version, build, subdir: spec.startsWith('noarch/') ? 'noarch' : subdir, url: urlOf(spec, subdir), md5: MD5, ...change };
}

const HERE = ['libcxx-17.0-h5_0', 'python-3.11.9-h1_0', 'zlib-1.3-h1_0', 'noarch/tz-2024-0'];
const THERE = ['_libgcc_mutex-0.1-main', 'python-3.11.9-h9_0', 'zlib-1.4-h2_0', 'noarch/tz-2024-0'];

interface Pip {
  readonly place: string;
  readonly name: string;
  readonly version?: string;
}

/** As pixi writes it. */
function pixiLock(of: Record<string, readonly string[]>, pip: readonly Pip[] = [], version = 6): string {
  const platforms = Object.entries(of).map(([subdir, specs]) => {
    const own = [...specs.map((spec) => `      - conda: ${urlOf(spec, subdir)}`), ...pip.map(({ place }) => `      - pypi: ${place}`)];
    return [`      ${subdir}:`, ...own].join('\n');
  });
  const entries = Object.entries(of).flatMap(([subdir, specs]) =>
    specs.map((spec) => {
      const needs = spec.startsWith('python-') ? '\n  depends:\n  - zlib >=1.3' : '';
      return `- conda: ${urlOf(spec, subdir)}\n  sha256: ${SHA}\n  md5: ${MD5}${needs}\n  license: Zlib`;
    }),
  );
  const pips = pip.map(
    ({ place, name, version: own }) =>
      `- pypi: ${place}\n  name: ${name}${own ? `\n  version: '${own}'\n  sha256: ${SHA}` : '\n  editable: true'}`,
  );
  const named =
    version < 7
      ? ''
      : `platforms:\n${Object.keys(of)
          .map((subdir) => `- name: ${subdir}`)
          .join('\n')}\n`;
  return `version: ${version}\n${named}environments:\n  default:\n    channels:\n    - url: ${FORGE}/\n    indexes:\n    - https://pypi.org/simple\n    packages:\n${platforms.join('\n')}\npackages:\n${[...entries, ...pips].join('\n')}\n`;
}

function pixi(specs: readonly string[], subdir: string, lock: string | undefined): { root: string; site: string } {
  const root = scratch();
  const prefix = path.join(root, '.pixi', 'envs', 'default');
  writeCondaMeta(
    prefix,
    specs.map((spec) => record(spec, subdir)),
  );
  write(root, { 'pixi.toml': '[workspace]\n', ...(lock === undefined ? {} : { 'pixi.lock': lock }) });
  write(prefix, { 'lib/python3.11/site-packages/README': '' });
  return { root, site: path.join(prefix, 'lib', 'python3.11', 'site-packages') };
}

function capture(root: string, change: Partial<CaptureContext> = {}): Promise<CapturedPackages> {
  return capturePackages(context(root, ['pixi', 'run', 'python', 'a.py'], change));
}

function recipeOf({ layers }: CapturedPackages): CondaRecipe {
  return layers[0]!.recipe as CondaRecipe;
}

function said({ layers }: CapturedPackages): string[] {
  return layers[0]!.notices.map(({ text }) => text);
}

const IDNA = { place: `${PYTHONHOSTED}/idna-3.7-py3-none-any.whl`, name: 'idna', version: '3.7' };

describe('pixi.lock', () => {
  test.each([6, 7])('that says what is installed gives the hashes which are not on record (version %d)', async (version) => {
    const { root, site } = pixi(THERE, 'linux-64', pixiLock({ 'linux-64': THERE, 'osx-arm64': HERE }, [IDNA], version));
    writeDistribution(site, { name: 'idna', version: '3.7', installer: 'uv-pixi' });
    const captured = await capture(root);
    const { packages, pip } = recipeOf(captured);
    expect(packages.map(({ sha256 }) => sha256)).toEqual([SHA, SHA, SHA, SHA]);
    expect(pip?.requirements).toEqual([`idna==3.7 --hash=sha256:${SHA}`]);
    expect(said(captured)).toEqual([]);
  });

  test('that differs is said in one line, and taken by --packages lock; --packages installed looks at none', async () => {
    const { root, site } = pixi(
      THERE,
      'linux-64',
      pixiLock({ 'linux-64': ['python-3.11.9-h9_0', 'zlib-1.5-h2_0', 'noarch/tz-2024-7'] }, [IDNA]),
    );
    writeDistribution(site, { name: 'rich', version: '13.0' });
    const captured = await capture(root);
    const what =
      'pixi.lock and what is installed differ (_libgcc_mutex 0.1 is not in it; idna is not installed; rich 13.0 is not in it; and 2 more)';
    expect(said(captured)).toEqual([`${what}: what is installed is taken; --packages lock takes pixi.lock`]);
    expect(recipeOf(captured).packages.map(({ name, version }) => `${name} ${version}`)).toContain('zlib 1.4');
    expect(recipeOf(captured).pip?.requirements).toEqual(['rich==13.0']);

    const locked = await capture(root, { packages: 'lock' });
    expect(said(locked)).toEqual([`${what}: pixi.lock is taken, as asked`]);
    expect(recipeOf(locked).packages.map(({ name, build }) => `${name} ${build}`)).toEqual(['zlib h2_0', 'python h9_0', 'tz 7']);
    expect(recipeOf(locked).pip?.requirements).toEqual([`idna==3.7 --hash=sha256:${SHA}`]);
    expect(said(await capture(root, { packages: 'installed' }))).toEqual([]);
  });

  test('gives another platform exactly what it has for it, and each change is said', async () => {
    const own = { place: './own', name: 'own' };
    const { root, site } = pixi(HERE, 'osx-arm64', pixiLock({ 'linux-64': THERE, 'osx-arm64': HERE }, [IDNA, own]));
    writeDistribution(site, { name: 'idna', version: '3.7' });
    writeDistribution(site, {
      name: 'own',
      version: '1',
      tag: 'py3-none-any',
      directUrl: { url: `file://${root}/own`, dir_info: { editable: true } },
    });
    write(root, { 'own/own.py': '', 'own/pyproject.toml': '[project]\nname = "own"\n' });
    write(site, { '__editable__.own-1.pth': `${root}/own\n`, 'own-1.dist-info/RECORD': '__editable__.own-1.pth,,\n' });
    const captured = await capture(root, { here: 'darwin-arm64' });
    const recipe = recipeOf(captured);
    expect(recipe.subdir).toBe('linux-64');
    expect(recipe.packages.map(({ url }) => url)).toEqual(
      [THERE[0]!, 'zlib-1.4-h2_0', 'python-3.11.9-h9_0', THERE[3]!].map((spec) => urlOf(spec, 'linux-64')),
    );
    expect(recipe.pip).toMatchObject({ requirements: [`idna==3.7 --hash=sha256:${SHA}`], local: [{ name: 'own', kind: 'files' }] });
    expect(said(captured)).toEqual([
      'changed for linux-64: left out libcxx (pixi.lock has none for linux-64); zlib 1.3 → 1.4 (as pixi.lock has it); ' +
        'added _libgcc_mutex 0.1 (as pixi.lock has it)',
    ]);
  });

  test('names archives of this machine by their path: they travel', async () => {
    const lock = `version: 7\nplatforms:\n- name: linux-64\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n      - conda: own/linux-64/tool-1-0.conda\npackages:\n- conda: own/linux-64/tool-1-0.conda\n  subdir: linux-64\n`;
    const { root } = pixi(HERE, 'osx-arm64', lock);
    write(root, { 'own/linux-64/tool-1-0.conda': 'archive' });
    const captured = await capture(root);
    const content = createHash('sha256').update('archive').digest('hex');
    expect(recipeOf(captured).packages).toMatchObject([{ name: 'tool', version: '1', build: '0', content }]);
    expect(captured.contents.map(({ sha256 }) => sha256)).toEqual([content]);
  });

  test('fails where it has nothing for the platform, cannot be read and is needed, or is asked for and not there', async () => {
    const foreign = pixi(HERE, 'osx-arm64', pixiLock({ 'osx-arm64': HERE }));
    await expect(capture(foreign.root, { packages: 'lock' })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: 'pixi.lock has nothing for linux-64, and conda default (.pixi/envs/default) is made for osx-arm64; its platforms: osx-arm64',
      remedy: expect.stringContaining("'pixi workspace platform add linux-64'") as string,
    });
    expect(said(await capture(foreign.root))).toEqual([
      "conda default (.pixi/envs/default) is made for osx-arm64: the VM solves it for linux-64, as pixi.lock has nothing for it ('pixi workspace platform add linux-64' adds it), and says what changes",
    ]);
    const broken = pixi(THERE, 'linux-64', 'version: 99\n');
    expect((await capture(broken.root)).layers[0]!.notices).toEqual([
      { level: 'warning', text: expect.stringMatching(/pixi\.lock cannot be read: version: .*; what is installed is taken$/) as string },
    ]);
    await expect(capture(broken.root, { packages: 'lock' })).rejects.toMatchObject({ code: 'E_PACKAGE' });
    const none = pixi(THERE, 'linux-64', undefined);
    await expect(capture(none.root, { packages: 'lock' })).rejects.toMatchObject({
      message: expect.stringContaining('there is no lockfile') as string,
    });
    const source = pixi(
      HERE,
      'osx-arm64',
      pixiLock({ 'linux-64': [], 'osx-arm64': HERE }).replace('linux-64:', 'linux-64:\n      - conda: ./tool'),
    );
    await expect(capture(source.root)).rejects.toMatchObject({ message: expect.stringContaining('built from source (tool)') as string });
    const directory = pixi(HERE, 'osx-arm64', pixiLock({ 'linux-64': THERE, 'osx-arm64': HERE }, [{ place: './own', name: 'own' }]));
    await expect(capture(directory.root)).rejects.toMatchObject({ message: expect.stringContaining('own (./own)') as string });
  });
});

test('conda-lock.yml does the same for environments of conda, and the token in its URLs stays a secret', async () => {
  const root = scratch();
  const prefix = path.join(root, 'envs', 'lab');
  const token = 'tk-0123456789';
  const url = (spec: string, subdir: string): string => urlOf(spec, subdir).replace('/forge', `/t/${token}/forge`);
  writeCondaMeta(
    prefix,
    HERE.map((spec) => record(spec, 'osx-64')),
  );
  const entries = [...HERE.map((spec) => [spec, 'osx-64'] as const), ...THERE.map((spec) => [spec, 'linux-64'] as const)].map(
    ([spec, platform]) => {
      const { name, version } = record(spec, platform);
      const needs = name === 'python' ? 'dependencies: {zlib: ">=1"}' : 'dependencies: {}';
      const [text, at] = [JSON.stringify(version), url(spec, platform)];
      return `- {name: ${String(name)}, version: ${text}, manager: conda, platform: ${platform}, ${needs}, url: "${at}", hash: {sha256: ${SHA}}, category: main, optional: false}`;
    },
  );
  const pip = `- {name: idna, version: '3.7', manager: pip, platform: linux-64, dependencies: {}, url: "${IDNA.place}", hash: {sha256: ${SHA}}, category: main, optional: false}`;
  write(root, { 'conda-lock.yml': `version: 1\nmetadata: {platforms: [osx-64, linux-64]}\npackage:\n${[...entries, pip].join('\n')}\n` });
  const env = { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: 'lab', PATH: '/nowhere' };
  const captured = await capturePackages(context(root, ['make'], { env }));
  expect(recipeOf(captured).packages.map(({ name }) => name)).toEqual(['_libgcc_mutex', 'zlib', 'python', 'tz']);
  expect(recipeOf(captured).pip?.requirements).toEqual([`idna==3.7 --hash=sha256:${SHA}`]);
  expect(JSON.stringify(captured.layers)).not.toContain(token);
  expect(captured.secrets).toEqual({ [`conda:token ${FORGE}`]: token });
});
