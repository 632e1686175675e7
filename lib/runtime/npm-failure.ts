import * as v from 'valibot';

/** What execFile rejects with: `code` is a system error's name or the exit code. */
const FailureSchema = v.object({ code: v.optional(v.unknown()), stderr: v.optional(v.string(), '') });

/** Why npm could not do what it was started for. */
export interface NpmFailure {
  /** There is no npm on PATH. */
  readonly missing: boolean;
  /** npm's own code in brackets, as ` (ENOTFOUND)`; '' when it said none. */
  readonly code: string;
}

/** @param error what execFile rejected with */
export function npmFailure(error: unknown): NpmFailure {
  const { code, stderr } = v.parse(FailureSchema, error);
  const said = /^npm (?:error|ERR!) code (\S+)/m.exec(stderr)?.[1];
  return { missing: code === 'ENOENT', code: said ? ` (${said})` : '' };
}
