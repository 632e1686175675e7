import { isRawcloudError, RawcloudError } from '../../contract';
import type { BuildIo } from '../../contract';
import { findProgram } from './programs';

const NOT_BUILT = 'could not be built on the VM';

/** Lines by which uv and pip say which package failed, and how. First match wins. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/there is no version of ([\w.-]+)==/, 'has no such version in the package index'],
  [/Because ([\w.-]+) was not found in/, 'is not in the package index'],
  [/Because ([\w.-]+)\S* has no wheels? with a matching/, 'has no build for this platform'],
  [/No matching distribution found for ([\w.-]+)/, 'has no such version in the package index, or no build for this platform'],
  [/Failed to build (?:installable wheels for some pyproject\.toml based projects \()?[`']?([\w.-]+)/, NOT_BUILT],
  [/Failed building wheel for ([\w.-]+)/, NOT_BUILT],
  [/Failed to (?:download|fetch|unzip|extract|read|install)[^`]*`([\w.-]+)(?:==| @)/, 'could not be fetched'],
  [/Hash mismatch for `([\w.-]+)/, 'does not have the hash it should have'],
];

/** Collects what an installer prints, as far as it tells which package failed. */
export function watchForFailure(io: Pick<BuildIo, 'env'>): {
  readonly onLine: (line: string) => void;
  explain(cause: unknown): RawcloudError;
} {
  let found: Failure | undefined;
  return {
    onLine: (line) => {
      found ??= failureIn(line);
    },
    // What says by itself which package it is about needs no explanation.
    explain: (cause) => (isRawcloudError(cause) && cause.data['package'] !== undefined ? cause : installFailed(found, cause, io)),
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

function installFailed(found: Failure | undefined, cause: unknown, io: Pick<BuildIo, 'env'>): RawcloudError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const compiler = ['cc', 'gcc', 'clang'].some((program) => findProgram(program, io));
  const why = found?.how === NOT_BUILT && !compiler ? `${NOT_BUILT}, which has no compiler` : found?.how;
  const what = found ? `${found.name} ${why}` : reason;
  const more =
    found?.how === NOT_BUILT
      ? needsCompiler('c')
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
