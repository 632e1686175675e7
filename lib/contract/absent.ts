import { RawcloudError } from './errors';

/** A job's prefix is a capability: what people see of a key is its public half only. */
export function redactKey(key: string): string {
  return key.replace(/(v1\/jobs\/[^/-]+)-[0-9a-f]{32}\//, '$1-…/').replace(/(v1\/environments\/[0-9a-f]{8})[0-9a-f]{56}/, '$1…');
}

/** The error of a store that is asked to stream what it does not hold; `data.absent` tells it from others. */
export function absentError(key: string): RawcloudError {
  return new RawcloudError('E_AWS_REQUEST', `the bucket holds no ${redactKey(key)}`, { data: { class: 'request', absent: true } });
}
