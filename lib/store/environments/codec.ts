import * as zlib from 'node:zlib';
import { promisify } from 'node:util';
import { RawcloudError } from '../../contract';
import type { ChunkEncoding } from '../../contract';
import { alone, roomFor } from '../compress';

type Callback = (error: Error | null, result: Buffer) => void;
type Options = zlib.ZlibOptions & { readonly params?: Readonly<Record<number, number>> };
type Transform = (bytes: Uint8Array, options: Options, callback: Callback) => void;

/** Node has zstd from 22.15 on. VMs run a Node of ours; in the local cloud it is the developer's. */
const {
  zstdCompress,
  zstdDecompress,
}: { readonly deflate: unknown; readonly zstdCompress?: Transform; readonly zstdDecompress?: Transform } = zlib;

export interface EncodedChunk {
  readonly stored: Uint8Array;
  readonly encoding: ChunkEncoding;
}

/** It must save a twentieth, or the VM inflates for nothing. */
const WORTH = 0.95;

/** ZSTD_c_compressionLevel. Level 1 does 400 MB/s on one core, where the network seldom has more, and inflates at 1.5 GB/s. */
const ZSTD_LEVEL = { params: { 100: 1 } };
/** zlib's level 1: 140 MB/s on one core. */
const DEFLATE_LEVEL = { level: 1 };

/** Whether this Node can read it. */
export function canDecode(encoding: ChunkEncoding): boolean {
  return encoding !== 'zstd' || zstdDecompress !== undefined;
}

/** Compresses in a thread of libuv, by what this Node does best. */
export async function encodeChunk(bytes: Uint8Array): Promise<EncodedChunk> {
  const chunkSize = roomFor(bytes.byteLength);
  const [encoding, stored] = zstdCompress
    ? (['zstd', await call(zstdCompress, bytes, { ...ZSTD_LEVEL, chunkSize })] as const)
    : (['deflate', await call(zlib.deflate, bytes, { ...DEFLATE_LEVEL, chunkSize })] as const);
  return stored.byteLength <= bytes.byteLength * WORTH ? { stored: alone(stored), encoding } : { stored: bytes, encoding: 'raw' };
}

/** @throws E_INTEGRITY when it does not inflate to `bytes` bytes, or cannot be inflated by this Node */
export async function decodeChunk({ stored, encoding }: EncodedChunk, bytes: number): Promise<Uint8Array> {
  const content = encoding === 'raw' ? stored : await inflate(stored, encoding, bytes);
  if (content.byteLength === bytes) return content;
  throw new RawcloudError('E_INTEGRITY', `a chunk of the environment has ${content.byteLength} bytes instead of ${bytes}`);
}

async function inflate(stored: Uint8Array, encoding: 'deflate' | 'zstd', bytes: number): Promise<Uint8Array> {
  const decode = encoding === 'deflate' ? zlib.inflate : zstdDecompress;
  if (!decode) throw new RawcloudError('E_INTEGRITY', 'the environment was stored by a Node with zstd, which this one has not');
  // What was made by others may be made to inflate without end.
  return call(decode, stored, { maxOutputLength: Math.max(1, bytes), chunkSize: roomFor(bytes) }).catch((cause: unknown) => {
    throw new RawcloudError('E_INTEGRITY', `a chunk of the environment is damaged: ${stored.byteLength} bytes do not inflate to ${bytes}`, {
      cause,
    });
  });
}

function call(transform: Transform, bytes: Uint8Array, options: Options): Promise<Buffer> {
  return promisify<Uint8Array, Options, Buffer>(transform)(bytes, options);
}
