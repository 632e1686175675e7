import { RawcloudError } from '../../contract';

/** Lines by which uv and pip say which package failed, and how. First match wins. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/there is no version of ([\w.-]+)==/, 'has no such version in the package index'],
  [/Because ([\w.-]+) was not found in/, 'is not in the package index'],
  [/Because ([\w.-]+)\S* has no wheels? with a matching/, 'has no build for this platform'],
  [/No matching distribution found for ([\w.-]+)/, 'has no such version in the package index, or no build for this platform'],
  [/Failed to build (?:installable wheels for some pyproject\.toml based projects \()?[`']?([\w.-]+)/, 'could not be built on the VM'],
  [/Failed building wheel for ([\w.-]+)/, 'could not be built on the VM'],
  [/Failed to (?:download|fetch|unzip|extract|read|install)[^`]*`([\w.-]+)(?:==| @)/, 'could not be fetched'],
  [/Hash mismatch for `([\w.-]+)/, 'does not have the hash it should have'],
];

/** Collects what an installer prints, as far as it tells which package failed. */
export function watchForFailure(): { readonly onLine: (line: string) => void; explain(cause: unknown): RawcloudError } {
  let found: { name: string; how: string } | undefined;
  return {
    onLine: (line) => {
      found ??= failureIn(line);
    },
    explain: (cause) => installFailed(found, cause),
  };
}

export function failureIn(line: string): { name: string; how: string } | undefined {
  for (const [sign, how] of SIGNS) {
    const name = sign.exec(line)?.[1];
    if (name !== undefined) return { name, how };
  }
  return undefined;
}

function installFailed(found: { name: string; how: string } | undefined, cause: unknown): RawcloudError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const what = found ? `${found.name} ${found.how}` : reason;
  return new RawcloudError('E_ENVIRONMENT', `the Python packages could not be installed: ${what}`, {
    remedy:
      "The environment log has the installer's own words (rawcloud logs --environment). A package from another index than the default needs it named in " +
      'PIP_EXTRA_INDEX_URL or UV_INDEX; one that is built from source needs a compiler in the image (--image).',
    data: found ? { package: found.name } : {},
    cause,
  });
}
