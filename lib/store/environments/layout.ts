import { RawcloudError } from '../../contract';
import type { Environment, EnvironmentChunk, EnvironmentPart } from '../../contract';

/** Content of one chunk; one of a part's last may be shorter. */
export const CHUNK_BYTES = 4 * 2 ** 20;

/** Files up to this length lie in one chunk: so it shows whether their text names the directory. */
export const WHOLE_FILE_BYTES = 2 ** 20;

/** A piece of a file that lies in a chunk. */
export interface Piece {
  readonly path: string;
  readonly marks: number;
  /** Where it begins in the file, and in the chunk's content. */
  readonly at: number;
  readonly from: number;
  readonly length: number;
}

export interface PlacedChunk {
  /** Its pack, as `<key>/<SHA-256>`. */
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  readonly bytes: number;
  readonly encoding: EnvironmentChunk[4];
  readonly sha256: string;
  readonly pieces: readonly Piece[];
}

/** The chunks of some parts, and which bytes of which files are in each. @throws E_INTEGRITY when the two do not fit */
export function placeChunks({ packs }: Environment, parts: readonly EnvironmentPart[]): PlacedChunk[] {
  return parts.flatMap((part) => {
    const pieces = piecesOf(part);
    return part.chunks.map(([pack, offset, length, bytes, encoding, sha256], index) => {
      const object = packs[pack]?.name;
      if (object === undefined) throw misfit(part);
      return { object, offset, length, bytes, encoding, sha256, pieces: pieces[index]! };
    });
  });
}

/** By chunk. Empty files are in none. */
function piecesOf(part: EnvironmentPart): Piece[][] {
  const pieces: Piece[][] = part.chunks.map(() => []);
  let chunk = 0;
  let from = 0;
  for (const [path, bytes, marks] of part.files) {
    for (let at = 0; at < bytes;) {
      const room = (part.chunks[chunk]?.[3] ?? 0) - from;
      if (chunk >= part.chunks.length) throw misfit(part);
      if (room <= 0) {
        chunk += 1;
        from = 0;
        continue;
      }
      const length = Math.min(room, bytes - at);
      pieces[chunk]!.push({ path, marks, at, from, length });
      at += length;
      from += length;
    }
  }
  const isUsedUp = chunk === part.chunks.length - 1 && from === part.chunks[chunk]![3];
  if (part.chunks.length > 0 && !isUsedUp) throw misfit(part);
  return pieces;
}

function misfit({ name }: EnvironmentPart): RawcloudError {
  return new RawcloudError('E_INTEGRITY', `the manifest of the environment is damaged: files and chunks of ${name} do not fit`);
}
