import { deflate, inflate } from 'node:zlib';
import { promisify } from 'node:util';
import { decodeJson, ManifestSchema, RawcloudError } from '../contract';
import type { Tree, TreeChange } from '../contract';
import { sha256Of } from './sha256';

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);

/** 4 GiB of JSON would be some ten million files. */
const MAX_MANIFEST_BYTES = 2 ** 32;

/** A manifest as stored: JSON, deflated (zlib). */
export async function encodeTree(tree: Tree | TreeChange): Promise<{ bytes: Uint8Array; sha256: string }> {
  const bytes = await deflateAsync(JSON.stringify(tree), { level: 3 });
  return { bytes, sha256: sha256Of(bytes) };
}

/** @throws E_INTEGRITY when it is not deflated; E_NEWER, E_RECORD */
export async function decodeTree(bytes: Uint8Array, what = 'the tree manifest'): Promise<Tree | TreeChange> {
  const json = await inflateAsync(bytes, { maxOutputLength: MAX_MANIFEST_BYTES }).catch((cause: unknown) => {
    throw new RawcloudError('E_INTEGRITY', `${what} is damaged: it cannot be inflated (${bytes.byteLength} bytes)`, { cause });
  });
  return decodeJson(ManifestSchema, json, what);
}
