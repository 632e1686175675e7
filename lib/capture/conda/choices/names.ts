import { canonicalName, condaSpecIn, RawcloudError } from '../../../contract';
import type { CaptureContext, PackageChoices, Strictness } from '../../../contract';
import type { Distribution } from '../../python/distributions';
import { refuseUnknown } from '../../python/platform/choose';

/** A package of a channel that an environment shall have besides. */
export interface CondaAddition {
  /** Name or URL. */
  readonly channel: string;
  readonly name: string;
  /** As conda takes them; '' for any. */
  readonly versions: string;
}

/** Choices about an environment of conda: each name is one of conda's, or of pip's, or both. */
export interface CondaChoices {
  /** conda's names. */
  readonly ignored: ReadonlySet<string>;
  readonly only: { readonly conda: readonly string[]; readonly pip: readonly string[]; readonly asked: readonly string[] };
  readonly strictness: Strictness | undefined;
  readonly strictnessOf: ReadonlyMap<string, Strictness>;
  readonly added: readonly CondaAddition[];
  /** What is left to the packages that pip has installed. */
  readonly ofPip: PackageChoices;
}

/**
 * Tells which choice is about which package. One that is spelled as conda spells it is that one; else names compare as on PyPI.
 * @param names - of conda's packages
 * @throws E_PACKAGE for names that neither conda nor pip has, unless another layer of the command has them
 */
export function readCondaChoices(
  names: readonly string[],
  pip: { readonly distributions: readonly Distribution[] },
  { packageChoices = {}, otherNames }: Pick<CaptureContext, 'packageChoices' | 'otherNames'>,
  title: string,
): CondaChoices {
  const { ignore = [], only = [], strictness, strictnessOf = {}, add = [] } = packageChoices;
  const ofPip = new Set(pip.distributions.map(({ name }) => canonicalName(name)));
  const ofConda = (name: string): string[] =>
    names.includes(name) ? [name] : names.filter((known) => canonicalName(known) === canonicalName(name));
  const isOfPip = (name: string): boolean => ofPip.has(canonicalName(name));
  refuseUnknown(packageChoices, {
    isKnown: (name) => isOfPip(name) || ofConda(name).length > 0 || otherNames?.has(canonicalName(name)) === true,
    known: [...names, ...ofPip],
    title,
    listed: 'conda list',
  });
  const added = add.flatMap((text) => condaSpecIn(text) ?? []);
  // Of two layers the one of Python takes what pip takes.
  const required = otherNames ? [] : add.filter((text) => !condaSpecIn(text));
  const levels = Object.entries(strictnessOf);
  return {
    ignored: new Set(ignore.flatMap(ofConda)),
    only: { conda: only.flatMap(ofConda), pip: only.filter(isOfPip).map(canonicalName), asked: only },
    strictness,
    strictnessOf: new Map(levels.flatMap(([name, level]) => ofConda(name).map((known) => [known, level] as const))),
    added,
    ofPip: {
      ...(strictness === undefined ? {} : { strictness }),
      strictnessOf: Object.fromEntries(levels.filter(([name]) => isOfPip(name))),
      ignore: ignore.filter(isOfPip),
      add: required,
    },
  };
}

/** @throws E_PACKAGE when what pip has installed, or shall install, is left without a Python */
export function checkPython(
  { ofPip }: CondaChoices,
  { hasPython, count, title }: { readonly hasPython: boolean; readonly count: number; readonly title: string },
): void {
  if (hasPython) return;
  const [first] = ofPip.add ?? [];
  if (first !== undefined) {
    throw new RawcloudError('E_PACKAGE', `${first} (--package-add) is for pip, and ${title} has no Python`, {
      remedy: 'Name the channel of conda that has it: --package-add conda-forge::NAME. Or install python there.',
    });
  }
  if (count === 0) return;
  const which = count === 1 ? 'the package' : `the ${count} packages`;
  throw new RawcloudError('E_PACKAGE', `--package-ignore python leaves ${which} that pip has installed in ${title} without one`, {
    remedy: 'Keep python, or leave those out as well.',
  });
}
