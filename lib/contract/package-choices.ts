import { canonicalName } from './python-metadata';

/**
 * How near a package on the VM is to the one that is installed here: `exact`, the same version and build; `compatible`, the same
 * version in any build, or one of the same minor release where it cannot be had; `loose`, what the VM solves.
 */
export const STRICTNESSES = ['exact', 'compatible', 'loose'] as const;
export type Strictness = (typeof STRICTNESSES)[number];

/** What of the packages of Python and conda that are installed here, or that a deployed job's lockfile has, the job gets. Names as they are typed: `Foo_bar` is `foo-bar`. */
export interface PackageChoices {
  /** Of all packages. @default 'exact' on VMs of this platform and of lockfiles, else 'compatible' */
  readonly strictness?: Strictness;
  /** Of packages by name; goes before the one of all. */
  readonly strictnessOf?: Readonly<Record<string, Strictness>>;
  /** Left out. @default - none */
  readonly ignore?: readonly string[];
  /** These and what they need; all others are left out. @default - all */
  readonly only?: readonly string[];
  /**
   * Requirements as pip takes them, `boto3>=1.34`, and what a conda environment shall have of a channel, `conda-forge::gdal>=3.8`; solved
   * on the VM. In place of what is installed under the name. @default - none
   */
  readonly add?: readonly string[];
}

/** The same as people type it: `compatible` of all packages, `torch=loose` of one. */
export interface PackageWords extends Pick<PackageChoices, 'ignore' | 'only' | 'add'> {
  readonly strictness?: readonly string[];
}

/** @param option what the words of strictness were given to, for people: `--package-strictness` */
export function readPackageWords(
  { strictness = [], ignore, only, add }: PackageWords,
  option: string,
): { readonly choices: PackageChoices; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const levels = strictness.flatMap((text) => {
    const read = readStrictness(text);
    if (!read) problems.push(`${option} '${text}' is not known; allowed are ${STRICTNESSES.join(', ')}, of one package as torch=loose`);
    return read ?? [];
  });
  const ofAll = levels.filter(({ name }) => name === undefined).map(({ level }) => level);
  if (new Set(ofAll).size > 1)
    problems.push(`${option} ${ofAll.join(' and ')} exclude each other; for one package write NAME=${ofAll.at(-1)!}`);
  const named = levels.flatMap(({ name, level }) => (name === undefined ? [] : [[name, level] as const]));
  const choices: PackageChoices = {
    ...(ofAll[0] === undefined ? {} : { strictness: ofAll[0] }),
    ...(named.length > 0 ? { strictnessOf: Object.fromEntries(named) } : {}),
    ...(ignore ? { ignore } : {}),
    ...(only ? { only } : {}),
    ...(add ? { add } : {}),
  };
  return { choices, problems };
}

function readStrictness(text: string): { readonly name?: string; readonly level: Strictness } | undefined {
  const equals = text.lastIndexOf('=');
  const [name, word] = equals === -1 ? [undefined, text] : [text.slice(0, equals), text.slice(equals + 1)];
  const level = STRICTNESSES.find((known) => known === word.toLowerCase());
  return level === undefined || name === '' ? undefined : { ...(name === undefined ? {} : { name }), level };
}

/** conda has names that begin with a line: `_libgcc_mutex`. */
const NAME = /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** `name[extra]>=1,<2; marker`, `name @ https://…`. Source: PyPA specification "Dependency specifiers". */
const REQUIREMENT =
  /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\s*(\[[A-Za-z0-9._,\s-]*\])?\s*((===?|~=|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]+(\s*,\s*(===?|~=|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]+)*|@\s*(git\+)?https:\/\/\S+)?(\s*;.*)?$/;

/** `channel::name`, with versions as conda takes them: `conda-forge::gdal>=3.8,<4`, `https://host/channel::gdal=3.8`. Source: conda's documentation "Package match specifications". */
const CONDA_SPEC =
  /^((?:https?:\/\/[^\s:@]+(?::\d+)?)?[\w./+-]*)::([a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)\s*((?:===?|~=|!=|<=?|>=?|=)\s*[\w.*+!|,<>=~ -]+)?$/;

/** What a conda environment is to have besides, by channel and name; undefined for what pip takes. */
export function condaSpecIn(text: string): { readonly channel: string; readonly name: string; readonly versions: string } | undefined {
  const [, channel = '', name, versions = ''] = CONDA_SPEC.exec(text.trim()) ?? [];
  return name === undefined || channel === '' ? undefined : { channel, name, versions: versions.replace(/\s+/g, '') };
}

/** Everything that is wrong with choices, in words; empty when they can be followed. */
export function problemsOfPackageChoices(choices: PackageChoices): string[] {
  const { strictness, strictnessOf = {}, ignore = [], only = [], add = [] } = choices;
  const levels = [...(strictness === undefined ? [] : [strictness]), ...Object.values(strictnessOf)];
  const names = [...Object.keys(strictnessOf), ...ignore, ...only];
  const both = ignore.filter((name) => only.some((other) => canonicalName(other) === canonicalName(name)));
  return [
    ...levels
      .filter((level) => !STRICTNESSES.includes(level))
      .map((level) => `'${level}' is not a strictness of packages; allowed are ${STRICTNESSES.join(', ')}`),
    ...names
      .filter((name) => !NAME.test(name))
      .map((name) => `'${name}' is not the name of a package; allowed are forms like scikit-learn`),
    ...both.map((name) => `package '${name}' is both to be left out and the one to travel`),
    ...add
      .filter((text) => (!REQUIREMENT.test(text) && !condaSpecIn(text)) || hasUserinfo(text))
      .map(
        (text) =>
          `'${withoutUserinfo(text)}' is not a package to be added; allowed are forms like boto3, boto3>=1.34, pandas[excel]==2.2.1, name @ https://… and, of conda, conda-forge::gdal>=3.8, without credentials`,
      ),
  ];
}

const USERINFO = /(:\/\/)[^/@\s]*@/;

function hasUserinfo(text: string): boolean {
  return USERINFO.test(text);
}

function withoutUserinfo(text: string): string {
  return text.replace(USERINFO, '$1…@');
}
