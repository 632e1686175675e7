import { canonicalName, isRawcloudError, RawcloudError } from '../../contract';
import type { BuildIo, PythonRecipe } from '../../contract';
import { diskFull, saysDiskFull } from './disk-full';
import { findProgram } from './programs';

/** Why an installer gave up on a package. */
export type FailureKind = 'no-version' | 'unknown' | 'no-build' | 'not-built' | 'not-fetched' | 'hash' | 'python' | 'conflict' | 'platform';

const HOW: Readonly<Record<FailureKind, string>> = {
  'no-version': 'has no such version in the package index',
  unknown: 'is not in the package index',
  'no-build': 'has no build for this platform',
  'not-built': 'could not be built on the VM',
  'not-fetched': 'could not be fetched',
  hash: 'does not have the hash that the lockfile says: its index gives another file than the one that was locked',
  python: "is not for the environment's version of Python",
  conflict: 'needs other versions than those that are here',
  platform: 'is a wheel for another platform',
};

/** Lines by which uv and pip say which package failed, and how. First match wins. */
const SIGNS: readonly (readonly [RegExp, FailureKind, string?])[] = [
  [/Hash mismatch for `([\w.-]+)/, 'hash'],
  // pip names the package on the line after it said so.
  [/^\s+([\w.-]+)==\S+ from \S+ \(from -r/, 'hash'],
  [/there is no version of ([\w.-]+)==/, 'no-version'],
  [/Because ([\w.-]+) was not found in/, 'unknown'],
  [/Because ([\w.-]+)\S* has no wheels? with a matching/, 'no-build'],
  // pip does not tell what is not there from what is there for others.
  [/No matching distribution found for ([\w.-]+)/, 'no-build', 'has no such version in the package index, or no build for this platform'],
  [/([\w.-]+)==\S+ depends on Python\b/, 'python'],
  [/Package '([\w.-]+)' requires a different Python/, 'python'],
  [/(?:Because|and) (?:all versions of )?([\w.-]+?)(?:[=<>]=?\S+)? depends? on/, 'conflict'],
  [/Cannot install .*?([A-Za-z0-9][\w.-]*?)(?:[=<>]=?\S+)? because these package versions have conflicting/, 'conflict'],
  [/(?:^|[ /(])([A-Za-z0-9][\w.]*)-[^/ ]*\.whl is not a supported wheel on this platform/, 'platform'],
  [/([A-Za-z0-9][\w.]*)-[^/ ]*\.whl\)? dependency is incompatible with the current platform/, 'platform'],
  [/Failed to build (?:installable wheels for some pyproject\.toml based projects \()?[`']?([\w.-]+)/, 'not-built'],
  [/Failed building wheel for ([\w.-]+)/, 'not-built'],
  // From an index, in one step.
  [/Failed to download and build `([\w.-]+)/, 'not-built'],
  [/Failed to (?:download|fetch|unzip|extract|read|install)[^`]*`([\w.-]+)(?:==| @)/, 'not-fetched'],
];

/** What an index itself does wrong. It is more than what follows from it for a package. */
const INDEX_SIGNS: readonly (readonly [RegExp, IndexFailure['how']])[] = [
  [/An index URL \((\S+?)\) .*\b(?:401|403)\b/, 'refused'],
  [/\b(?:401|403) (?:Client )?Error\b.*?(https?:\/\/[^\s,'"]+)/, 'refused'],
  [/(?:Failed to fetch:|error sending request for url) [`(]?(https?:\/\/[^\s`)]+)/, 'silent'],
  [/(?:host=')([^']+)'.*(?:timed out|timeout)/i, 'silent'],
];

interface IndexFailure {
  readonly place: string;
  readonly how: 'refused' | 'silent';
}

/** pip names the package in the line after this one. */
const NAMED_NEXT = /^× Encountered error while generating package metadata/;
const NEXT = /^╰─> ([A-Za-z0-9][\w.-]*)/;

export interface Failure {
  readonly name: string;
  readonly kind: FailureKind;
  readonly how: string;
}

/** What an installer prints, as far as it tells which package failed. */
export class FailureWatch {
  #found: Failure | undefined;
  #index: IndexFailure | undefined;
  #isNamedNext = false;
  #isFull = false;

  readonly onLine = (line: string): void => {
    const next = this.#isNamedNext ? NEXT.exec(line)?.[1] : undefined;
    this.#isNamedNext = NAMED_NEXT.test(line);
    const failure = next === undefined ? failureIn(line) : { name: next, kind: 'not-built' as const, how: HOW['not-built'] };
    // A wrong hash is the reason for whatever was said before it.
    if (failure && (this.#found === undefined || failure.kind === 'hash')) this.#found = failure;
    this.#index ??= indexFailureIn(line);
    this.#isFull ||= saysDiskFull(line);
  };

  /** Which package it was; undefined when an index or the disk is at fault for all. */
  get found(): Failure | undefined {
    return this.#index || this.#isFull ? undefined : this.#found;
  }

  /** Before another try. */
  reset(): void {
    this.#found = undefined;
    this.#index = undefined;
    this.#isFull = false;
  }

  explain(
    cause: unknown,
    io: Pick<BuildIo, 'env'>,
    { leeway, credentials = {}, requirements = [] }: Partial<Pick<PythonRecipe, 'leeway' | 'credentials' | 'requirements'>> = {},
  ): RawcloudError {
    // What says by itself which package it is about needs no explanation.
    if (isRawcloudError(cause) && cause.data['package'] !== undefined) return cause;
    if (this.#isFull) return diskFull('Python packages', cause);
    if (this.#index && this.#found?.kind !== 'hash') return indexFailed(this.#index, this.#found, credentials, cause);
    return installFailed(this.#found, cause, { io, yielding: leeway?.yielding ?? [], requirements });
  }
}

export function failureIn(line: string): Failure | undefined {
  for (const [sign, kind, how = HOW[kind]] of SIGNS) {
    const name = sign.exec(line)?.[1];
    if (name !== undefined) return { name, kind, how };
  }
  return undefined;
}

export function indexFailureIn(line: string): IndexFailure | undefined {
  for (const [sign, how] of INDEX_SIGNS) {
    const place = sign.exec(line)?.[1];
    if (place !== undefined) return { place, how };
  }
  return undefined;
}

function indexFailed(
  { place, how }: IndexFailure,
  found: Failure | undefined,
  credentials: Readonly<Record<string, string>>,
  cause: unknown,
): RawcloudError {
  const host = URL.canParse(place) ? new URL(place).host : place;
  const known = Object.entries(credentials).find(([url]) => URL.canParse(url) && new URL(url).host === host);
  const tried = known ? `the credentials of ${known[1]}` : 'no credentials, since none were found here';
  const data = found ? { package: found.name } : {};
  const about = found ? ` (asked for ${found.name})` : '';
  if (how === 'refused') {
    return new RawcloudError('E_ENVIRONMENT', `the package index ${host} refused the VM${about}; tried were ${tried}`, {
      remedy:
        'Check here that they are right and have not expired: pip download --no-cache-dir with the package. Credentials are taken from the ' +
        "index's URL, the tool's variables, netrc and keyring. The environment log has what was tried (rawcloud logs --environment).",
      data,
      cause,
    });
  }
  return new RawcloudError('E_ENVIRONMENT', `the package index ${host} did not answer the VM${about}`, {
    remedy:
      'Check that it is up, and that the VM has a way to it: one in a private network takes a subnet with a way there. The environment log ' +
      'has what was tried (rawcloud logs --environment).',
    data,
    cause,
  });
}

function installFailed(
  found: Failure | undefined,
  cause: unknown,
  { io, yielding, requirements }: { io: Pick<BuildIo, 'env'>; yielding: readonly string[]; requirements: readonly string[] },
): RawcloudError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const compiler = ['cc', 'gcc', 'clang'].some((program) => findProgram(program, io));
  const how = found?.how.replace('no such version', versionOf(found.name, requirements));
  const why = found?.kind === 'not-built' && !compiler ? `${how}, which has no compiler` : how;
  const what = found ? `${found.name} ${why}` : reason;
  return new RawcloudError('E_ENVIRONMENT', `the Python packages could not be installed: ${what}`, {
    remedy: `The environment log has the installer's own words (rawcloud logs --environment). ${found ? remedyFor(found, yielding) : OTHER_INDEX}`,
    data: found ? { package: found.name } : {},
    cause,
  });
}

/** As it was asked for. */
function versionOf(name: string, requirements: readonly string[]): string {
  const asked = requirements.map((line) => /^([\w.-]+)[^=\s]*==\s*([^\s;]+)/.exec(line));
  const version = asked.find((match) => match && canonicalName(match[1]!) === canonicalName(name))?.[2];
  return version === undefined ? 'no such version' : `no version ${version}`;
}

const OTHER_INDEX = 'A package from another index than the default needs it named in PIP_EXTRA_INDEX_URL or UV_INDEX.';

function remedyFor({ name, kind }: Failure, yielding: readonly string[]): string {
  const without = `--package-ignore ${name} leaves it out.`;
  const compatible = yielding.includes(canonicalName(name))
    ? ''
    : `--package-strictness ${name}=compatible takes another version of the same minor release, `;
  const loose = `${compatible}--package-strictness ${name}=loose ${compatible === '' ? 'takes ' : ''}any of the same major one; ${without}`;
  switch (kind) {
    case 'no-version':
    case 'unknown':
      return `${OTHER_INDEX} ${loose}`;
    case 'no-build':
    case 'python':
      return loose;
    case 'not-built':
      return `${needsCompiler('c')} ${loose}`;
    case 'conflict':
      return `--package-strictness ${name}=loose lets the VM choose its version; --package-strictness loose those of all.`;
    case 'platform':
      return `Install a build for the platform of the VM here, or one from an index. ${without}`;
    case 'not-fetched':
      return OTHER_INDEX;
    case 'hash':
      return 'Lock again and look at what changed; or, if the index rightly has other files, take what is installed: --packages installed.';
  }
}

/** What to do about a package that has to be compiled on the VM. */
export function needsCompiler(needs: 'c' | 'rust'): string {
  const what = needs === 'rust' ? 'a Rust toolchain' : 'a C compiler';
  const packages = needs === 'rust' ? 'gcc cargo' : 'gcc';
  return `Install ${what} and what the package needs besides before (--setup "dnf install -y ${packages}"), use an image that has them (--image), or install a wheel of it here that is made for the VM's platform.`;
}
