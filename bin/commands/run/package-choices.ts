import { readPackageWords } from '../../../lib/contract';
import type { PackageChoices } from '../../../lib/contract';
import type { RunOptions } from '../../options';
import type { Problems } from './problems';

/** What `--package-…` say; undefined when none of them is given. */
export function readPackageChoices(
  { packageStrictness, packageIgnore, packageOnly, packageAdd }: RunOptions,
  problems: Problems,
): PackageChoices | undefined {
  const words = {
    ...(packageStrictness ? { strictness: packageStrictness } : {}),
    ...(packageIgnore ? { ignore: packageIgnore } : {}),
    ...(packageOnly ? { only: packageOnly } : {}),
    ...(packageAdd ? { add: packageAdd } : {}),
  };
  const read = readPackageWords(words, '--package-strictness');
  for (const problem of read.problems) problems.add(problem);
  return Object.keys(read.choices).length > 0 ? read.choices : undefined;
}
