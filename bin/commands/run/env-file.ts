import { RawcloudError } from '../../../lib/contract';

type Environment = Readonly<Record<string, string | undefined>>;

/** One variable of the job. Its value may be a secret: it stands in no message. */
export type Variable = readonly [name: string, value: string];

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };

/**
 * Reads `NAME=VALUE`, or `NAME` with its value in `env`.
 * @throws E_USAGE
 */
export function parseVariable(text: string, env: Environment, what: string): Variable {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    // Shown only when it looks like a name that went wrong: it might be part of a secret.
    const got = equals >= 0 && /^[\w.-]{1,40}$/.test(name) ? `'${name}'` : 'its text';
    throw new RawcloudError(
      'E_USAGE',
      `${what}: ${got} is not a name of a variable; allowed are letters, digits and _, as NAME=VALUE or NAME`,
    );
  }
  const value = equals < 0 ? env[name] : text.slice(equals + 1);
  if (value === undefined)
    throw new RawcloudError('E_USAGE', `${what}: variable ${name} is not set here; allowed are NAME=VALUE, or NAME of one that is set`);
  return [name, value];
}

/**
 * Reads a file of variables, one a line: `NAME=VALUE`, `NAME` (value from here), blank lines, lines starting with `#`,
 * and an optional `export` in front. A value in single quotes is taken as it stands; in double quotes `\n`, `\t`, `\"`
 * and the like mean what they do in C; without quotes it is trimmed and ends before ` #`.
 * @returns the variables; one problem for each line that cannot be read
 */
export function parseEnvFile(text: string, file: string, env: Environment): { variables: Variable[]; problems: string[] } {
  const variables: Variable[] = [];
  const problems: string[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const trimmed = line.trim().replace(/^export\s+/, '');
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    try {
      const [name, value] = parseVariable(trimmed.replace(/^([^=\s]+)\s*=\s*/, '$1='), env, `${file}, line ${index + 1}`);
      variables.push([name, trimmed.includes('=') ? unquote(value, `${file}, line ${index + 1}`) : value]);
    } catch (error) {
      if (!(error instanceof RawcloudError)) throw error;
      problems.push(error.message);
    }
  }
  return { variables, problems };
}

function unquote(value: string, where: string): string {
  const quote = value[0];
  if (quote !== "'" && quote !== '"') return value.replace(/\s#.*$/, '').trim();
  const match = quote === "'" ? /^'([^']*)'\s*(?:#.*)?$/.exec(value) : /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(value);
  if (!match) throw new RawcloudError('E_USAGE', `${where}: the quote ${quote} is not closed, or something follows it`);
  const inner = match[1] ?? '';
  return quote === "'" ? inner : inner.replace(/\\(.)/g, (whole, char: string) => ESCAPES[char] ?? whole);
}
