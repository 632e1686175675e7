import { RawcloudError } from '../contract';
import type { SecretSource } from '../contract';
import { callService, dnsSuffix, jsonCall } from './service-call';
import type { ServiceCaller } from './service-call';

/** Where a value lies, without the field of it that is wanted. */
export type SecretPlace = { readonly kind: 'secretsmanager'; readonly arn: string } | { readonly kind: 'ssm'; readonly name: string };

/** What lies there. */
export type SecretValue = { readonly text: string } | { readonly binary: true };

export type ReadSecret = (place: SecretPlace, signal?: AbortSignal) => Promise<SecretValue>;

/** A job waits for it, and cannot start without: a quarter of a minute of throttling is sat out. */
const TRIES = 8;

/** What a caller must be allowed to do to read a value from there. */
export const SECRET_ACTIONS: Readonly<Record<SecretSource['kind'], string>> = {
  secretsmanager: 'secretsmanager:GetSecretValue',
  ssm: 'ssm:GetParameter',
};

/**
 * Reads values of Secrets Manager and Parameter Store, decrypted, without the SDK's clients, which the agent has no room for.
 * Its errors hold no part of a value.
 */
export function secretReader(caller: ServiceCaller & { readonly region: string }): ReadSecret {
  return async (place, signal) => {
    const region = regionIn(place) ?? caller.region;
    const host = `${place.kind}.${region}.${dnsSuffix(region)}`;
    const what = SECRET_ACTIONS[place.kind];
    const [target, input] =
      place.kind === 'ssm'
        ? ['AmazonSSM.GetParameter', { Name: place.name, WithDecryption: true }]
        : ['secretsmanager.GetSecretValue', { SecretId: place.arn }];
    const to = { service: place.kind, region, host, what, tries: TRIES };
    return valueIn(await callService(caller, jsonCall(to, target, input), signal), what);
  };
}

/** An ARN tells the region that its secret or parameter lives in. */
function regionIn(place: SecretPlace): string | undefined {
  return /^arn:[^:]+:[^:]+:([^:]+):/.exec(place.kind === 'ssm' ? place.name : place.arn)?.[1];
}

interface Answer {
  readonly SecretString?: string;
  readonly SecretBinary?: string;
  readonly Parameter?: { readonly Value?: string };
}

function valueIn(body: string, what: string): SecretValue {
  const { SecretString, SecretBinary, Parameter } = parse(body, what);
  const text = SecretString ?? Parameter?.Value;
  if (text !== undefined) return { text };
  if (SecretBinary !== undefined) return { binary: true };
  throw unreadable(what);
}

function parse(body: string, what: string): Answer {
  try {
    return JSON.parse(body) as Answer;
  } catch {
    // Its text would quote the value.
    throw unreadable(what);
  }
}

function unreadable(what: string): RawcloudError {
  return new RawcloudError('E_AWS', `${what} answered something that holds no value`, { retryable: true });
}
