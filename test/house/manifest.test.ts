import { readFileSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '../../lib/contract';
import { ROOT } from './sources';

interface Locked {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

const read = (file: string): unknown => JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));

test('the version in the code is the package’s', () => {
  expect(read('package.json')).toMatchObject({ version: VERSION });
});

test('the lock file names no registry host', () => {
  expect(JSON.stringify(read('package-lock.json'))).not.toContain('"resolved"');
});

// npm leaves out what the registry of the day does not have; `npm ci` then fails for everybody.
test('the lock file knows the optional packages of all platforms', () => {
  const { packages } = read('package-lock.json') as Locked;
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !Object.keys(packages).some((at) => at.endsWith(`node_modules/${name}`)));
  expect(missing).toEqual([]);
});
