import { findRawcloudError, mapBounded, RawcloudError } from '../contract';
import type { SecretSource } from '../contract';
import { SECRET_ACTIONS } from '../aws/secret-values';
import type { ReadSecret, SecretPlace, SecretValue } from '../aws/secret-values';

/** Calls under way at once. Source: Secrets Manager allows thousands a second, Parameter Store 40. */
const AT_ONCE = 8;

type Sources = Readonly<Record<string, SecretSource>>;
type Read = { readonly value: SecretValue } | { readonly error: unknown };

/**
 * Values of variables, from where they live. Each secret is asked for once, so that several fields of it are of one version.
 * @throws E_ENVIRONMENT that names everything that is missing: variables, places and permissions, and no value
 */
export async function fetchSecrets(sources: Sources, read: ReadSecret, signal: AbortSignal): Promise<Record<string, string>> {
  const found = await readPlaces(Object.values(sources), read, signal);
  const values: Record<string, string> = {};
  const problems: RawcloudError[] = [];
  for (const [variable, source] of Object.entries(sources)) {
    try {
      values[variable] = valueOf(source, found.get(nameOf(source))!);
    } catch (error) {
      problems.push(wordProblem(variable, source, error));
    }
  }
  const [first, ...rest] = problems;
  if (!first) return values;
  if (rest.length === 0) throw first;
  const remedies = new Set(problems.flatMap(({ remedy }) => remedy ?? []));
  throw new RawcloudError('E_ENVIRONMENT', problems.map(({ message }) => message).join('; '), { remedy: [...remedies].join(' ') });
}

async function readPlaces(sources: readonly SecretSource[], read: ReadSecret, signal: AbortSignal): Promise<Map<string, Read>> {
  const places = new Map(sources.map((source) => [nameOf(source), placeOf(source)]));
  const reads = await mapBounded(
    [...places],
    AT_ONCE,
    async ([name, place], _index, stop): Promise<[string, Read]> => {
      const outcome = read(place, stop).then(
        (value): Read => ({ value }),
        (error: unknown): Read => ({ error }),
      );
      return [name, await outcome];
    },
    { signal },
  );
  signal.throwIfAborted();
  return new Map(reads);
}

function placeOf(source: SecretSource): SecretPlace {
  return source.kind === 'ssm' ? { kind: 'ssm', name: source.name } : { kind: 'secretsmanager', arn: source.arn };
}

function nameOf(source: SecretSource): string {
  return source.kind === 'ssm' ? `parameter ${source.name}` : `secret ${source.arn}`;
}

/** @throws Error that says what is wrong without a part of the value */
function valueOf(source: SecretSource, read: Read): string {
  if ('error' in read) throw read.error;
  if ('binary' in read.value) throw new Error('is binary, and variables are text');
  const { text } = read.value;
  const value = source.kind === 'ssm' || source.field === undefined ? text : fieldOf(text, source.field);
  // Node would refuse the whole environment, and quote the value.
  if (value.includes('\0')) throw new Error('holds a null character, which no variable can');
  return value;
}

/** Text as it is, anything else as its JSON. */
function fieldOf(text: string, field: string): string {
  const whole = parseObject(text);
  if (!whole) throw new Error(`is no JSON object, and its field '${field}' is asked for`);
  const value = Object.hasOwn(whole, field) ? whole[field] : undefined;
  if (value === undefined) throw new Error(`has no field '${field}'`);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    // The parser's own words would quote the value.
    return undefined;
  }
}

/** Codes for what is not there. Source: API references of Secrets Manager and Systems Manager. */
const ABSENT: readonly unknown[] = ['ResourceNotFoundException', 'ParameterNotFound'];

function wordProblem(variable: string, source: SecretSource, error: unknown): RawcloudError {
  const place = nameOf(source);
  const known = findRawcloudError(error);
  const told = known?.data['action'];
  // As kms:Decrypt, where the key is one of the account's own.
  const action = typeof told === 'string' ? told : SECRET_ACTIONS[source.kind];
  if (known?.code === 'E_PERMISSION') {
    const remedy = `Allow the job's role ${action} of ${place}: what grants reading in your app, as secret.grantRead(job), does it.`;
    return new RawcloudError('E_ENVIRONMENT', `variable ${variable}: the job's role is not allowed ${action} of ${place}`, { remedy });
  }
  if (ABSENT.includes(known?.data['awsCode'])) {
    const remedy = 'Create it, or give it a value, in the account and region that its name tells.';
    return new RawcloudError('E_ENVIRONMENT', `variable ${variable}: there is no value in ${place} (${action})`, { remedy });
  }
  const why = known ? `could not be read: ${known.message}` : error instanceof Error ? error.message : String(error);
  const remedy = known?.remedy ?? `Put a fitting value into ${place}, or name another one for ${variable}.`;
  return new RawcloudError('E_ENVIRONMENT', `variable ${variable}: ${place} ${why}`, { remedy });
}
