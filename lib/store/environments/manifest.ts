import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { bucketKeys, decodeJson, encodeJson, EnvironmentSchema, isRawcloudError, RawcloudError } from '../../contract';
import type { Environment, EnvironmentPart, Store } from '../../contract';
import { canDecode } from './codec';

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);

/** zlib's, of nine. */
const LEVEL = 3;
/** Of JSON: some two million files. */
const MAX_BYTES = 2 ** 28;

export async function encodeEnvironment(environment: Environment): Promise<Uint8Array> {
  return deflateAsync(encodeJson(environment), { level: LEVEL });
}

/** @throws E_INTEGRITY, E_NEWER, E_RECORD */
export async function decodeEnvironment(bytes: Uint8Array): Promise<Environment> {
  const json = await inflateAsync(bytes, { maxOutputLength: MAX_BYTES }).catch((cause: unknown) => {
    throw new RawcloudError('E_INTEGRITY', `the manifest of the environment is damaged (${bytes.byteLength} bytes)`, { cause });
  });
  return decodeJson(EnvironmentSchema, json, 'the manifest of the environment');
}

/** A manifest as it was found. `unusable`: it cannot be restored from, for the reason given, and may be replaced. */
export type FoundEnvironment = { readonly etag: string; readonly ageMs: number } & (
  | { readonly environment: Environment; readonly unusable?: undefined }
  | { readonly environment?: undefined; readonly unusable: RawcloudError }
);

/** The environment of a key. @returns undefined when there is none */
export async function findEnvironment(
  store: Store,
  key: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<FoundEnvironment | undefined> {
  const found = await store.get(bucketKeys.environmentManifest(key), options);
  if (found === 'absent' || found === 'unchanged') return undefined;
  const seen = { etag: found.etag, ageMs: found.now - found.modified };
  try {
    const environment = await decodeEnvironment(found.body);
    mustBeReadable(environment);
    return { ...seen, environment };
  } catch (error) {
    if (!isRawcloudError(error)) throw error;
    return { ...seen, unusable: error };
  }
}

function mustBeReadable({ parts }: Environment): void {
  const unknown = parts.flatMap(({ chunks }) => chunks.map(([, , , , encoding]) => encoding)).find((encoding) => !canDecode(encoding));
  if (unknown !== undefined) throw new RawcloudError('E_INTEGRITY', `it is compressed with ${unknown}, which this VM's Node does not know`);
}

/** What people want to know of it. */
export interface EnvironmentSize {
  readonly packages: number;
  readonly files: number;
  /** Of its files. */
  readonly bytes: number;
  /** Of its chunks, as they are stored. */
  readonly storedBytes: number;
}

export function sizeOf(parts: readonly EnvironmentPart[]): EnvironmentSize {
  const sum = (of: (part: EnvironmentPart) => number): number => parts.reduce((total, part) => total + of(part), 0);
  return {
    packages: parts.filter(({ version }) => version !== undefined).length,
    files: sum(({ files }) => files.length),
    bytes: sum(({ files }) => files.reduce((total, [, bytes]) => total + bytes, 0)),
    storedBytes: sum(({ chunks }) => chunks.reduce((total, [, , stored]) => total + stored, 0)),
  };
}
