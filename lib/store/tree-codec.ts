import { pipeline } from 'node:stream/promises';
import { createDeflate, deflate, inflate } from 'node:zlib';
import { promisify } from 'node:util';
import { decodeJson, ManifestSchema, RawcloudError } from '../contract';
import type { Tree, TreeChange } from '../contract';
import { sha256Of } from './sha256';

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);

/** zlib's, of nine. */
const LEVEL = 3;

/** 4 GiB of JSON would be some ten million files. */
const MAX_MANIFEST_BYTES = 2 ** 32;

export interface EncodedTree {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** A manifest as stored: JSON, deflated (zlib). */
export async function encodeTree(tree: Tree | TreeChange): Promise<EncodedTree> {
  const bytes = await deflateAsync(JSON.stringify(tree), { level: LEVEL });
  return { bytes, sha256: sha256Of(bytes) };
}

/** The same of its JSON piece by piece: that of 100,000 files would be 30 MB, and the objects that it tells of three times that. */
export async function encodeTreeJson(pieces: Iterable<string>): Promise<EncodedTree> {
  const chunks: Uint8Array[] = [];
  await pipeline(pieces, createDeflate({ level: LEVEL }), async (deflated) => {
    for await (const chunk of deflated) chunks.push(chunk as Buffer);
  });
  const bytes = Buffer.concat(chunks);
  return { bytes, sha256: sha256Of(bytes) };
}

/** @throws E_INTEGRITY when it is not deflated; E_NEWER, E_RECORD */
export async function decodeTree(bytes: Uint8Array, what = 'the tree manifest'): Promise<Tree | TreeChange> {
  const json = await inflateAsync(bytes, { maxOutputLength: MAX_MANIFEST_BYTES }).catch((cause: unknown) => {
    throw new RawcloudError('E_INTEGRITY', `${what} is damaged: it cannot be inflated (${bytes.byteLength} bytes)`, { cause });
  });
  return decodeJson(ManifestSchema, json, what);
}
