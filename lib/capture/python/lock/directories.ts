import path from 'node:path';
import { RawcloudError } from '../../../contract';
import type { LocalPackage } from '../../../contract';
import { isDirectory } from '../../executables';
import { relativeInside } from '../../source-files';
import type { LockedPackage } from './model';

/**
 * Packages that a lockfile takes from directories of the tree, the project itself among them: their source goes on Python's path.
 * @param carried names of what travels already, as it is installed
 * @throws E_PACKAGE for what lies elsewhere, and for files
 */
export async function directoriesOf(
  selected: readonly LockedPackage[],
  { file, root, carried }: { file: string; root: string; carried: ReadonlySet<string> },
): Promise<LocalPackage[]> {
  const local: LocalPackage[] = [];
  for (const { name, origin } of selected) {
    if (carried.has(name) || (origin.kind !== 'directory' && origin.kind !== 'file')) continue;
    const place = path.resolve(path.dirname(file), origin.path);
    const inTree = relativeInside(root, place);
    if (origin.kind === 'file' || inTree === undefined) throw elsewhere(name, file, place, root);
    const source = (await isDirectory(path.join(place, 'src'))) ? path.posix.join(inTree, 'src') : inTree;
    local.push({ kind: 'path', name, place: { tree: source } });
  }
  return local;
}

function elsewhere(name: string, file: string, place: string, root: string): RawcloudError {
  return new RawcloudError('E_PACKAGE', `${name} of ${file} comes from ${place}; only directories in ${root} are taken from a lockfile`, {
    remedy: 'Move it there, or publish it to an index. A run also carries it as it is installed here: --packages installed.',
    data: { package: name },
  });
}
