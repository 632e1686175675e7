import { isRawcloudError, RawcloudError } from '../../contract';
import type { BuildIo, PythonRecipe } from '../../contract';
import { findProgram } from './programs';

const NOT_BUILT = 'could not be built on the VM';
const WRONG_HASH = 'does not have the hash that the lockfile says: its index gives another file than the one that was locked';

/** Lines by which uv and pip say which package failed, and how. First match wins. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/Hash mismatch for `([\w.-]+)/, WRONG_HASH],
  // pip names the package on the line after it said so.
  [/^\s+([\w.-]+)==\S+ from \S+ \(from -r/, WRONG_HASH],
  [/there is no version of ([\w.-]+)==/, 'has no such version in the package index'],
  [/Because ([\w.-]+) was not found in/, 'is not in the package index'],
  [/Because ([\w.-]+)\S* has no wheels? with a matching/, 'has no build for this platform'],
  [/No matching distribution found for ([\w.-]+)/, 'has no such version in the package index, or no build for this platform'],
  [/Failed to build (?:installable wheels for some pyproject\.toml based projects \()?[`']?([\w.-]+)/, NOT_BUILT],
  [/Failed building wheel for ([\w.-]+)/, NOT_BUILT],
  [/Failed to (?:download|fetch|unzip|extract|read|install)[^`]*`([\w.-]+)(?:==| @)/, 'could not be fetched'],
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

/** Collects what an installer prints, as far as it tells which package failed. */
export function watchForFailure(
  io: Pick<BuildIo, 'env'>,
  { credentials = {} }: Pick<PythonRecipe, 'credentials'> = {},
): {
  readonly onLine: (line: string) => void;
  explain(cause: unknown): RawcloudError;
} {
  let found: Failure | undefined;
  let index: IndexFailure | undefined;
  return {
    onLine: (line) => {
      const failure = failureIn(line);
      // A wrong hash is the reason for whatever was said before it.
      if (failure && (found === undefined || failure.how === WRONG_HASH)) found = failure;
      index ??= indexFailureIn(line);
    },
    explain: (cause) => {
      // What says by itself which package it is about needs no explanation.
      if (isRawcloudError(cause) && cause.data['package'] !== undefined) return cause;
      return index && found?.how !== WRONG_HASH ? indexFailed(index, found, credentials, cause) : installFailed(found, cause, io);
    },
  };
}

interface Failure {
  readonly name: string;
  readonly how: string;
}

export function failureIn(line: string): Failure | undefined {
  for (const [sign, how] of SIGNS) {
    const name = sign.exec(line)?.[1];
    if (name !== undefined) return { name, how };
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
        "index's URL, the tool's variables, netrc and keyring.",
      data,
      cause,
    });
  }
  return new RawcloudError('E_ENVIRONMENT', `the package index ${host} did not answer the VM${about}`, {
    remedy:
      'Check that it is up, and that the VM has a way to it: one in a private network takes a subnet with a way there. The environment log ' +
      'has what was tried (rawcloud logs --system).',
    data,
    cause,
  });
}

function installFailed(found: Failure | undefined, cause: unknown, io: Pick<BuildIo, 'env'>): RawcloudError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const compiler = ['cc', 'gcc', 'clang'].some((program) => findProgram(program, io));
  const why = found?.how === NOT_BUILT && !compiler ? `${NOT_BUILT}, which has no compiler` : found?.how;
  const what = found ? `${found.name} ${why}` : reason;
  const more =
    found?.how === NOT_BUILT
      ? needsCompiler('c')
      : found?.how === WRONG_HASH
        ? 'Lock again and look at what changed; or, if the index rightly has other files, take what is installed: --packages installed.'
        : 'A package from another index than the default needs it named in PIP_EXTRA_INDEX_URL or UV_INDEX.';
  return new RawcloudError('E_ENVIRONMENT', `the Python packages could not be installed: ${what}`, {
    remedy: `The environment log has the installer's own words (rawcloud logs --environment). ${more}`,
    data: found ? { package: found.name } : {},
    cause,
  });
}

/** What to do about a package that has to be compiled on the VM. */
export function needsCompiler(needs: 'c' | 'rust'): string {
  const what = needs === 'rust' ? 'a Rust toolchain' : 'a C compiler';
  return `Use an image that has ${what} and what the package needs besides (--image), or install a wheel of it here that is made for the VM's platform.`;
}
