import { createHash } from 'node:crypto';
import { mkdirSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { detectPackages } from '../../lib/capture/packages';
import { context, scratch, write, writeVenv } from './package-fixtures';

const hashOf = (place: string): string => createHash('sha256').update(place).digest('base64url').slice(0, 8);

async function found(root: string, tool: string, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const all = { PATH: '/nowhere', HOME: path.join(root, 'home'), ...env };
  const [python] = await detectPackages(context(root, [tool, 'run', 'python', 'a.py'], { env: all }));
  return python!.detail;
}

describe('the environment of', () => {
  const PYPROJECT = { 'pyproject.toml': '[project]\nname = "My_Demo.x"\nversion = "1"\n' };

  test('poetry: in the project, else the one of its cache that was touched last', async () => {
    const root = scratch();
    write(root, PYPROJECT);
    const cache = path.join(root, 'home/.cache/pypoetry/virtualenvs', `my_demo.x-${hashOf(root)}`);
    for (const [minor, at] of [
      ['3.11', 2000],
      ['3.12', 1000],
    ] as const) {
      writeVenv(`${cache}-py${minor}`, [], minor);
      utimesSync(`${cache}-py${minor}`, at, at);
    }
    expect(await found(root, 'poetry')).toMatchObject({ prefix: `${cache}-py3.11`, minor: '3.11', runners: ['poetry'] });
    writeVenv(path.join(root, '.venv'), [], '3.13');
    expect(await found(root, 'poetry')).toMatchObject({ minor: '3.13' });
  });

  test('pdm: the one that .pdm-python names', async () => {
    const root = scratch();
    write(root, { ...PYPROJECT, '.pdm-python': `${root}/elsewhere/bin/python\n` });
    writeVenv(path.join(root, 'elsewhere'), []);
    writeVenv(path.join(root, '.venv'), []);
    expect(await found(root, 'pdm')).toMatchObject({ prefix: path.join(root, 'elsewhere'), runners: ['pdm'] });
  });

  test('pipenv: by the path of its Pipfile, also from a directory below', async () => {
    const root = scratch();
    write(root, { Pipfile: '' });
    mkdirSync(path.join(root, 'below'));
    const place = path.join(root, 'home/.local/share/virtualenvs', `${path.basename(root)}-${hashOf(path.join(root, 'Pipfile'))}`);
    writeVenv(place, []);
    expect(await found(root, 'pipenv')).toMatchObject({ prefix: place });
    writeVenv(path.join(root, 'active'), []);
    expect(await found(root, 'pipenv', { VIRTUAL_ENV: path.join(root, 'active') })).toMatchObject({ prefix: path.join(root, 'active') });
  });

  test('hatch: by name and path of the project, whatever is active', async () => {
    const root = scratch();
    write(root, PYPROJECT);
    const place = path.join(root, 'data/env/virtual/my-demo-x', hashOf(root), 'my-demo-x');
    writeVenv(place, []);
    writeVenv(path.join(root, 'active'), []);
    expect(await found(root, 'hatch', { HATCH_DATA_DIR: path.join(root, 'data'), VIRTUAL_ENV: path.join(root, 'active') })).toMatchObject({
      prefix: place,
    });
  });

  test.each(['poetry', 'pdm', 'pipenv', 'hatch'])('%s fails to be found, naming how to make it', async (tool) => {
    const root = scratch();
    write(root, { ...PYPROJECT, Pipfile: '' });
    await expect(found(root, tool)).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringMatching(new RegExp(`^${tool} has no environment of this project here: looked at `)) as string,
      remedy: expect.stringContaining(`'${tool} `) as string,
    });
  });
});
