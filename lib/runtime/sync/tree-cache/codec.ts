import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { RefSchema } from '../../../contract';
import { STAMP_NUMBERS } from '../../../capture/entries';
import { HASH_BYTES } from './snapshot';
import type { Columns } from './snapshot';

/*
 * A remembered tree as a file:
 *
 *   16 bytes magic, with the version
 *   32 bytes SHA-256 of all that follows
 *    4 bytes length of the state (little endian), the state (JSON)
 *   columns of the snapshot, one after the other: stamps, hashes, flags; then the paths, each ended by a zero byte
 *
 * Columns are read as they lie there, which takes a hundredth of the time of as much JSON.
 */

const MAGIC = Buffer.from('rawcloud-tree/2\n');
const DIGEST_END = MAGIC.byteLength + 32;
const STATE_START = DIGEST_END + 4;
const STAMP_BYTES = 8 * STAMP_NUMBERS;

const StateSchema = v.object({
  root: v.string(),
  rows: v.number(),
  /** The manifest that says what the snapshot says. */
  manifest: RefSchema,
  /** What the manifest is a change of, or the manifest itself, and the objects that its content lies in. */
  base: v.object({ ref: RefSchema, objects: v.array(v.string()) }),
  /** More objects of the change. */
  objects: v.array(v.string()),
  /** Paths at which the tree may differ from its base. */
  touched: v.array(v.string()),
});
export type TreeState = Omit<v.InferOutput<typeof StateSchema>, 'rows'>;

export interface CachedTree {
  readonly columns: Columns;
  readonly state: TreeState;
}

/** @returns the file in parts: together they would be as much again */
export function encodeTreeCache({ columns, state }: CachedTree): readonly Uint8Array[] {
  const { rows, stamps, hashes, flags, paths } = columns;
  const json = Buffer.from(JSON.stringify({ ...state, rows }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.byteLength);
  const names = Buffer.from(paths, 'latin1');
  const parts = [length, json, new Uint8Array(stamps.buffer, stamps.byteOffset, stamps.byteLength), hashes, flags, names];
  return [MAGIC, digestOf(...parts), ...parts];
}

/** @returns undefined for what is none, of another version, or damaged */
export function decodeTreeCache(bytes: Uint8Array): CachedTree | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.byteLength < STATE_START || !file.subarray(0, MAGIC.byteLength).equals(MAGIC)) return undefined;
  if (!digestOf(file.subarray(DIGEST_END)).equals(file.subarray(MAGIC.byteLength, DIGEST_END))) return undefined;
  const end = STATE_START + file.readUInt32LE(DIGEST_END);
  const state = v.safeParse(StateSchema, JSON.parse(file.subarray(STATE_START, end).toString()));
  if (!state.success) return undefined;
  const { rows, ...rest } = state.output;
  return { columns: columnsOf(file.subarray(end), rows), state: rest };
}

function columnsOf(body: Buffer, rows: number): Columns {
  const hashesAt = rows * STAMP_BYTES;
  const flagsAt = hashesAt + rows * HASH_BYTES;
  const pathsAt = flagsAt + rows;
  // A copy, for numbers of eight bytes lie only at multiples of eight.
  const stamps = new Float64Array(Uint8Array.from(body.subarray(0, hashesAt)).buffer);
  return {
    rows,
    paths: body.toString('latin1', pathsAt),
    flags: body.subarray(flagsAt, pathsAt),
    stamps,
    hashes: body.subarray(hashesAt, flagsAt),
  };
}

function digestOf(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
