import { closeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FILE_MARKS } from '../../contract';
import { inOrder } from '../in-order';
import { damaged } from '../ref';
import { sha256Of } from '../sha256';
import { TreeWriter, writeFully } from '../tree-writer';
import { decodeChunk } from './codec';
import type { PlacedChunk } from './layout';

/** What one request has brought: chunks that lie together in one pack. */
export interface FetchedChunks {
  readonly body: Uint8Array;
  /** Where the body begins in the pack. */
  readonly start: number;
  readonly chunks: readonly PlacedChunk[];
}

/** Chunks of one request that are inflated at once: libuv has four threads for it. */
const AHEAD = 2;
/** Files written between two looks at the event loop. */
const TURN = 100;

/** Writes chunks below one directory, each checked before a byte of it is written. */
export class ChunkWriter {
  readonly files: TreeWriter;
  #turn = 0;

  constructor(directory: string) {
    this.files = new TreeWriter(directory);
  }

  /** @throws E_INTEGRITY when something is damaged */
  async write({ body, start, chunks }: FetchedChunks, signal?: AbortSignal): Promise<void> {
    const decode = async (chunk: PlacedChunk): Promise<{ chunk: PlacedChunk; content: Uint8Array }> => {
      const from = chunk.offset - start;
      const stored = body.subarray(from, from + chunk.length);
      if (sha256Of(stored) !== chunk.sha256) throw damaged('a pack of the environment');
      return { chunk, content: await decodeChunk({ stored, encoding: chunk.encoding }, chunk.bytes) };
    };
    for await (const { chunk, content } of inOrder(chunks, AHEAD, decode)) await this.#write(chunk, content, signal);
  }

  async #write({ pieces }: PlacedChunk, content: Uint8Array, signal?: AbortSignal): Promise<void> {
    for (const { path, marks, at, from, length } of pieces) {
      const descriptor = this.files.open(path, isExecutable(marks), true);
      try {
        writeFully(descriptor, content.subarray(from, from + length), at);
      } finally {
        closeSync(descriptor);
      }
      if (++this.#turn % TURN !== 0) continue;
      await nextTurn();
      signal?.throwIfAborted();
    }
  }
}

export function isExecutable(marks: number): boolean {
  return (marks & FILE_MARKS.executable) !== 0;
}
