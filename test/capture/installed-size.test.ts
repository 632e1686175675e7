import path from 'node:path';
import { readDistributions } from '../../lib/capture/python/distributions';
import { measureInstalled } from '../../lib/capture/python/installed-size';
import { scratch, write, writeDistribution } from './package-fixtures';

function site(records: Readonly<Record<string, string>>): string {
  const directory = scratch();
  for (const [name, record] of Object.entries(records)) {
    writeDistribution(directory, { name, version: '1.0' });
    write(directory, { [`${name}-1.0.dist-info/RECORD`]: record });
  }
  return directory;
}

async function measure(directory: string): ReturnType<typeof measureInstalled> {
  return measureInstalled(await readDistributions(directory), directory);
}

test('sizes are those of the records: quoted names, sparse files, bytecode without one', async () => {
  const directory = site({
    Big_One: 'big/__init__.py,sha256=x,10\r\nbig/lib.so,sha256=y,32212254720\nbig/__pycache__/a.pyc,,\n../../../bin/big,sha256=z,5\n',
    small: '"small, but odd/a,b.py",sha256=x,7\nsmall-1.0.dist-info/RECORD,,\n',
  });
  expect((await measure(directory)).sizes).toEqual({ 'big-one': 32212254735, small: 7 });
});

test('what no package has recorded is named; records, links and what tools leave are not', async () => {
  const directory = site({ one: 'one/__init__.py,sha256=x,1\none_extra.py,sha256=x,1\none-1.0.dist-info/RECORD,,\n' });
  write(directory, {
    'one/__init__.py': '',
    'one_extra.py': '',
    '_virtualenv.py': '',
    'x.pth': '',
    '__pycache__/y.pyc': '',
    '~ld/a.py': '',
  });
  expect((await measure(directory)).notices).toEqual([]);
  write(directory, { 'stray/__init__.py': '', 'alone.py': '' });
  expect((await measure(directory)).notices).toEqual([
    {
      level: 'warning',
      text: expect.stringContaining(`no package has recorded alone.py, stray of ${directory}, so they do not travel`) as string,
    },
  ]);
});

test('where a package does not list its files nothing is said to be nobody’s', async () => {
  const directory = site({ one: '' });
  write(directory, { 'stray/__init__.py': '' });
  expect(await measure(directory)).toEqual({ sizes: {}, notices: [] });
  expect(await measure(path.join(directory, 'stray'))).toEqual({ sizes: {}, notices: [] });
});
