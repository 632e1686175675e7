import { RawcloudError, STRICTNESSES } from '../../../lib/contract';
import type { PackageChoices, Strictness } from '../../../lib/contract';
import type { RunOptions } from '../../options';
import type { Problems } from './problems';

/** What `--package-…` say; undefined when none of them is given. */
export function readPackageChoices(
  { packageStrictness = [], packageIgnore, packageOnly, packageAdd }: RunOptions,
  problems: Problems,
): PackageChoices | undefined {
  const levels = packageStrictness.flatMap((text) => problems.try(() => parseStrictness(text)) ?? []);
  const ofAll = levels.filter(({ name }) => name === undefined).map(({ level }) => level);
  if (new Set(ofAll).size > 1) {
    problems.add(`--package-strictness ${ofAll.join(' and ')} exclude each other; for one package write NAME=${ofAll.at(-1)!}`);
  }
  const named = levels.flatMap(({ name, level }) => (name === undefined ? [] : [[name, level] as const]));
  const choices: PackageChoices = {
    ...(ofAll[0] === undefined ? {} : { strictness: ofAll[0] }),
    ...(named.length > 0 ? { strictnessOf: Object.fromEntries(named) } : {}),
    ...(packageIgnore ? { ignore: packageIgnore } : {}),
    ...(packageOnly ? { only: packageOnly } : {}),
    ...(packageAdd ? { add: packageAdd } : {}),
  };
  return Object.keys(choices).length > 0 ? choices : undefined;
}

/** `loose`, `torch=loose`. @throws E_USAGE */
function parseStrictness(text: string): { readonly name?: string; readonly level: Strictness } {
  const equals = text.lastIndexOf('=');
  const [name, word] = equals === -1 ? [undefined, text] : [text.slice(0, equals), text.slice(equals + 1)];
  const level = STRICTNESSES.find((known) => known === word.toLowerCase());
  if (level === undefined || name === '') {
    throw new RawcloudError(
      'E_USAGE',
      `--package-strictness '${text}' is not known; allowed are ${STRICTNESSES.join(', ')}, of one package as torch=loose`,
    );
  }
  return { ...(name === undefined ? {} : { name }), level };
}
