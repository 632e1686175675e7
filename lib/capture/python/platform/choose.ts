import { canonicalName, condaSpecIn, nearest, RawcloudError } from '../../../contract';
import type { PackageChoices, Strictness } from '../../../contract';
import type { Distribution } from '../distributions';
import { parseDependency } from './dependency';
import type { Graph } from './graph';

/** Choices with names as they compare. */
export interface Chosen {
  readonly ignored: ReadonlySet<string>;
  readonly only: readonly string[];
  readonly strictness: Strictness | undefined;
  readonly strictnessOf: ReadonlyMap<string, Strictness>;
  /** Requirement lines by the name of their package. */
  readonly added: ReadonlyMap<string, string>;
}

/**
 * Choices about what is installed.
 * @param otherNames - canonical names that are no business of this environment
 * @throws E_PACKAGE for names of packages that are not, with the nearest ones
 */
export function readChoices(
  choices: PackageChoices,
  installed: readonly Distribution[],
  title: string,
  otherNames?: ReadonlySet<string>,
): Chosen {
  const { ignore = [], only = [], strictness, strictnessOf = {}, add = [] } = choices;
  const known = new Set(installed.map(({ name }) => canonicalName(name)));
  const ofPip = add.filter((text) => !condaSpecIn(text));
  const isKnown = (name: string): boolean => known.has(canonicalName(name)) || otherNames?.has(canonicalName(name)) === true;
  refuseUnknown(choices, { isKnown, known: [...known], title, listed: 'pip list' });
  return {
    ignored: new Set(ignore.map(canonicalName)),
    only: only.map(canonicalName),
    strictness,
    strictnessOf: new Map(Object.entries(strictnessOf).map(([name, level]) => [canonicalName(name), level])),
    added: new Map(ofPip.map((text) => [parseDependency(text)!.name, text.trim()])),
  };
}

interface Listed {
  readonly isKnown: (name: string) => boolean;
  /** Names to tell the nearest of. */
  readonly known: readonly string[];
  /** The environment, for people. */
  readonly title: string;
  /** What lists its packages. */
  readonly listed: string;
}

/** @throws E_PACKAGE for names of packages that are not there, with the nearest ones */
export function refuseUnknown(
  { ignore = [], only = [], strictnessOf = {} }: PackageChoices,
  { isKnown, known, title, listed }: Listed,
): void {
  const asked = [
    ...ignore.map((name) => ({ name, option: '--package-ignore' })),
    ...only.map((name) => ({ name, option: '--package-only' })),
    ...Object.keys(strictnessOf).map((name) => ({ name, option: '--package-strictness' })),
  ];
  const unknown = asked.filter(({ name }) => !isKnown(name));
  if (unknown.length === 0) return;
  const named = unknown.map(({ name, option }) => {
    const near = nearest(canonicalName(name), known);
    return `${name} (${option}${near.length > 0 ? `; near are ${near.join(', ')}` : ''})`;
  });
  throw new RawcloudError('E_PACKAGE', `${title} has no package ${named.join(', ')}`, {
    remedy: `Name a package that is there, as ${listed} or the lockfile has it.`,
    data: { packages: unknown.map(({ name }) => name) },
  });
}

/** What of the installed packages is to travel. What is added takes the place of what is installed under its name. */
export function select(
  installed: readonly Distribution[],
  { ignored, only, added }: Chosen,
  graph: Graph,
  machines: readonly Readonly<Record<string, string>>[],
): Distribution[] {
  const wanted = only.length > 0 ? graph.closure(only, ...machines) : undefined;
  return installed.filter(({ name }) => {
    const canonical = canonicalName(name);
    return !ignored.has(canonical) && !added.has(canonical) && (wanted?.has(canonical) ?? true);
  });
}
