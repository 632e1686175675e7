import { canonicalName } from './python-metadata';

/**
 * How near a package on the VM is to the one that is installed here: `exact`, the same version and build; `compatible`, the same
 * version in any build, or one of the same minor release where it cannot be had; `loose`, what the VM solves.
 */
export const STRICTNESSES = ['exact', 'compatible', 'loose'] as const;
export type Strictness = (typeof STRICTNESSES)[number];

/** What of the Python packages that are installed here the job gets. Names as they are typed: `Foo_bar` is `foo-bar`. */
export interface PackageChoices {
  /** Of all packages. @default 'exact' on VMs of this platform, else 'compatible' */
  readonly strictness?: Strictness;
  /** Of packages by name; goes before the one of all. */
  readonly strictnessOf?: Readonly<Record<string, Strictness>>;
  /** Left out. @default - none */
  readonly ignore?: readonly string[];
  /** These and what they need; all others are left out. @default - all */
  readonly only?: readonly string[];
  /** Requirements as pip takes them, `boto3>=1.34`, solved on the VM. In place of what is installed under the name. @default - none */
  readonly add?: readonly string[];
}

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** `name[extra]>=1,<2; marker`, `name @ https://…`. Source: PyPA specification "Dependency specifiers". */
const REQUIREMENT =
  /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\s*(\[[A-Za-z0-9._,\s-]*\])?\s*((===?|~=|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]+(\s*,\s*(===?|~=|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]+)*|@\s*(git\+)?https:\/\/\S+)?(\s*;.*)?$/;

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
      .filter((text) => !REQUIREMENT.test(text) || hasUserinfo(text))
      .map(
        (text) =>
          `'${withoutUserinfo(text)}' is not a package to be added; allowed are forms like boto3, boto3>=1.34, pandas[excel]==2.2.1 and name @ https://…, without credentials`,
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
