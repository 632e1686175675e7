import path from 'node:path';
import { RawcloudError } from '../../contract';
import type { LockEntry, Lockfile } from './lockfile';

type Groups = Pick<LockEntry, 'dependencies' | 'devDependencies' | 'optionalDependencies'>;

/**
 * What `npm ci` would refuse on the VM is refused here: a lockfile that was not made of this package.json.
 * @throws E_PACKAGE naming each package that differs
 */
export function checkMatches(manifest: Groups, { file, packages }: Lockfile): void {
  const root = packages[''];
  if (!root) return;
  const [asked, locked] = [allOf(manifest), allOf(root)];
  const name = path.basename(file);
  const differing = [...new Set([...asked.keys(), ...locked.keys()])].sort().flatMap((dependency) => {
    const [wanted, had] = [asked.get(dependency), locked.get(dependency)];
    if (wanted === had) return [];
    if (had === undefined) return [`${dependency} ${wanted} is not in ${name}`];
    return [wanted === undefined ? `${dependency} is only in ${name}` : `${dependency} is ${wanted}, and ${had} in ${name}`];
  });
  if (differing.length === 0) return;
  const directory = path.dirname(file);
  throw new RawcloudError('E_PACKAGE', `${file} does not fit the package.json beside it: ${differing.join('; ')}`, {
    remedy: `Run 'npm install --package-lock-only' in ${directory}, and keep what it writes.`,
  });
}

/** A name stands in one group of a lockfile: npm moves what is optional too. */
function allOf({ dependencies, devDependencies, optionalDependencies }: Groups): Map<string, string> {
  return new Map(Object.entries({ ...devDependencies, ...dependencies, ...optionalDependencies }));
}
