import * as v from 'valibot';
import { RawcloudError } from './errors';

/** Record as stored. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/**
 * Reads a stored record.
 * @throws E_NEWER when its `v` is higher than this version knows, E_RECORD when it has another shape
 */
export function decodeJson<const S extends v.GenericSchema>(schema: S, bytes: Uint8Array, what: string): v.InferOutput<S> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new RawcloudError('E_RECORD', `${what} is not JSON (${bytes.byteLength} bytes)`, { cause });
  }
  const version = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined;
  if (typeof version === 'number' && version > 1) {
    throw new RawcloudError('E_NEWER', `${what} was written as version ${version}; this rawcloud reads version 1`, {
      remedy: 'Update rawcloud to the version that wrote it.',
    });
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issues = result.issues.map((i) => `${v.getDotPath(i) ?? '(root)'}: ${i.message}`).slice(0, 5);
  throw new RawcloudError('E_RECORD', `${what} does not have the expected shape: ${issues.join('; ')}`);
}
